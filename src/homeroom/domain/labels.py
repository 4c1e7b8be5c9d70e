"""Labels of a school, and the rules of labelling courses."""

from homeroom.base.ids import LabelId, SchoolId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal

MAX_COURSE_LABELS = 10


class Label(Value, frozen=True):
    """A school's tag on courses and classes."""

    id: LabelId
    school: SchoolId
    name: str


def check_course_labels(
    requested: tuple[LabelId, ...], owners: dict[LabelId, SchoolId], school: SchoolId
) -> tuple[LabelId, ...]:
    """Return the requested labels without duplicates, or refuse them (READINGS Q8)."""
    labels = tuple(dict.fromkeys(requested))
    if any(label not in owners for label in labels):
        raise Refusal(Errno.SOME_LABELS_MISSING)
    if any(owners[label] != school for label in labels):
        raise Refusal(Errno.SOME_LABELS_FOREIGN)
    if len(labels) > MAX_COURSE_LABELS:
        raise Refusal(Errno.TOO_MANY_COURSE_LABELS)
    return labels
