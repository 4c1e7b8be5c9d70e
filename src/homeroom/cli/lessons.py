"""`homeroom class`."""

from typing import Any

import click

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, SchoolId, UserId
from homeroom.bootstrap.dependencies import build_dependencies, find_hosts
from homeroom.cli.command import (
    ID,
    MOMENT,
    PAIR,
    CommandContext,
    NameType,
    OutputFields,
    format_time,
    get_single_value,
    json_option,
    print_fields,
    print_table,
    print_warning,
    with_context,
)
from homeroom.domain.lessons import (
    DEFAULT_SEATS,
    ClassroomSettings,
    Hours,
    Lesson,
    NewLesson,
    Origin,
    RecordingOptions,
)
from homeroom.domain.refusal import OperatorError
from homeroom.domain.webcasts import build_lesson_addresses
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import operations, school_lists, secrets, timetables
from homeroom.usecases.new_lessons import LessonRequest
from homeroom.usecases.timetables import LessonEdit

NAME = NameType(50)
SEATS = click.IntRange(min=0)
STATES = {1: "to come", 2: "running", 3: "over"}


@click.group("class")
def lesson() -> None:
    """List, add, edit, cancel and close classes."""


@lesson.command("list")
@click.argument("sid", type=ID)
@click.option("--course", type=ID, metavar="COURSE_ID", help="The classes of this course alone.")
@json_option
@with_context
def list_lessons(
    context: CommandContext, sid: SchoolId, course: CourseId | None, *, as_json: bool
) -> None:
    """List the classes of a school, in the order in which they were added."""
    rows = [
        {
            "class": listed.lesson.id,
            "course": listed.lesson.course,
            "name": listed.lesson.name,
            "begins_at": format_time(listed.lesson.hours.begin),
            "ends_at": format_time(listed.lesson.hours.end),
            "teacher": listed.lesson.teacher,
            "state": STATES[listed.row.state],
        }
        for listed in context.read(lambda uow: school_lists.list_all_lessons(uow, sid, course))
    ]
    print_table(rows, as_json=as_json, if_empty="There are no classes.")


@lesson.command("add")
@click.argument("course", metavar="COURSE_ID", type=ID)
@click.option("--name", type=NAME, required=True, help="The name of the class.")
@click.option("--begin", type=MOMENT, required=True, help="The start.")
@click.option("--end", type=MOMENT, required=True, help="The end.")
@click.option("--teacher", type=ID, required=True, metavar="UID", help="The teacher.")
@click.option(
    "--co-teacher", "co_teachers", type=ID, multiple=True, metavar="UID", help="A co-teacher."
)
@click.option("--seats", type=SEATS, help="Students on stage; 6, or what the plan allows.")
@click.option("--folder", type=ID, metavar="FOLDER_ID", help="Its folder of the cloud drive.")
@click.option("--record", is_flag=True, help="Record it.")
@click.option("--live", is_flag=True, help="Show it live on its page; needs --record.")
@click.option("--replay", is_flag=True, help="Show the recording on its page; needs --record.")
@json_option
@with_context
def add_lesson(
    context: CommandContext,
    course: CourseId,
    name: str,
    begin: Moment,
    end: Moment,
    teacher: UserId,
    co_teachers: tuple[UserId, ...],
    seats: int | None,
    folder: FolderId | None,
    *,
    record: bool,
    live: bool,
    replay: bool,
    as_json: bool,
) -> None:
    """Add a class to a course, as addCourseClass does.

    A time is epoch seconds or ISO 8601, which is UTC without an offset.
    """
    new = NewLesson(
        name=name,
        hours=Hours(begin, end),
        co_teachers=co_teachers,
        folder=folder,
        classroom=ClassroomSettings(seats=seats if seats is not None else DEFAULT_SEATS),
        has_default_seats=seats is None,
        recording=RecordingOptions(record=record, live=live, replay=replay),
    )
    settings = context.load_settings()

    def add(uow: UnitOfWork) -> tuple[Lesson, list[str]]:
        deps = build_dependencies(settings, secrets.load_or_create(uow))
        added = timetables.add_lesson(uow, deps, course, LessonRequest(new, teacher))
        return added, [warning.en for warning in uow.warnings]

    school = context.read(lambda uow: operations.get_course(uow, course)).school
    added, warnings = context.write(add, school)
    _print_lesson(context, added, warnings, as_json=as_json)


