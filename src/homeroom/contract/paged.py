"""What every address of the read-back has: a path, a query and rows, most of them in pages."""

from dataclasses import dataclass
from typing import Annotated

from homeroom.contract.shown import Shown
from homeroom.contract.wire import IDENT, INSTANT, STRICT_FLAG, TEXT, Param, Wire, between

MOST = 1000
USUAL = 100
ROOT = "/admin/v1"

SID = IDENT.named("SID")
LIMIT = Param(between(1, MOST), f"rows a page, 1 to {MOST}")
CURSOR = Param(TEXT.read, "what `next` of the page before said")
SINCE = Param(INSTANT.read, "beginTime is this or later; seconds since 1970 UTC", ("from",))
UNTIL = Param(INSTANT.read, "beginTime is before this; seconds since 1970 UTC", ("to",))
DELETED = Param(STRICT_FLAG.read, "0 leaves the deleted ones out, 1 the others")


class Paged(Wire, frozen=True, kw_only=True):
    """Which part of a list; every list takes it."""

    limit: Annotated[int, LIMIT] = USUAL
    cursor: Annotated[str | None, CURSOR] = None


@dataclass(frozen=True)
class ReadBack:
    """One address of the read-back."""

    name: str
    """Its name in generated clients."""
    path: str
    title: str
    query: type[Wire]
    row: type[Shown]
    order: str = ""
    """The order of the list, in words; empty for what is no list."""

    @property
    def has_table(self) -> bool:
        """Tell whether it may be had as a table for a spreadsheet, too."""
        return "format" in self.query.__struct_fields__
