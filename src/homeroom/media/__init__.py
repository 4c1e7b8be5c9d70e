"""The media room: streams are let in and recorded here, and carried by an engine of its own."""
