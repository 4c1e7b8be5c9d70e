"""Text as the wire wants it, and as people see it."""

import unicodedata

FORBIDDEN_CONTROLS = frozenset(map(chr, (*range(9), 11, 12, *range(14, 32), 127)))
_UNSEEN = frozenset(("Cc", "Cf", "Co", "Cs", "Zl", "Zp"))
"""Categories of invisible characters: controls, marks of text direction, surrogates."""
_JOINERS = "\u200c\u200d"
"""Unseen, but some scripts and many emoji are made with them."""
_BLANK = frozenset(
    _JOINERS
    # Fillers of Hangul and other scripts, the empty Braille cell, a note without a head.
    + "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2065\u2800\u3164\uffa0"
    + "\U00016fe4\U0001d159"
    # What chooses how the character before it looks, and characters that must stay invisible.
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000))))
)
"""Characters that show nothing by themselves, though they are letters, signs or marks."""

_PASTED = (
    "".join(map(chr, (*range(33), 0x7F, 0x85, 0xA0, 0xAD, 0x1680, *range(0x2000, 0x2010))))
    + "".join(map(chr, (*range(0x2028, 0x2030), *range(0x205F, 0x2070), 0x3000, 0xFEFF)))
    + "\"'`<>“”„‘’«»"
)
"""Blanks, invisible characters and quotes that come along when an address is copied."""
_ENCODED_BLANKS = frozenset(("%20", "%09", "%0a", "%0d"))


def format_count(count: int, singular: str, plural: str = "") -> str:
    """Return a count with its words, as `1 job` or `2 jobs`; the plural adds an s by default."""
    return f"{count} {singular if count == 1 else plural or f'{singular}s'}"


def escape_non_ascii(text: str) -> str:
    """Return text that an HTTP header can carry, whatever was in it."""
    plain = text.encode("ascii", "backslashreplace").decode("ascii")
    return "".join(letter if letter.isprintable() else " " for letter in plain)


def is_storable(text: str) -> bool:
    """Tell whether a longer text holds no control characters but tabs and line breaks."""
    return FORBIDDEN_CONTROLS.isdisjoint(text)


def strip_invisible(text: str, keep: str = "") -> str:
    """Return text without invisible characters, except those in `keep`; maybe empty."""
    seen = "".join(
        letter
        for letter in text
        if letter in _JOINERS or letter in keep or unicodedata.category(letter) not in _UNSEEN
    )
    return "" if all(letter.isspace() or letter in _BLANK for letter in seen) else seen


def strip_pasted(text: str) -> str:
    """Return a part of an address without the blanks and quotes around what people copy."""
    while True:
        text = text.strip(_PASTED)
        if text[-3:].lower() in _ENCODED_BLANKS:
            text = text[:-3]
        elif text[:3].lower() in _ENCODED_BLANKS:
            text = text[3:]
        else:
            return text
