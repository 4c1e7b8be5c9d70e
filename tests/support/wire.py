"""The wire as a client in the field speaks it: signed forms, and answers as they come."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from homeroom.base.clock import Clock

Value = str | int | list[Any] | dict[str, Any] | None
CLOUD: Final = frozenset({"getTopFolderId", "createFolder"})
FAULT_REASON: Final = "fault "


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def errno(self) -> int:
        """The number at the top."""
        return int(self.body["error_info"]["errno"])

    @property
    def data(self) -> Any:  # noqa: ANN401  each action has its own
        """What stands under data."""
        return self.body["data"]

    @property
    def errnos(self) -> list[int]:
        """The numbers of the entries of a batch."""
        return [entry["errno"] for entry in self.data]

    @property
    def reason(self) -> str:
        """The plain English reason, empty for success."""
        return self.headers.get("x-homeroom-reason", "")


@dataclass
class Observed:
    """Every (action, errno, cause) that was seen on the wire."""

    pairs: set[tuple[str, int, str]] = field(default_factory=set)

    def see(self, action: str, reply: Reply) -> None:
        """Write down what an answer shows."""
        cause = "fault" if reply.reason.startswith(FAULT_REASON) else "natural"
        self.pairs.add((action, reply.errno, cause))
        data = reply.body.get("data")
        for entry in data if isinstance(data, list) else ():
            self.pairs.add((action, entry["errno"], cause))

    def keep(self, folder: Path) -> None:
        """Leave what was seen in a folder, under a name that no other process takes."""
        (folder / f"{os.getpid()}.json").write_text(json.dumps(sorted(self.pairs)))


OBSERVED: Final = Observed()


class Partner:
    """Calls the partner API as one school."""

    def __init__(self, url: str, sid: int, secret: str, clock: Clock) -> None:
        self.url = url
        self.sid = sid
        self.secret = secret
        self.clock = clock
        self._http = httpx.Client(base_url=url, timeout=30)

    def signed(self, **fields: Value) -> dict[str, str]:
        """Return a form with its credentials; lists travel as JSON, None is left out."""
        stamp = str(self.clock.now())
        credentials = {
            "SID": str(self.sid),
            "safeKey": hashlib.md5((self.secret + stamp).encode()).hexdigest(),  # noqa: S324  the API's own
            "timeStamp": stamp,
        }
        texts = {
            name: value if isinstance(value, str) else json.dumps(value)
            for name, value in fields.items()
            if value is not None
        }
        return {**credentials, **texts}

    def call(self, action: str, **fields: Value) -> Reply:
        """Make a signed call and return its answer."""
        return self.post(action, data=self.signed(**fields))

    def upload(self, action: str, picture: bytes, **fields: Value) -> Reply:
        """Make a signed call with a file, as a multipart form."""
        files = {"Filedata": ("picture", picture)}
        return self.post(action, data=self.signed(**fields), files=files)

    def post(self, action: str, **request: Any) -> Reply:  # noqa: ANN401  httpx's own parameters
        """Send a request as it is."""
        door = "cloud" if action in CLOUD else "course"
        answer = self._http.post(
            f"/partner/api/{door}.api.php", params={"action": action}, **request
        )
        reply = Reply(answer.status_code, answer.json(), answer.headers)
        OBSERVED.see(action, reply)
        return reply

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()
