"""Labels of a school, and the rules of labelling courses and classes."""

from homeroom.base.ids import LabelId, SchoolId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal

MAX_LABELS_EACH = 10
"""Labels of a course, and of a class."""


class Label(Value, frozen=True):
    """A school's tag on courses and classes."""

    id: LabelId
    school: SchoolId
    name: str


def check_labels(
    requested: tuple[LabelId, ...],
    owners: dict[LabelId, SchoolId],
    school: SchoolId,
    too_many: Errno,
) -> tuple[LabelId, ...]:
    """Return the requested labels without duplicates, or refuse them (READINGS Q8)."""
    labels = tuple(dict.fromkeys(requested))
    if any(label not in owners for label in labels):
        raise Refusal(Errno.SOME_LABELS_MISSING)
    if any(owners[label] != school for label in labels):
        raise Refusal(Errno.SOME_LABELS_FOREIGN)
    if len(labels) > MAX_LABELS_EACH:
        raise Refusal(too_many)
    return labels
