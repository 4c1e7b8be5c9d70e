"""The partner API as data: what travels, every way an action may end, and the answer numbers."""
