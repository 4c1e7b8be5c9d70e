"""The inbox of the sandbox in tests: waits for messages, with or without an endpoint."""

import json
import time
from math import ceil
from types import TracebackType
from typing import Final, Self

from homeroom.receive import ReceivedMessage, parse
from homeroom.testing.sandbox import SandboxClient

WAIT_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 1
"""Longest time of one request of a wait."""
MAX_READ: Final = 500
"""Messages of one request."""
ID_TIME_DIGITS: Final = 8
"""Digits of an id that are the time; the others are the number of the message."""
MAX_LISTED: Final = 20
"""Messages that the error of a wait names."""


class Inbox:
    """Reads the messages of one school, or of all schools of a server."""

    def __init__(self, url: str, sid: int = 0) -> None:
        self._sandbox = SandboxClient(url)
        self._sid = sid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def read(
        self,
        kind: str | None = None,
        *,
        class_id: int | None = None,
        after: str = "",
        wait: int = 0,
    ) -> list[ReceivedMessage]:
        """Return the first messages, in order: of a kind by its name, of a class.

        `after` is the id of a message: only later ones are returned. With `wait` it waits for the
        first one, for some seconds.
        """
        number = int(after[ID_TIME_DIGITS:], 16) if after else 0
        query: dict[str, str | int] = {"limit": MAX_READ, "wait": wait, "after": number}
        if kind is not None:
            query["kind"] = kind
        if class_id is not None:
            query["class"] = class_id
        rows = self._sandbox.messages(self._sid, **query)
        return [
            parse(json.dumps(row["body"] | {"_id": row["_id"], "TimeStamp": row["at"]}).encode())
            for row in rows
        ]

    def wait_for(
        self,
        kind: str,
        *,
        class_id: int | None = None,
        after: str = "",
        seconds: float = WAIT_SECONDS,
    ) -> ReceivedMessage:
        """Return the first message of a kind, by its name as `class_summary`, of a class.

        `after` is the id of a message that it must follow. Raises `AssertionError` with what came
        instead, if none comes in some seconds.
        """
        deadline = time.monotonic() + seconds
        while True:
            wait = min(LOOK_SECONDS, ceil(max(deadline - time.monotonic(), 0)))
            messages = self.read(kind, class_id=class_id, after=after, wait=wait)
            if messages:
                return messages[0]
            if time.monotonic() >= deadline:
                came = [_describe(message) for message in self._read_all()[-MAX_LISTED:]]
                where = f" of class {class_id}" if class_id is not None else ""
                raise AssertionError(
                    f"no {kind}{where} within {seconds:g} s; came: {', '.join(came) or 'nothing'}"
                )

    def _read_all(self) -> list[ReceivedMessage]:
        messages = page = self.read()
        while len(page) == MAX_READ:
            page = self.read(after=page[-1].id)
            messages = [*messages, *page]
        return messages

    def close(self) -> None:
        """Close the connection."""
        self._sandbox.close()


def _describe(message: ReceivedMessage) -> str:
    lesson = message.fields.get("ClassID")
    name = message.kind.value if message.kind is not None else str(message.command)
    return f"{name} of class {lesson}" if lesson is not None else name
