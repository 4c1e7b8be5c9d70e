"""`homeroom viewers`, `homeroom link` and `homeroom chat`."""

from collections.abc import Callable
from urllib.parse import urlencode

import click

from homeroom.admin import spreadsheet
from homeroom.admin.lists_classes import viewer
from homeroom.base.ids import EntryId, LessonId, ViewerId
from homeroom.bootstrap import find_hosts
from homeroom.cli.frame import ID, Facts, Place, as_json, at, in_json, on_data, tell, tell_all
from homeroom.contract.viewers import ViewerRow
from homeroom.domain.chat import Author, ChatEntry, ChatRole
from homeroom.domain.refusal import OperatorError
from homeroom.domain.viewers import is_link_valid, sign_link
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import chat as chats
from homeroom.usecases import operations, readback, schools

OPERATOR = Author("operator", ChatRole.OPERATOR)
of_lesson = click.argument("lesson", metavar="CLASS_ID", type=ID)
of_message = click.argument("message", metavar="MESSAGE_ID", type=ID)
of_viewer = click.argument("viewer", metavar="VIEWER_ID", type=ID)


@click.command()
@of_lesson
@click.option("--csv", "as_csv", is_flag=True, help="Answer in CSV, for a spreadsheet.")
@as_json
@on_data
def viewers(place: Place, lesson: LessonId, *, as_csv: bool, as_json: bool) -> None:
    """List who watched a class, for how long, and with which telephone number.

    The numbers are personal: they belong to the school, and are kept for its `viewer_days`.
    """

    def look(uow: UnitOfWork) -> tuple[list[ViewerRow], str]:
        operations.get_lesson(uow, lesson)
        rows = [viewer(shown) for shown in readback.list_all_viewers(uow, lesson)]
        return rows, spreadsheet.lines(uow, rows) if as_csv else ""

    rows, lines = place.look(look)
    if as_csv:
        click.echo(spreadsheet.heading() + lines, nl=False)
    elif as_json:
        click.echo(in_json(rows))
    else:
        tell_all([_viewer(row) for row in rows], as_json=False, none="Nobody has watched it yet.")


@click.command()
@of_lesson
@click.option("--account", required=True, help="The student's account, up to 31 characters.")
@click.option("--nickname", required=True, help="Their name in the chat, up to 23 characters.")
@on_data
def link(place: Place, lesson: LessonId, account: str, nickname: str) -> None:
    """Print a login-free link, by which a student watches and chats without a login.

    It is made from the school's SECRET as docs/guides/watching.md says; make such links in your own
    programs in the same way.
    """
    hosts = find_hosts(place.settings())

    def look(uow: UnitOfWork) -> dict[str, str]:
        held = operations.get_lesson(uow, lesson)
        school = schools.get(uow, held.school)
        code = sign_link(school.secret, held.key, account, nickname)
        if not is_link_valid(school, held.key, account, nickname, code):
            raise OperatorError("the account has 1 to 31 characters, the nickname 1 to 23")
        fields = {"lessonKey": held.key, "account": account, "nickname": nickname}
        return {**fields, "checkCode": code}

    click.echo(f"{hosts.pages}/live_partner.html?{urlencode(place.look(look))}")


def _viewer(row: ViewerRow) -> Facts:
    return {
        "viewer": row.viewer_id,
        "kind": row.kind,
        "account": row.account,
        "nickname": row.nickname,
        "telephone": row.telephone,
        "seconds": row.watched_seconds,
        "first_seen": at(row.first_seen),
        "last_seen": at(row.last_seen),
        "muted": bool(row.is_muted),
    }


@click.group()
def chat() -> None:
    """Keep the chat of a class in order; whoever watches sees it within a second."""


