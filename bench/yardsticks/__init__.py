"""Servers that the partner API is measured beside: hand-written ones, and a usual one.

`thin` runs the statements of an action and does nothing else that a server should do: no rules, no
log, no metrics, no deadlines. `batch` writes a whole queue of classes by one statement. `tutorial`
is a web framework with an ORM, as their introductions teach it.
"""
