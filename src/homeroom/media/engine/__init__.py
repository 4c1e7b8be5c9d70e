"""The media engine: takes streams in, hands them out, records them; a process of its own."""
