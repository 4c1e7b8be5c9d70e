"""Units of courses: add, change, move and delete them."""

from homeroom.base.ids import CourseId, SchoolId, UnitId
from homeroom.base.text import format_count
from homeroom.contract.errno import Errno
from homeroom.domain.courses import ACTIVITY_RULE
from homeroom.domain.refusal import Refusal
from homeroom.domain.units import Unit, UnitChange, change_unit, check_unit, check_unit_size
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import get_current_school
from homeroom.usecases.lesson_messages import emit_deleted_lessons


def add(
    uow: UnitOfWork,
    school: SchoolId,
    course_id: CourseId,
    name: str,
    content: str,
    *,
    published: bool,
) -> UnitId:
    """Add a unit to a course and return its id."""
    course = uow.courses.get_usable(school, course_id, uow.now, ACTIVITY_RULE)
    _check_name(uow, course_id, name, Errno.UNIT_EXISTS)
    limit = get_current_school(uow, school).plan.max_course_units
    if limit and uow.units.count(course_id) >= limit:
        raise Refusal(
            Errno.UNIT_FULL, f"the school allows {format_count(limit, 'unit')} in a course"
        )
    return uow.units.add(course, name, content, uow.now, published=published)


def edit(
    uow: UnitOfWork, school: SchoolId, course: CourseId, unit_id: UnitId, change: UnitChange
) -> None:
    """Change a unit; values of None in the change stay unchanged."""
    uow.courses.get_usable(school, course, uow.now, ACTIVITY_RULE)
    unit = find(uow, course, unit_id, Errno.NO_SUCH_UNIT, allows_default=False)
    changed = change_unit(unit, change)
    if changed.name != unit.name:
        _check_name(uow, course, changed.name, Errno.UNIT_NAME_TAKEN)
    uow.units.save(changed)


def delete(uow: UnitOfWork, school: SchoolId, course: CourseId, unit_id: UnitId) -> None:
    """Delete a unit with its activities; its classes go as by a deletion of their own."""
    plan = get_current_school(uow, school).plan
    if plan.arrears:
        raise Refusal(Errno.SCHOOL_IN_ARREARS)
    uow.courses.get_usable(school, course, uow.now, ACTIVITY_RULE)
    find(uow, course, unit_id, Errno.NO_SUCH_UNIT, allows_default=False)
    if uow.activities.has_held_lesson(unit_id, uow.now):
        raise Refusal(Errno.UNIT_HAS_HELD_LESSON)
    keeps = plan.keep_identities
    deleted = uow.activities.delete_of_unit(unit_id, uow.now, keeps_identities=keeps)
    subs = uow.sub_lessons.delete_with_mains(course, uow.now, keeps_identities=keeps)
    uow.units.delete(unit_id, uow.now)
    emit_deleted_lessons(uow, school, dict.fromkeys(deleted, course) | subs)


def move(
    uow: UnitOfWork, school: SchoolId, course: CourseId, unit: UnitId, target_id: UnitId
) -> None:
    """Move all activities of a unit to another one, or none if they do not fit."""
    uow.courses.get_usable(school, course, uow.now, ACTIVITY_RULE)
    if unit == target_id:
        raise Refusal(Errno.SAME_UNIT)
    find(uow, course, unit, Errno.NO_SUCH_SOURCE_UNIT, allows_default=False)
    target = find(uow, course, target_id, Errno.NO_SUCH_TARGET_UNIT)
    check_place(uow, target, Errno.TARGET_UNIT_FULL, uow.activities.count(unit))
    uow.activities.move_all(unit, target)


def find(
    uow: UnitOfWork,
    course: CourseId,
    unit: UnitId,
    missing: Errno,
    *,
    allows_default: bool = True,
) -> Unit:
    """Return a unit of the course; raise `Refusal` otherwise."""
    return check_unit(uow.units.get(unit), course, missing, allows_default=allows_default)


def check_place(uow: UnitOfWork, unit: Unit, full: Errno, new: int = 1) -> None:
    """Refuse more activities than a unit can take; a default unit has no limit."""
    if not unit.is_default:
        check_unit_size(uow.activities.count(unit.id) + new, full)


def _check_name(uow: UnitOfWork, course: CourseId, name: str, taken: Errno) -> None:
    """Refuse a name that another unit of the course has (READINGS Q80)."""
    other = uow.units.find_by_name(course, name)
    if other is not None:
        raise Refusal(taken, f"unit {other.id} has this name")
