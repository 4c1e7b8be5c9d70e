"""Near misses: names that a caller probably meant for another one (READINGS Q53)."""

from collections.abc import Iterable

MIN_EDITED_LETTERS = 5
"""One edit away from a shorter name is often a name of its own."""
MIN_HINTED_LETTERS = 4
"""A hint that is wrong does no harm, so it may be about a shorter name: `liv (live)`."""
_SEPARATORS = str.maketrans("", "", "_-")


def is_near_miss(name: str, documented: str, min_letters: int = MIN_EDITED_LETTERS) -> bool:
    """Tell whether a name is a misspelling of a documented one, and not that name itself.

    It is one if the two are equal without case, `_`, `-`, blanks and `[...]`, or if the documented
    name has at least `min_letters` letters and a single edit leads from one to the other.
    """
    if name == documented:
        return False
    ours, theirs = _normalize(documented), _normalize(name)
    return ours == theirs or (len(ours) >= min_letters and _is_one_edit(ours, theirs))


def find_near_miss(name: str, documented: Iterable[str]) -> str | None:
    """Return the first documented name that a name is a near miss of, for a hint."""
    return next((ours for ours in documented if is_near_miss(name, ours, MIN_HINTED_LETTERS)), None)


def _normalize(name: str) -> str:
    """Return a name without what clients of other habits add: `File_Id[0]` is `fileid`."""
    start, bracket, rest = name.partition("[")
    end = rest.rpartition("]")[2] if bracket and "]" in rest else ""
    return "".join((start + end).translate(_SEPARATORS).split()).casefold()


def _is_one_edit(name: str, other: str) -> bool:
    """Tell whether adding, leaving out, changing or swapping letters once leads to the other."""
    shorter, longer = sorted((name, other), key=len)
    if len(longer) - len(shorter) > 1:
        return False
    start = 0
    while start < len(shorter) and shorter[start] == longer[start]:
        start += 1
    if len(shorter) < len(longer):
        return shorter[start:] == longer[start + 1 :]
    if shorter[start + 1 :] == longer[start + 1 :]:
        return True
    pair, swapped = shorter[start : start + 2], longer[start : start + 2]
    return pair == swapped[::-1] and shorter[start + 2 :] == longer[start + 2 :]
