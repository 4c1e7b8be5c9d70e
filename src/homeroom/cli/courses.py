"""`homeroom course`."""

import click

from homeroom.base.ids import CourseId
from homeroom.cli.command import (
    ID,
    PAIR,
    CommandContext,
    get_single_value,
    json_option,
    print_fields,
    with_context,
)
from homeroom.domain.courses import CourseKind
from homeroom.usecases import operations


@click.group()
def course() -> None:
    """Change or delete a course as an operator."""


@course.command("set")
@click.argument("course", type=ID)
@click.argument("pairs", type=PAIR, nargs=-1, required=True)
@json_option
@with_context
def change_course(
    context: CommandContext, course: CourseId, pairs: tuple[tuple[str, str], ...], *, as_json: bool
) -> None:
    """Change a course: kind=standard, kind=public or kind=dual.

    The partner API handles only standard courses; it refuses calls for the others.
    """
    kind = CourseKind(get_single_value(pairs, "kind", list(CourseKind)))
    context.write(lambda uow: operations.set_course_kind(uow, course, kind))
    print_fields({"course": course, "kind": kind.value}, as_json=as_json)


@course.command()
@click.argument("course", type=ID)
@json_option
@with_context
def delete(context: CommandContext, course: CourseId, *, as_json: bool) -> None:
    """Delete a course with its classes. This cannot be undone."""
    context.write(lambda uow: operations.delete_course(uow, course))
    print_fields({"course": course, "deleted": True}, as_json=as_json)
