"""A client of the sandbox, of a server in a thread or anywhere else: clock, faults, journal."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

import httpx

TIMEOUT_SECONDS: Final = 30


class SandboxClient:
    """The sandbox of a running server; an HTTP error raises `httpx.HTTPStatusError`."""

    def __init__(self, url: str, **client: Any) -> None:  # noqa: ANN401  httpx's own parameters
        options = {"timeout": TIMEOUT_SECONDS, "verify": url.startswith("https:"), **client}
        self.http = httpx.Client(base_url=f"{url}/sandbox", **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def clock(self) -> dict[str, int]:
        """Return the state of the clock."""
        state: dict[str, int] = self.http.get("/clock").raise_for_status().json()
        return state

    def move(self, **body: int) -> dict[str, int]:
        """Move the clock by `advance` seconds or to the moment `now`; return its state.

        With `step`, it is advanced by so many seconds at a time.
        """
        state: dict[str, int] = self.http.post("/clock", json=body).raise_for_status().json()
        return state

    def fault(self, **body: object) -> int:
        """Add a fault, with the fields of POST /sandbox/faults, and return its id."""
        response = self.http.post("/faults", json=body).raise_for_status()
        return int(response.json()["id"])

    def clear_faults(self) -> None:
        """Remove all faults that have not happened yet."""
        self.http.delete("/faults").raise_for_status()

    def reset(self, sid: int, to: str = "empty") -> dict[str, int]:
        """Empty a school, or fill it again with `to="demo"`; return the removed counts."""
        response = self.http.post("/reset", json={"sid": sid, "to": to}).raise_for_status()
        removed: dict[str, int] = response.json()["removed"]
        return removed

    def journal(self, **query: str | int) -> list[dict[str, Any]]:
        """Return the last requests, newest first."""
        response = self.http.get("/journal", params=query).raise_for_status()
        requests: list[dict[str, Any]] = response.json()["requests"]
        return requests

    def messages(self, sid: int, **query: str | int) -> list[dict[str, Any]]:
        """Return the messages of a school: `kind`, `class`, `after`, `limit`, `wait` (seconds)."""
        response = self.http.get("/messages", params={"sid": sid, **query}).raise_for_status()
        messages: list[dict[str, Any]] = response.json()["messages"]
        return messages

    def emit(self, sid: int, kind: str, **body: object) -> None:
        """Send a message of a kind, with the fields of POST /sandbox/messages."""
        response = self.http.post("/messages", json={"sid": sid, "kind": kind, **body})
        response.raise_for_status()

    def play(self, sid: int, class_id: int, script: Sequence[object] | str) -> dict[str, Any]:
        """Play a script on a class; return who is inside and what is to come."""
        body = {"sid": sid, "classId": class_id, "script": script}
        state: dict[str, Any] = self.http.post("/classroom", json=body).raise_for_status().json()
        return state

    def classroom(self, sid: int, class_id: int) -> dict[str, Any]:
        """Return who is inside a class, and what of its script is to come."""
        response = self.http.get("/classroom", params={"sid": sid, "class": class_id})
        state: dict[str, Any] = response.raise_for_status().json()
        return state

    def drop_script(self, sid: int, class_id: int) -> int:
        """Drop what of the script of a class has not happened, and return its size."""
        response = self.http.delete("/classroom", params={"sid": sid, "class": class_id})
        return int(response.raise_for_status().json()["dropped"])

    def close(self) -> None:
        """Close the connection."""
        self.http.close()
