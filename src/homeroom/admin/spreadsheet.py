"""Viewers as CSV (RFC 4180), in UTF-8 that Excel recognizes."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import StringIO
from zoneinfo import ZoneInfo

import msgspec

from homeroom.base.ids import SchoolId
from homeroom.contract.viewers import ViewerRow
from homeroom.domain.schools import load_time_zone
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import schools

BYTE_ORDER_MARK = "\ufeff"
"""Without it Excel reads the file in the local encoding of the machine."""
FORMULA_PREFIXES = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""First characters of a formula, also in the full width of Chinese input."""
_FIELDS = msgspec.structs.fields(ViewerRow)
_TIME_FIELDS = frozenset(("begin_time", "first_seen", "last_seen"))


def format_heading() -> str:
    """Return the byte order mark and the header line."""
    return BYTE_ORDER_MARK + _write_csv([[field.encode_name for field in _FIELDS]])


def format_lines(uow: UnitOfWork, rows: Sequence[ViewerRow]) -> str:
    """Return the lines of viewers, with times in the time zone of their school."""
    school_rows = {row.sid: schools.find(uow, SchoolId(row.sid)) for row in rows}
    zones = {
        sid: load_time_zone(school.plan.time_zone)
        for sid, school in school_rows.items()
        if school is not None
    }
    return _write_csv(
        [_format_cell(field.name, getattr(row, field.name), zones[row.sid]) for field in _FIELDS]
        for row in rows
    )


def _format_cell(name: str, value: int | str | None, time_zone: ZoneInfo) -> int | str | None:
    if isinstance(value, str) and value.startswith(FORMULA_PREFIXES):
        return f"'{value}"
    if name in _TIME_FIELDS and isinstance(value, int):
        return datetime.fromtimestamp(value, time_zone).replace(tzinfo=None).isoformat(" ")
    return value


def _write_csv(rows: Iterable[Iterable[object]]) -> str:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
