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

NON_FILTER_PARAMS = {"limit", "cursor", "sid", "format"}
SUBSTRING_FILTERS = {
    "course_name": "name",
    "class_name": "name",
    "label_name": "name",
    "folder_name": "name",
}
FILTER_NAMES = {
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
class ReadBackContext:
    """What answers need besides the store."""

    deps: Dependencies
    hosts: Hosts
    get_stream_facts: Callable[[str], StreamFacts | None]
    """What the media engine says of a stream that runs, by its name."""


@dataclass(frozen=True, slots=True)
class ReadBackRequest:
    """One request of the read-back."""

    uow: UnitOfWork
    context: ReadBackContext
    scope: SchoolId | None
    query: Params
    path_id: int
    """The id in the path; 0 where the path has none."""
    page: PageRequest

    def build_filters(self) -> Filters:
        """Return what the store filters by: what was asked, and the school."""
        filters: dict[str, Value] = {}
        for name, value in msgspec.structs.asdict(self.query).items():
            if value is None or name in NON_FILTER_PARAMS:
                continue
            if name in SUBSTRING_FILTERS:
                filters[SUBSTRING_FILTERS[name]] = like_pattern(value)
            elif name == "account":
                filters |= {"email": value.lower()} if "@" in value else {"telephone": value}
            else:
                filters[FILTER_NAMES.get(name, name)] = (
                    int(value) if isinstance(value, bool) else value
                )
        if self.scope is not None:
            filters[SCHOOL] = self.scope
        return filters


def map_page(page: Page[S], convert: Callable[[S], T]) -> Page[T]:
    """Return a page with its rows as the wire has them."""
    return Page([convert(row) for row in page.rows], page.next, page.order)


def not_found_error(noun: str, name: str, number: int) -> HTTPError:
    """Return what is said where the token sees no such thing."""
    detail = f"{name}: the token sees no {noun} {number}"
    return HTTPError(HTTPStatus.NOT_FOUND, detail, parameter=name)


def get_account(person: PersonRecord) -> str | None:
    """Return the name by which somebody logs in."""
    return person.telephone or person.email


def is_cancelled(person: PersonRecord) -> Switch:
    """Tell whether an account was cancelled."""
    return to_switch(person.cancelled_at is not None)


def to_switch(value: object) -> Switch:
    """Return 1 for what is true or there, 0 otherwise."""
    return 1 if value else 0
