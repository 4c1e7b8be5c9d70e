"""`homeroom class`."""

import click

from homeroom.base.ids import LessonId, UserId
from homeroom.cli.command import (
    ID,
    PAIR,
    CommandContext,
    get_single_value,
    json_option,
    print_fields,
    with_context,
)
from homeroom.domain.lessons import Origin
from homeroom.domain.refusal import OperatorError
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import operations


@click.group("class")
def lesson() -> None:
    """Change or close a class as an operator."""


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
