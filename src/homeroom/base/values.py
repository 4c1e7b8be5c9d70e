"""Values: immutable data, compared by content."""

import msgspec

replace = msgspec.structs.replace
"""Return a copy of a value with some fields changed."""


class Value(msgspec.Struct, frozen=True, gc=False):
    """Base of all values.

    A frozen dataclass takes ten times as long to make, and its class fifty times as long to define.
    A value contains only other values, so it is never part of a reference cycle. The garbage
    collector need not see it. What contains a service, a callable or an exception is a plain
    `msgspec.Struct`.
    """