@chat.command()
@of_lesson
@as_json
@on_data
def show(place: Place, lesson: LessonId, *, as_json: bool) -> None:
    """Show the last 200 messages of a class."""

    def look(uow: UnitOfWork) -> list[Facts]:
        operations.get_lesson(uow, lesson)
        pinned = chats.get_state(uow, lesson).pinned
        return [
            {
                "message": entry.id,
                "sent": at(entry.sent_at),
                "viewer": entry.new.author.viewer,
                "role": entry.new.author.role.value,
                "name": entry.new.author.name,
                "pinned": pinned is not None and entry.id == pinned.id,
                "text": entry.new.text if as_json else " ".join(entry.new.text.split()),
            }
            for entry in chats.list_recent(uow, lesson)
        ]

    tell_all(place.look(look), as_json=as_json, none="Nobody has said anything yet.")


@chat.command()
@of_lesson
@of_message
@as_json
@on_data
def delete(place: Place, lesson: LessonId, message: EntryId, *, as_json: bool) -> None:
    """Delete a message."""
    _do(
        place,
        lesson,
        lambda uow: chats.delete_message(uow, lesson, OPERATOR, message),
        as_json=as_json,
    )


@chat.command()
@of_lesson
@of_message
@as_json
@on_data
def pin(place: Place, lesson: LessonId, message: EntryId, *, as_json: bool) -> None:
    """Show a message above all others."""
    _do(
        place,
        lesson,
        lambda uow: chats.pin_message(uow, lesson, OPERATOR, message),
        as_json=as_json,
    )


@chat.command()
@of_lesson
@as_json
@on_data
def unpin(place: Place, lesson: LessonId, *, as_json: bool) -> None:
    """Show no message above the others any more."""
    _do(place, lesson, lambda uow: chats.pin_message(uow, lesson, OPERATOR, None), as_json=as_json)


@chat.command()
@of_lesson
@of_viewer
@as_json
@on_data
def mute(place: Place, lesson: LessonId, viewer: ViewerId, *, as_json: bool) -> None:
    """Let a viewer no longer speak in a class."""
    _mute(place, lesson, viewer, is_muted=True, as_json=as_json)


@chat.command()
@of_lesson
@of_viewer
@as_json
@on_data
def unmute(place: Place, lesson: LessonId, viewer: ViewerId, *, as_json: bool) -> None:
    """Let a viewer speak in a class again."""
    _mute(place, lesson, viewer, is_muted=False, as_json=as_json)


@chat.command()
@of_lesson
@as_json
@on_data
def pause(place: Place, lesson: LessonId, *, as_json: bool) -> None:
    """Let nobody but the teacher speak in a class."""
    _pause(place, lesson, is_paused=True, as_json=as_json)


@chat.command()
@of_lesson
@as_json
@on_data
def resume(place: Place, lesson: LessonId, *, as_json: bool) -> None:
    """Let everybody speak in a class again."""
    _pause(place, lesson, is_paused=False, as_json=as_json)


def _mute(
    place: Place, lesson: LessonId, viewer: ViewerId, *, is_muted: bool, as_json: bool
) -> None:
    def unit(uow: UnitOfWork) -> ChatEntry:
        return chats.mute(uow, lesson, OPERATOR, viewer, is_muted=is_muted)

    _do(place, lesson, unit, as_json=as_json)


def _pause(place: Place, lesson: LessonId, *, is_paused: bool, as_json: bool) -> None:
    def unit(uow: UnitOfWork) -> ChatEntry:
        return chats.pause(uow, lesson, OPERATOR, is_paused=is_paused)

    _do(place, lesson, unit, as_json=as_json)


def _do(
    place: Place, lesson: LessonId, unit: Callable[[UnitOfWork], ChatEntry], *, as_json: bool
) -> None:
    """Do something in the chat of a class that is not deleted, in its school's turn."""
    with place.store() as store:
        school = store.read(lambda uow: operations.get_lesson(uow, lesson)).school
        entry = store.write(unit, school)
    tell(
        {
            "class": lesson,
            "entry": entry.id,
            "done": entry.new.kind.value,
            "target": entry.new.target,
        },
        as_json=as_json,
    )
