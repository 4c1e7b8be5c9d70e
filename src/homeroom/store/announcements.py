"""Announcements: what a unit of work tells the other servers of its database when it commits.

PostgreSQL delivers them (NOTIFY). With SQLite there is no other server.
"""

from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import Text

from homeroom.store.statement import POSTGRESQL, SQLITE

CHAT_CHANNEL = "homeroom_chat"
"""New entries in chats: the id of the class and of the entry, with a space between them."""

MESSAGE_CHANNEL = "homeroom_messages"
"""New messages of a school: its id."""


class Announcement(ColumnElement[Any]):
    """The sending of a text on a channel, once the transaction is committed."""

    inherit_cache = False

    def __init__(self, channel: str, text: ColumnElement[str]) -> None:
        self.channel = channel
        self.text = text
        self.type = Text()


@compiles(Announcement, SQLITE)
def _announce_sqlite(element: Announcement, compiler: SQLCompiler, **kw: object) -> str:
    return compiler.process(element.text, **kw)


@compiles(Announcement, POSTGRESQL)
def _announce_postgresql(element: Announcement, compiler: SQLCompiler, **kw: object) -> str:
    return f"pg_notify('{element.channel}', {compiler.process(element.text, **kw)})"
