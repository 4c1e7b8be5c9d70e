"""Several processes of one server: the channel between them, and what they share over it."""
