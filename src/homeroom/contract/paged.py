"""Addresses of the read-back: each has a path, a query and rows, most of them in pages."""

from dataclasses import dataclass
from typing import Annotated

from homeroom.base.ids import SchoolId
from homeroom.contract.params import (
    ID,
    STRICT_FLAG,
    TEXT,
    TIMESTAMP,
    Params,
    ParamType,
    read_number_between,
)
from homeroom.contract.rows import ReadBackRow

MAX_PAGE_ROWS = 1000
DEFAULT_PAGE_ROWS = 100
ROOT = "/admin/v1"

SID = ID.with_names("SID")
LIMIT = ParamType(read_number_between(1, MAX_PAGE_ROWS), f"rows a page, 1 to {MAX_PAGE_ROWS}")
CURSOR = ParamType(TEXT.read, "what `next` of the page before said")
SINCE = ParamType(TIMESTAMP.read, "beginTime is this or later; seconds since 1970 UTC", ("from",))
UNTIL = ParamType(TIMESTAMP.read, "beginTime is before this; seconds since 1970 UTC", ("to",))
ACCOUNT = ParamType(TEXT.read, "telephone number or e-mail address")
PART = ParamType(TEXT.read, "part of the name; capitals do not matter")
DELETED = ParamType(STRICT_FLAG.read, "0 leaves the deleted ones out, 1 the others")


class PageQuery(Params, frozen=True, kw_only=True):
    """Which part of a list; every list takes it."""

    limit: Annotated[int, LIMIT] = DEFAULT_PAGE_ROWS
    cursor: Annotated[str | None, CURSOR] = None


class SchoolsQuery(PageQuery, frozen=True, kw_only=True):
    """Which schools; lists of what schools have take it, too."""

    sid: Annotated[SchoolId | None, SID] = None


@dataclass(frozen=True)
class ReadBack:
    """One address of the read-back."""

    name: str
    """Its name in generated clients."""
    path: str
    title: str
    query: type[Params]
    row: type[ReadBackRow]
    order: str = ""
    """The order of the list, in words; empty for what is no list."""

    @property
    def has_table(self) -> bool:
        """Tell whether it may be had as a table for a spreadsheet, too."""
        return "format" in self.query.__struct_fields__
