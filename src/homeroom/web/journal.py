"""The journal: the last requests of the partner API, for an integrator to inspect."""

from collections import deque
from collections.abc import Mapping
from itertools import islice
from typing import Protocol

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId
from homeroom.base.text import format_count
from homeroom.base.values import Value

MAX_ENTRIES = 1000
MAX_NAME_LENGTH = 100
MAX_VALUE_LENGTH = 2000
MAX_FORM_LENGTH = 20_000
"""Characters of one request in the journal: a thousand entries must not fill the memory."""
SECRET_FIELDS = frozenset({"safekey", "x-eeo-sign", "password", "md5pass", "userjson", "secret"})
"""In lower case: a name that is spelled wrong holds the same secret."""
MASK = "***"


class JournalEntry(Value, frozen=True):
    """One request and its answer."""

    request_id: str
    at: Moment
    action: str
    school: SchoolId | None
    """The school that signed the request."""
    claimed_school: int | None
    """The SID that an unproven request names."""
    address: str
    fields: dict[str, str]
    errno: int | None
    """None: the connection was dropped."""
    reason: str
    milliseconds: float
    ignored: tuple[str, ...] = ()
    """Names of fields that the action does not know."""


class JournalWriter(Protocol):
    """The journal, as each process of a server writes to it."""

    def write(self, entry: JournalEntry) -> None:
        """Add a request."""


class Journal:
    """The last requests, newest last."""

    def __init__(self) -> None:
        self._entries: deque[JournalEntry] = deque(maxlen=MAX_ENTRIES)

    def write(self, entry: JournalEntry) -> None:
        """Add a request."""
        self._entries.append(entry)

    def last(
        self, limit: int, school: SchoolId | None = None, action: str | None = None
    ) -> list[JournalEntry]:
        """Return the last requests, newest first: of a school and an action, if named.

        Those of a school include requests that name it and are not signed by it.
        """
        chosen = (
            entry
            for entry in reversed(self._entries)
            if school in (None, entry.school, entry.claimed_school)
            and action in (None, entry.action)
        )
        return list(islice(chosen, limit))


def mask_form(fields: Mapping[str, object]) -> dict[str, str]:
    """Return a form for the journal: secrets masked, long values cut, files as their size.

    What is neither a text nor a file is a value of a JSON body, and is shown as JSON.
    """
    masked: dict[str, str] = {}
    left = MAX_FORM_LENGTH
    for name, value in fields.items():
        text = _mask_value(name, value)[: min(MAX_VALUE_LENGTH, left)]
        masked[name[:MAX_NAME_LENGTH]] = text
        left -= min(left, len(name[:MAX_NAME_LENGTH]) + len(text))
    return masked


def _mask_value(name: str, value: object) -> str:
    if name.lower() in SECRET_FIELDS:
        return MASK
    if isinstance(value, str):
        return value
    size = getattr(value, "size", None)
    if size is None:
        return msgspec.json.encode(value).decode()
    return f"<file of {format_count(size, 'byte')}>"
