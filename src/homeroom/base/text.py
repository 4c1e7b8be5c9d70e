"""Text as the wire wants it."""

FORBIDDEN_CONTROLS = frozenset(map(chr, (*range(9), 11, 12, *range(14, 32), 127)))


def ascii_only(text: str) -> str:
    """Return text that an HTTP header can carry, whatever was in it."""
    plain = text.encode("ascii", "backslashreplace").decode("ascii")
    return "".join(letter if letter.isprintable() else " " for letter in plain)


def is_storable(text: str) -> bool:
    """Tell whether a longer text holds no control characters but tabs and line breaks."""
    return FORBIDDEN_CONTROLS.isdisjoint(text)
