"""A request of the read-back, its filters, and conversions that all lists share."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import msgspec

from homeroom.base.ids import SchoolId
from homeroom.contract.params import Params
from homeroom.contract.rows import Switch
from homeroom.domain.streams import StreamFacts
from homeroom.domain.webcasts import Hosts
from homeroom.store.engine import SQLValue
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
    "group_name": "name",
    "file_name": "name",
    "name": "name",
}
FILTER_NAMES = {
    "course_id": "course",
    "class_id": "lesson",
    "course_unique_identity": "identity",
    "main_teacher_uid": "teacher",
    "teacher_uid": "teacher",
    "assistant_uid": "helper",
    "student_uid": "student",
    "label_id": "label",
    "group_id": "grouping",
    "unit_id": "unit",
    "activity_id": "activity",
    "parent_id": "parent",
    "folder_id": "folder",
    "identity": "role",
}
"""Names of filters: on the wire, and in the store where they differ."""


class ReadBackContext(msgspec.Struct, frozen=True):
    """Dependencies of the read-back other than the store."""

    deps: Dependencies
    hosts: Hosts
    get_stream_facts: Callable[[str], StreamFacts | None]
    """Returns the media engine's facts about a running stream, by its name."""


class ReadBackRequest(msgspec.Struct, frozen=True):
    """A request of the read-back, authorized and parsed."""

    uow: UnitOfWork
    context: ReadBackContext
    scope: SchoolId | None
    """The school whose rows are listed; None: all schools."""
    reader: SchoolId | None
    """The school that reads, which sees the accounts that it named; None: the operator sees all."""
    query: Params
    path_id: int
    """The id in the path; 0 if the path has none."""
    page: PageRequest

    def build_filters(self) -> Filters:
        """Return the filters for the store: the query parameters and the scope."""
        filters: dict[str, SQLValue] = {}
        for name, value in msgspec.structs.asdict(self.query).items():
            if value is None or name in NON_FILTER_PARAMS:
                continue
            if name in SUBSTRING_FILTERS:
                filters[SUBSTRING_FILTERS[name]] = like_pattern(value)
            elif name == "account":
                filters |= {"email": value.lower()} if "@" in value else {"telephone": value}
                if self.reader is not None:
                    filters["reader"] = self.reader
            else:
                filters[FILTER_NAMES.get(name, name)] = (
                    int(value) if isinstance(value, bool) else value
                )
        if self.scope is not None:
            filters[SCHOOL] = self.scope
        return filters


def map_page(page: Page[S], convert: Callable[[S], T]) -> Page[T]:
    """Return a page with its rows converted."""
    return Page([convert(row) for row in page.rows], page.next, page.order)


def not_found_error(noun: str, name: str, number: int) -> HTTPError:
    """Return a 404 error for a thing outside the scope of the token."""
    detail = f"{name}: the token sees no {noun} {number}"
    return HTTPError(HTTPStatus.NOT_FOUND, detail, parameter=name)


def get_account(person: PersonRecord) -> str | None:
    """Return the account name for login: telephone number, or e-mail address."""
    return person.telephone or person.email


def is_cancelled(person: PersonRecord) -> Switch:
    """Return 1 if an account is cancelled, else 0."""
    return to_switch(person.cancelled_at is not None)


def to_switch(value: object) -> Switch:
    """Return 1 for a true value, else 0."""
    return 1 if value else 0
