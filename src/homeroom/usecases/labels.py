"""A school's labels, and those of its courses."""

from homeroom.base.ids import CourseId, LabelId, SchoolId
from homeroom.base.text import format_count
from homeroom.contract.errno import Errno
from homeroom.domain.courses import LABEL_RULE, check_course
from homeroom.domain.labels import Label, check_course_labels
from homeroom.domain.refusal import Refusal
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import get_current_school

COLOURS = ("#e5484d", "#f76808", "#ffb224", "#30a46c", "#12a594", "#0091ff", "#6e56cf", "#e93d82")


def add(uow: UnitOfWork, school: SchoolId, name: str) -> LabelId:
    """Add a label; a name in use is refused, about the label that has it (READINGS Q35)."""
    existing = uow.labels.find_by_name(school, name)
    if existing is not None:
        raise Refusal(Errno.LABEL_NAME_TAKEN, about=existing.id)
    limit = get_current_school(uow, school).plan.max_labels
    count = uow.labels.count(school)
    if limit and count >= limit:
        raise Refusal(Errno.TOO_MANY_LABELS, f"the school may have {format_count(limit, 'label')}")
    return uow.labels.add(school, name, COLOURS[count % len(COLOURS)], uow.now)


def rename(uow: UnitOfWork, school: SchoolId, label_id: LabelId, name: str) -> None:
    """Give a label another name."""
    label = _get_own_label(uow, school, label_id)
    other = uow.labels.find_by_name(school, name)
    if other is not None and other.id != label.id:
        raise Refusal(Errno.LABEL_NAME_TAKEN)
    uow.labels.rename(label_id, name)


def delete(uow: UnitOfWork, school: SchoolId, label: LabelId) -> None:
    """Delete a label, and remove it from all courses."""
    uow.labels.delete(_get_own_label(uow, school, label).id)


def set_of_courses(
    uow: UnitOfWork,
    school: SchoolId,
    entries: list[tuple[CourseId, tuple[LabelId, ...] | None] | Refusal],
) -> list[Refusal | None]:
    """Set the labels of courses; each course gets all of its labels or none (READINGS Q8)."""
    valid = [entry for entry in entries if not isinstance(entry, Refusal)]
    courses = uow.courses.get_many(course for course, _ in valid)
    owners = uow.labels.find_schools(label for _, labels in valid for label in labels or ())
    new_labels: dict[CourseId, tuple[LabelId, ...]] = {}
    verdicts: list[Refusal | None] = []
    for entry in entries:
        try:
            if isinstance(entry, Refusal):
                raise entry
            course, labels = entry
            check_course(courses.get(course), school, uow.now, LABEL_RULE)
            if labels is not None:
                # A course named twice gets what its last entry says.
                new_labels[course] = check_course_labels(labels, owners, school)
            verdicts.append(None)
        except Refusal as refusal:
            verdicts.append(refusal)
    uow.labels.save_of_courses(new_labels)
    return verdicts


def _get_own_label(uow: UnitOfWork, school: SchoolId, label_id: LabelId) -> Label:
    label = uow.labels.get(label_id)
    if label is None:
        raise Refusal(Errno.NO_SUCH_LABEL)
    if label.school != school:
        raise Refusal(Errno.LABEL_OF_ANOTHER_SCHOOL)
    return label
