"""Use cases: one function for each thing that a caller can do, inside one unit of work."""
