"""A request of the read-back: from what was asked to filters, and what all answers share."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

import msgspec

from homeroom.base.ids import SchoolId
from homeroom.contract.params import Params
from homeroom.contract.rows import Switch
from homeroom.domain.streams import StreamFacts
from homeroom.domain.webcasts import Hosts
from homeroom.store.engine import Value
from homeroom.store.paging import SCHOOL, Filters, Page, PageRequest, like_pattern
from homeroom.store.readback_records import PersonRecord
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.problems import HTTPError

S = TypeVar("S")
T = TypeVar("T")

OURSELVES = {"limit", "cursor", "sid", "format"}
PARTS = {"course_name": "name", "class_name": "name", "label_name": "name", "folder_name": "name"}
NAMES = {
    "course_id": "course",
    "class_id": "lesson",
    "course_unique_identity": "identity",
    "main_teacher_uid": "teacher",
    "teacher_uid": "teacher",
    "assistant_uid": "helper",
    "label_id": "label",
    "parent_id": "parent",
    "identity": "role",
}
"""Where the store calls a filter by another name than the wire."""


@dataclass(frozen=True, slots=True)
class Around:
    """What answers need besides the store."""

    deps: Dependencies
    hosts: Hosts
    facts: Callable[[str], StreamFacts | None]
    """What the media engine says of a stream that runs, by its name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the read-back."""

    uow: UnitOfWork
    around: Around
    scope: SchoolId | None
    query: Params
    path: int
    """The id in the path; 0 where the path has none."""
    span: PageRequest

    def filters(self) -> Filters:
        """Return what the store filters by: what was asked, and the school."""
        given: dict[str, Value] = {}
        for name, value in msgspec.structs.asdict(self.query).items():
            if value is None or name in OURSELVES:
                continue
            if name in PARTS:
                given[PARTS[name]] = like_pattern(value)
            elif name == "account":
                given |= {"email": value.lower()} if "@" in value else {"telephone": value}
            else:
                given[NAMES.get(name, name)] = int(value) if isinstance(value, bool) else value
        if self.scope is not None:
            given[SCHOOL] = self.scope
        return given


def each(page: Page[S], show: Callable[[S], T]) -> Page[T]:
    """Return a page with its rows as the wire has them."""
    return Page([show(row) for row in page.rows], page.next, page.order)


def missing(what: str, name: str, number: int) -> HTTPError:
    """Return what is said where the token sees no such thing."""
    detail = f"{name}: the token sees no {what} {number}"
    return HTTPError(HTTPStatus.NOT_FOUND, detail, parameter=name)


def account(person: PersonRecord) -> str | None:
    """Return the name by which somebody logs in."""
    return person.telephone or person.email


def is_cancelled(person: PersonRecord) -> Switch:
    """Tell whether an account was cancelled."""
    return switch(person.cancelled_at is not None)


def switch(value: object) -> Switch:
    """Return 1 for what is true or there, 0 otherwise."""
    return 1 if value else 0
