"""`homeroom course`."""

import click

from homeroom.base.ids import CourseId
from homeroom.cli.frame import ID, PAIR, Place, as_json, on_data, one_key, tell
from homeroom.domain.courses import CourseKind
from homeroom.usecases import operations


@click.group()
def course() -> None:
    """Do to a course what only an operator does."""


@course.command("set")
@click.argument("course", type=ID)
@click.argument("pairs", type=PAIR, nargs=-1, required=True)
@as_json
@on_data
def change(
    place: Place, course: CourseId, pairs: tuple[tuple[str, str], ...], *, as_json: bool
) -> None:
    """Change a course: kind=standard, kind=public or kind=dual.

    The partner API handles standard courses only: others answer 369.
    """
    kind = CourseKind(one_key(pairs, "kind", list(CourseKind)))
    place.work(lambda uow: operations.set_course_kind(uow, course, kind))
    tell({"course": course, "kind": kind.value}, as_json=as_json)


@course.command()
@click.argument("course", type=ID)
@as_json
@on_data
def delete(place: Place, course: CourseId, *, as_json: bool) -> None:
    """Delete a course with its classes (errno 149). There is no way back."""
    place.work(lambda uow: operations.delete_course(uow, course))
    tell({"course": course, "deleted": True}, as_json=as_json)
