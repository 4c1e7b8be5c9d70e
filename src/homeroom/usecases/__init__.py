"""What can be done: one function an intent, each inside one unit of work."""
