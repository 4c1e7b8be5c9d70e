"""`homeroom viewers`, `homeroom link` and `homeroom chat`."""

from collections.abc import Callable
from urllib.parse import urlencode

import click

from homeroom.admin import spreadsheet
from homeroom.admin.lists_classes import to_viewer_row
from homeroom.base.ids import EntryId, LessonId, ViewerId
from homeroom.bootstrap.dependencies import find_hosts
from homeroom.cli.command import (
    ID,
    CommandContext,
    OutputFields,
    format_time,
    json_option,
    print_fields,
    print_table,
    to_json,
    with_context,
)
from homeroom.contract.viewers import ViewerRow
from homeroom.domain.chat import Author, ChatEntry, ChatRole
from homeroom.domain.refusal import OperatorError
from homeroom.domain.viewers import is_link_valid, sign_link
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat as chats
from homeroom.usecases import operations, readback, schools

OPERATOR = Author("operator", ChatRole.OPERATOR)
lesson_argument = click.argument("lesson", metavar="CLASS_ID", type=ID)
message_argument = click.argument("message", metavar="MESSAGE_ID", type=ID)
viewer_argument = click.argument("viewer", metavar="VIEWER_ID", type=ID)


@click.command()
@lesson_argument
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for a spreadsheet.")
@json_option
@with_context
def viewers(context: CommandContext, lesson: LessonId, *, as_csv: bool, as_json: bool) -> None:
    """List the viewers of a class with watch time and telephone number.

    The numbers are personal data of the school; they are deleted after its `viewer_days`.
    """

    def read_viewers(uow: UnitOfWork) -> tuple[list[ViewerRow], str]:
        operations.get_lesson(uow, lesson)
        rows = [to_viewer_row(record) for record in readback.list_all_viewers(uow, lesson)]
        return rows, spreadsheet.format_lines(uow, rows) if as_csv else ""

    rows, lines = context.read(read_viewers)
    if as_csv:
        click.echo(spreadsheet.format_heading() + lines, nl=False)
    elif as_json:
        click.echo(to_json(rows))
    else:
        print_table(
            [_format_viewer(row) for row in rows],
            as_json=False,
            if_empty="There are no viewers yet.",
        )


@click.command()
@lesson_argument
@click.option("--account", required=True, help="The student's account, up to 31 characters.")
@click.option("--nickname", required=True, help="Their name in the chat, up to 23 characters.")
@with_context
def link(context: CommandContext, lesson: LessonId, account: str, nickname: str) -> None:
    """Print a login-free link; with it a student watches and chats without a login.

    It is signed with the school's SECRET. docs/guides/watching.md says how to make such links in
    your own programs.
    """
    hosts = find_hosts(context.load_settings())

    def build_query(uow: UnitOfWork) -> dict[str, str]:
        row = operations.get_lesson(uow, lesson)
        school = schools.get(uow, row.school)
        code = sign_link(school.secret, row.key, account, nickname)
        if not is_link_valid(school, row.key, account, nickname, code):
            raise OperatorError("the account has 1 to 31 characters, the nickname 1 to 23")
        fields = {"lessonKey": row.key, "account": account, "nickname": nickname}
        return {**fields, "checkCode": code}

    click.echo(f"{hosts.pages}/live_partner.html?{urlencode(context.read(build_query))}")


def _format_viewer(row: ViewerRow) -> OutputFields:
    return {
        "viewer": row.viewer_id,
        "kind": row.kind,
        "account": row.account,
        "nickname": row.nickname,
        "telephone": row.telephone,
        "seconds": row.watched_seconds,
        "first_seen": format_time(row.first_seen),
        "last_seen": format_time(row.last_seen),
        "muted": bool(row.is_muted),
    }


@click.group()
def chat() -> None:
    """Moderate the chat of a class; viewers see a change within a second."""


