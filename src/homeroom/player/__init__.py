"""The public pages: watching, chatting, teaching."""