@lesson.command("edit")
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@click.option("--name", type=NAME, help="Another name.")
@click.option("--begin", type=MOMENT, help="Another start.")
@click.option("--end", type=MOMENT, help="Another end.")
@click.option("--teacher", type=ID, metavar="UID", help="Another teacher.")
@click.option(
    "--co-teacher", "co_teachers", type=ID, multiple=True, metavar="UID", help="All co-teachers."
)
@click.option("--no-co-teachers", is_flag=True, help="Remove all co-teachers.")
@click.option("--seats", type=SEATS, help="Students on stage.")
@click.option("--record/--no-record", default=None, help="Whether it is recorded.")
@click.option("--live/--no-live", default=None, help="Whether its page shows it live.")
@click.option("--replay/--no-replay", default=None, help="Whether its page shows the recording.")
@json_option
@with_context
def edit_lesson(
    context: CommandContext,
    /,
    lesson: LessonId,
    co_teachers: tuple[UserId, ...],
    *,
    no_co_teachers: bool,
    as_json: bool,
    **values: Any,  # noqa: ANN401  the fields of LessonEdit
) -> None:
    """Change a class, as editCourseClass and modifyClassSeatNum do; the rest stays as it is."""
    changes = LessonEdit(
        **values, co_teachers=co_teachers if co_teachers or no_co_teachers else None
    )
    if changes == LessonEdit():
        raise OperatorError("say what to change, as --name or --begin")
    settings = context.load_settings()

    def edit(uow: UnitOfWork) -> tuple[Lesson, list[str]]:
        deps = build_dependencies(settings, secrets.load_or_create(uow))
        edited = timetables.edit_lesson(uow, deps, lesson, changes)
        return edited, [warning.en for warning in uow.warnings]

    school = context.read(lambda uow: operations.get_lesson(uow, lesson)).school
    edited, warnings = context.write(edit, school)
    _print_lesson(context, edited, warnings, as_json=as_json)


@lesson.command("cancel")
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@json_option
@with_context
def cancel_lesson(context: CommandContext, lesson: LessonId, *, as_json: bool) -> None:
    """Delete a class that has not begun, as delCourseClass does. This cannot be undone."""
    school = context.read(lambda uow: operations.get_lesson(uow, lesson)).school
    context.write(lambda uow: timetables.cancel_lesson(uow, lesson), school)
    print_fields({"class": lesson, "cancelled": True}, as_json=as_json)


@lesson.command("set")
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@click.argument("pairs", type=PAIR, nargs=-1, required=True)
@json_option
@with_context
def change_lesson(
    context: CommandContext, lesson: LessonId, pairs: tuple[tuple[str, str], ...], *, as_json: bool
) -> None:
    """Set the origin of a class: origin=v1, origin=client or origin=lms.

    The v1 API changes only classes of origin v1; it refuses calls for the others.
    """
    origin = Origin(get_single_value(pairs, "origin", list(Origin)))
    context.write(lambda uow: operations.set_origin(uow, lesson, origin))
    print_fields({"class": lesson, "origin": origin.value}, as_json=as_json)


@lesson.command()
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@click.option("--add", "added", type=ID, metavar="UID", help="Add this student.")
@click.option("--remove", "removed", type=ID, metavar="UID", help="Remove this student.")
@json_option
@with_context
def guest(
    context: CommandContext,
    lesson: LessonId,
    added: UserId | None,
    removed: UserId | None,
    *,
    as_json: bool,
) -> None:
    """Add a student to this class only, or remove such a student."""
    if (added is None) == (removed is None):
        raise OperatorError("say either --add UID or --remove UID")

    def change(uow: UnitOfWork) -> None:
        if added is not None:
            operations.add_guest(uow, lesson, added)
        if removed is not None:
            operations.remove_guest(uow, lesson, removed)

    context.write(change)
    print_fields({"class": lesson, "added": added, "removed": removed}, as_json=as_json)


@lesson.command()
@click.argument("lesson", metavar="CLASS_ID", type=ID)
@json_option
@with_context
def close(context: CommandContext, lesson: LessonId, *, as_json: bool) -> None:
    """Close a class early, as its teacher can; it is over from now on."""
    context.write(lambda uow: operations.close_lesson(uow, lesson))
    print_fields({"class": lesson, "closed": True}, as_json=as_json)


def _print_lesson(
    context: CommandContext, lesson: Lesson, warnings: list[str], *, as_json: bool
) -> None:
    for warning in warnings:
        print_warning(warning)
    addresses = build_lesson_addresses(lesson, find_hosts(context.load_settings()))
    fields: OutputFields = {
        "class": lesson.id,
        "course": lesson.course,
        "name": lesson.name,
        "begins_at": format_time(lesson.hours.begin),
        "ends_at": format_time(lesson.hours.end),
        "teacher": lesson.teacher,
        "live_url": addresses.live_url or None,
    }
    print_fields(fields, as_json=as_json)
