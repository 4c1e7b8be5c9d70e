"""A client of the partner API: it signs forms and returns responses as they come."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx

from homeroom.base.clock import Clock
from homeroom.contract.action import APIPath

TIMEOUT_SECONDS: Final = 30
DRIVE_ACTIONS: Final = frozenset({"getTopFolderId", "createFolder"})

Value = str | int | list[Any] | dict[str, Any] | None
"""A field of a form: lists and objects travel as JSON, None is left out."""


@dataclass(frozen=True)
class PartnerReply:
    """A response of the partner API."""

    status: int
    """The HTTP status: 200 for every errno; 503 when the server cannot answer now."""
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def errno(self) -> int:
        """The errno at the top."""
        return int(self.body["error_info"]["errno"])

    @property
    def data(self) -> Any:  # noqa: ANN401  each action has its own
        """The value of `data`."""
        return self.body["data"]

    @property
    def errnos(self) -> list[int]:
        """The errno of each entry of a batch."""
        return [entry["errno"] for entry in self.data]

    @property
    def reason(self) -> str:
        """The reason in plain English; empty on success, unless something had no effect."""
        return self.headers.get("x-homeroom-reason", "")

    @property
    def ignored(self) -> str:
        """The names of fields that the action does not know; empty if it knows all."""
        return self.headers.get("x-homeroom-ignored", "")


class PartnerClient:
    """Calls the partner API as one school."""

    def __init__(self, url: str, sid: int, secret: str, clock: Clock) -> None:
        self.url = url
        self.sid = sid
        self.secret = secret
        self.clock = clock
        self._http = httpx.Client(base_url=url, timeout=TIMEOUT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def signed(self, **fields: Value) -> dict[str, str]:
        """Return a form with its credentials."""
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

    def call(self, action: str, **fields: Value) -> PartnerReply:
        """Send a signed call and return its response."""
        return self.post(action, data=self.signed(**fields))

    def upload(self, action: str, picture: bytes, **fields: Value) -> PartnerReply:
        """Send a signed call with a picture, as a multipart form."""
        files = {"Filedata": ("picture", picture)}
        return self.post(action, data=self.signed(**fields), files=files)

    def post(self, action: str, **request: Any) -> PartnerReply:  # noqa: ANN401  httpx's own parameters
        """Send a request with the parameters of `httpx.Client.post`, unsigned."""
        path = APIPath.CLOUD if action in DRIVE_ACTIONS else APIPath.COURSE
        return self.post_to(path, action, **request)

    def post_to(self, path: APIPath, action: str, **request: Any) -> PartnerReply:  # noqa: ANN401  httpx's own parameters
        """Send a request to an address, as `post` does."""
        response = self._http.post(str(path), params={"action": action}, **request)
        return PartnerReply(response.status_code, response.json(), response.headers)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
