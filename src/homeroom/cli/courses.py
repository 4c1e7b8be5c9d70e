"""`homeroom course`."""

import click
from msgspec import UNSET

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, SchoolId, UserId
from homeroom.base.keys import KeyGenerator
from homeroom.cli.command import (
    ID,
    PAIR,
    CommandContext,
    MomentType,
    NameType,
    format_time,
    get_single_value,
    json_option,
    print_fields,
    print_table,
    with_context,
)
from homeroom.domain.courses import CourseKind
from homeroom.domain.refusal import OperatorError
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import courses, operations, school_lists, schools, timetables
from homeroom.usecases.courses import CourseFields
from homeroom.usecases.dependencies import Dependencies

NAME = NameType(90)
COURSE_STATES = {2: "running", 3: "over"}
NEVER = "never"


class ExpiryType(MomentType):
    """A time, or `never`."""

    name = "time"

    def convert(
        self, value: str | Moment, param: click.Parameter | None, ctx: click.Context | None
    ) -> Moment:
        """Return the time in epoch seconds, 0 for `never`; or fail with a usage error."""
        return 0 if value == NEVER else super().convert(value, param, ctx)


EXPIRY = ExpiryType()


@click.group()
def course() -> None:
    """List, add, edit, cancel and delete courses."""


@course.command("list")
@click.argument("sid", type=ID)
@json_option
@with_context
def list_courses(context: CommandContext, sid: SchoolId, *, as_json: bool) -> None:
    """List the courses of a school."""
    rows = [
        {
            "course": row.id,
            "name": row.name,
            "kind": row.kind,
            "head_teacher": row.head_teacher,
            "expires_at": format_time(row.expires_at),
            "state": COURSE_STATES[row.state],
        }
        for row in context.read(lambda uow: school_lists.list_all_courses(uow, sid))
    ]
    print_table(rows, as_json=as_json, if_empty="The school has no courses.")


@course.command("add")
@click.argument("sid", type=ID)
@click.option("--name", type=NAME, required=True, help="The name of the course.")
@click.option("--head-teacher", type=ID, metavar="UID", help="The head teacher.")
@click.option("--expires", type=EXPIRY, help="When it expires; never unless said.")
@json_option
@with_context
def add_course(
    context: CommandContext,
    sid: SchoolId,
    name: str,
    head_teacher: UserId | None,
    expires: Moment | None,
    *,
    as_json: bool,
) -> None:
    """Add a course to a school, as addCourse does."""
    fields = CourseFields(name=name, head_teacher=head_teacher, expires_at=expires or None)
    deps = Dependencies(KeyGenerator(), "", 0)

    def add(uow: UnitOfWork) -> CourseId:
        schools.get(uow, sid)
        return courses.add(uow, deps, sid, fields, None)

    added = context.write(add, sid)
    print_fields({"course": added, "sid": sid, "name": name}, as_json=as_json)


@course.command("edit")
@click.argument("course", metavar="COURSE_ID", type=ID)
@click.option("--name", type=NAME, help="Another name.")
@click.option("--head-teacher", type=ID, metavar="UID", help="Another head teacher.")
@click.option("--expires", type=EXPIRY, help="Another expiry, or `never`.")
@json_option
@with_context
def edit_course(
    context: CommandContext,
    course: CourseId,
    name: str | None,
    head_teacher: UserId | None,
    expires: Moment | None,
    *,
    as_json: bool,
) -> None:
    """Change a course, as editCourse does; the rest stays as it is."""
    if name is None and head_teacher is None and expires is None:
        raise OperatorError("say what to change, as --name or --expires")
    fields = CourseFields(
        name=name,
        head_teacher=head_teacher,
        expires_at=UNSET if expires is None else expires or None,
    )
    school = context.read(lambda uow: operations.get_course(uow, course)).school
    context.write(lambda uow: timetables.edit_course(uow, course, fields), school)
    print_fields({"course": course, "changed": True}, as_json=as_json)


@course.command("cancel")
@click.argument("course", metavar="COURSE_ID", type=ID)
@json_option
@with_context
def cancel_course(context: CommandContext, course: CourseId, *, as_json: bool) -> None:
    """End a course, as endCourse does: classes that have not begun are deleted.

    This cannot be undone. No class of the course may be running.
    """
    school = context.read(lambda uow: operations.get_course(uow, course)).school
    context.write(lambda uow: timetables.cancel_course(uow, course), school)
    print_fields({"course": course, "cancelled": True}, as_json=as_json)


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
