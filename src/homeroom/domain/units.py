"""Units: the parts of a course that its activities are in (READINGS Q80)."""

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId, UnitId
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal

MAX_UNIT_ACTIVITIES = 100
"""Activities of a unit, classes included; the default unit of a course has no limit."""


class Unit(Value, frozen=True):
    """A unit of a course."""

    id: UnitId
    school: SchoolId
    course: CourseId
    name: str
    content: str
    is_published: bool
    is_default: bool
    """Each course has one such unit, which is made with the course and stays as it is."""
    created_at: Moment
    deleted_at: Moment | None
    """When the unit, or its course, was deleted."""


class UnitChange(Value, frozen=True):
    """The changes of a unit; None leaves a value unchanged."""

    name: str | None = None
    content: str | None = None
    is_published: bool | None = None


def check_unit(
    unit: Unit | None, course: CourseId, missing: Errno, *, allows_default: bool = True
) -> Unit:
    """Return a unit of the course that is not deleted; raise `Refusal` otherwise."""
    if unit is None or unit.course != course:
        raise Refusal(missing, "the course has no such unit")
    if unit.deleted_at is not None:
        raise Refusal(missing, f"unit {unit.id} was deleted")
    if unit.is_default and not allows_default:
        raise Refusal(missing, f"unit {unit.id} is the default unit of the course")
    return unit


def check_unit_size(count: int, full: Errno) -> None:
    """Refuse more activities than a unit may have."""
    if count > MAX_UNIT_ACTIVITIES:
        raise Refusal(full, f"a unit holds at most {MAX_UNIT_ACTIVITIES} activities")


def change_unit(unit: Unit, change: UnitChange) -> Unit:
    """Return a unit after a change; a published one stays published."""
    if unit.is_published and change.is_published is False:
        raise Refusal(Errno.UNIT_STAYS_PUBLISHED, f"unit {unit.id} is published")
    return replace(
        unit,
        name=change.name if change.name is not None else unit.name,
        content=change.content if change.content is not None else unit.content,
        is_published=unit.is_published or bool(change.is_published),
    )