@chat.command()
@lesson_argument
@json_option
@with_context
def show(context: CommandContext, lesson: LessonId, *, as_json: bool) -> None:
    """Show the last 200 messages of a class."""

    def read_messages(uow: UnitOfWork) -> list[OutputFields]:
        operations.get_lesson(uow, lesson)
        pinned = chats.get_state(uow, lesson).pinned
        return [
            {
                "message": entry.id,
                "sent": format_time(entry.sent_at),
                "viewer": entry.new.author.viewer,
                "role": entry.new.author.role.value,
                "name": entry.new.author.name,
                "pinned": pinned is not None and entry.id == pinned.id,
                "text": entry.new.text if as_json else " ".join(entry.new.text.split()),
            }
            for entry in chats.list_recent(uow, lesson)
        ]

    print_table(context.read(read_messages), as_json=as_json, if_empty="There are no messages yet.")


@chat.command()
@lesson_argument
@message_argument
@json_option
@with_context
def delete(context: CommandContext, lesson: LessonId, message: EntryId, *, as_json: bool) -> None:
    """Delete a message."""
    _run_chat_command(
        context,
        lesson,
        lambda uow: chats.delete_message(uow, lesson, OPERATOR, message),
        as_json=as_json,
    )


@chat.command()
@lesson_argument
@message_argument
@json_option
@with_context
def pin(context: CommandContext, lesson: LessonId, message: EntryId, *, as_json: bool) -> None:
    """Pin a message above all others."""
    _run_chat_command(
        context,
        lesson,
        lambda uow: chats.pin_message(uow, lesson, OPERATOR, message),
        as_json=as_json,
    )


@chat.command()
@lesson_argument
@json_option
@with_context
def unpin(context: CommandContext, lesson: LessonId, *, as_json: bool) -> None:
    """Unpin the message of a class."""
    _run_chat_command(
        context, lesson, lambda uow: chats.pin_message(uow, lesson, OPERATOR, None), as_json=as_json
    )


@chat.command()
@lesson_argument
@viewer_argument
@json_option
@with_context
def mute(context: CommandContext, lesson: LessonId, viewer: ViewerId, *, as_json: bool) -> None:
    """Mute a viewer in the chat of a class."""
    _mute(context, lesson, viewer, is_muted=True, as_json=as_json)


@chat.command()
@lesson_argument
@viewer_argument
@json_option
@with_context
def unmute(context: CommandContext, lesson: LessonId, viewer: ViewerId, *, as_json: bool) -> None:
    """Unmute a viewer in the chat of a class."""
    _mute(context, lesson, viewer, is_muted=False, as_json=as_json)


@chat.command()
@lesson_argument
@json_option
@with_context
def pause(context: CommandContext, lesson: LessonId, *, as_json: bool) -> None:
    """Pause the chat of a class; only the teacher can write."""
    _pause(context, lesson, is_paused=True, as_json=as_json)


@chat.command()
@lesson_argument
@json_option
@with_context
def resume(context: CommandContext, lesson: LessonId, *, as_json: bool) -> None:
    """Resume the chat of a class for everyone."""
    _pause(context, lesson, is_paused=False, as_json=as_json)


def _mute(
    context: CommandContext, lesson: LessonId, viewer: ViewerId, *, is_muted: bool, as_json: bool
) -> None:
    def change(uow: UnitOfWork) -> ChatEntry:
        return chats.mute(uow, lesson, OPERATOR, viewer, is_muted=is_muted)

    _run_chat_command(context, lesson, change, as_json=as_json)


def _pause(context: CommandContext, lesson: LessonId, *, is_paused: bool, as_json: bool) -> None:
    def change(uow: UnitOfWork) -> ChatEntry:
        return chats.pause(uow, lesson, OPERATOR, is_paused=is_paused)

    _run_chat_command(context, lesson, change, as_json=as_json)


def _run_chat_command(
    context: CommandContext,
    lesson: LessonId,
    change: Callable[[UnitOfWork], ChatEntry],
    *,
    as_json: bool,
) -> None:
    """Change the chat of a class that is not deleted, in order with its school's writes."""
    with context.open_store() as store:
        school = store.read(lambda uow: operations.get_lesson(uow, lesson)).school
        entry = store.write(change, school)
    print_fields(
        {
            "class": lesson,
            "entry": entry.id,
            "done": entry.new.kind.value,
            "target": entry.new.target,
        },
        as_json=as_json,
    )
