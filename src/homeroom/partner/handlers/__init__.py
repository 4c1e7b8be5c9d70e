"""Handlers of the actions, one file a noun: parameters to a use case, its outcome to a result."""
