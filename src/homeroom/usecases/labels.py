"""A school's labels, and those of its courses."""

from homeroom.base.ids import CourseId, LabelId, SchoolId
from homeroom.contract.errno import Errno
from homeroom.domain.courses import LABELLED, admitted
from homeroom.domain.labels import Label, folded
from homeroom.domain.refusal import Refused
from homeroom.store.work import Work
from homeroom.usecases.accounts import current_school

COLOURS = ("#e5484d", "#f76808", "#ffb224", "#30a46c", "#12a594", "#0091ff", "#6e56cf", "#e93d82")


def add(work: Work, school: SchoolId, name: str) -> LabelId:
    """Add a label; a name in use is refused, about the label that has it (READINGS Q35)."""
    known = work.labels.named(school, name)
    if known is not None:
        raise Refused(Errno.LABEL_NAME_TAKEN, about=known.id)
    limit = current_school(work, school).plan.max_labels
    count = work.labels.count(school)
    if limit and count >= limit:
        raise Refused(Errno.TOO_MANY_LABELS, f"the school may have {limit} labels")
    return work.labels.add(school, name, COLOURS[count % len(COLOURS)], work.now)


def rename(work: Work, school: SchoolId, label: LabelId, name: str) -> None:
    """Give a label another name."""
    held = _held(work, school, label)
    other = work.labels.named(school, name)
    if other is not None and other.id != held.id:
        raise Refused(Errno.LABEL_NAME_TAKEN)
    work.labels.rename(label, name)


def delete(work: Work, school: SchoolId, label: LabelId) -> None:
    """Delete a label, and take it off every course."""
    work.labels.delete(_held(work, school, label).id)


def set_of_courses(
    work: Work,
    school: SchoolId,
    asked: list[tuple[CourseId, tuple[LabelId, ...] | None] | Refused],
) -> list[Refused | None]:
    """Make the labels of courses what is asked, each course all or nothing (READINGS Q8)."""
    entries = [one for one in asked if not isinstance(one, Refused)]
    courses = work.courses.several(course for course, _ in entries)
    owners = work.labels.owners(label for _, labels in entries for label in labels or ())
    wanted: dict[CourseId, tuple[LabelId, ...]] = {}
    verdicts: list[Refused | None] = []
    for one in asked:
        try:
            if isinstance(one, Refused):
                raise one
            course, labels = one
            admitted(courses.get(course), school, work.now, LABELLED)
            if labels is not None:
                # A course named twice gets what its last entry says.
                wanted[course] = folded(labels, owners, school)
            verdicts.append(None)
        except Refused as refusal:
            verdicts.append(refusal)
    work.labels.set_of_courses(wanted)
    return verdicts


def _held(work: Work, school: SchoolId, label: LabelId) -> Label:
    held = work.labels.get(label)
    if held is None:
        raise Refused(Errno.NO_SUCH_LABEL)
    if held.school != school:
        raise Refused(Errno.LABEL_OF_ANOTHER_SCHOOL)
    return held
