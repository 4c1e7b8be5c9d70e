"""A class with its teacher's page, and what its school's receivers would get."""

import json
from typing import Any

from sqlalchemy import select

from homeroom.base.clock import MINUTE
from homeroom.store.tables import classroom_events, messages
from homeroom.testing.sandbox import SandboxClient
from tests.support.chat import Chatter, Classroom
from tests.support.engine import until
from tests.support.given import Given
from tests.support.wire import Value

Event = dict[str, Any]


class Attended(Classroom):
    """A class of a school with receivers, ten minutes before its start by the sandbox clock."""

    def __init__(self, given: Given, sandbox: SandboxClient, **fields: Value) -> None:
        given.store.subscribed.is_everybody = True
        self.sandbox = sandbox
        super().__init__(given, **fields)
        self.closing = self.seen.hours.end + 20 * MINUTE

    def at(self, moment: int) -> None:
        """Move the clock; what is due then is done."""
        self.sandbox.move(now=moment)

    def soon(self) -> "Attended":
        """Move the clock to ten minutes before the class."""
        self.at(self.begin - 10 * MINUTE)
        return self

    def teacher_page(self) -> Chatter:
        """Join by the teacher's page."""
        return Chatter(self.url, self.teach_base)

    @property
    def log(self) -> list[tuple[str, int, int, Event]]:
        """The events of the classroom: kind, moment, person and details."""
        table = classroom_events
        columns = (table.c.kind, table.c.at, table.c.user_id, table.c.details)
        query = select(*columns).where(table.c.lesson_id == self.lesson).order_by(table.c.id)
        return [
            (kind, at, user, json.loads(more)) for kind, at, user, more in self.given.rows(query)
        ]

    def wait_for(self, kind: str, number: int = 1) -> Event:
        """Wait for the n-th event of a kind, and return its details."""
        until(lambda: len(self.events(kind)) >= number)
        return self.events(kind)[number - 1]

    def events(self, kind: str) -> list[Event]:
        """Return the details of the events of a kind."""
        return [more for name, _, _, more in self.log if name == kind]

    @property
    def sent(self) -> list[str]:
        """The kinds of the messages about this class in order."""
        query = select(messages.c.kind).where(messages.c.lesson_id == self.lesson)
        return [row[0] for row in self.given.rows(query.order_by(messages.c.id))]

    def bodies(self, kind: str) -> list[Event]:
        """Return the messages of a kind about this class."""
        query = select(messages.c.body).where(
            messages.c.lesson_id == self.lesson, messages.c.kind == kind
        )
        return [json.loads(row[0]) for row in self.given.rows(query.order_by(messages.c.id))]

    def of_person(self, kind: str) -> list[Event]:
        """Return the messages of a kind about the teacher, which belong to no class."""
        query = select(messages.c.body).where(
            messages.c.stream == f"person:{self.teacher}", messages.c.kind == kind
        )
        return [json.loads(row[0]) for row in self.given.rows(query.order_by(messages.c.id))]
