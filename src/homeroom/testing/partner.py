"""A client of the partner API: it signs calls of both wires and returns responses as they come."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import httpx

from homeroom.base.clock import Clock
from homeroom.contract.action import APIPath
from homeroom.contract.catalogue import ACTIONS
from homeroom.partner.signatures import sign_json

TIMEOUT_SECONDS: Final = 30
V1_PATHS: Final = {action.name: action.v1.path for action in ACTIONS if not action.is_v2}
V2_PATHS: Final = {action.name: action.v2.path for action in ACTIONS if action.is_v2}

Value = str | float | list[Any] | dict[str, Any] | None
"""A parameter: None is left out; in a form, lists and objects travel as JSON."""


@dataclass(frozen=True)
class PartnerReply:
    """A response of the partner API."""

    status: int
    """The HTTP status: 200 for every errno; 503 when the server cannot answer now."""
    body: dict[str, Any]
    headers: Mapping[str, str]

    @property
    def errno(self) -> int:
        """The errno at the top; on the v2 wire the code."""
        return int(self.body.get("code") or self.body["error_info"]["errno"])

    @property
    def data(self) -> Any:  # noqa: ANN401  each action has its own
        """The value of `data`."""
        return self.body["data"]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The entries of a batch: `data`, or the list in it; none without a result."""
        return find_entries(self.body.get("data"))

    @property
    def errnos(self) -> list[int]:
        """The errno of each entry of a batch."""
        return [entry["code" if "code" in self.body else "errno"] for entry in self.entries]

    @property
    def reason(self) -> str:
        """The reason in plain English; empty on success, unless something had no effect."""
        return self.headers.get("x-homeroom-reason", "")

    @property
    def ignored(self) -> str:
        """The names of fields that the action does not know; empty if it knows all."""
        return self.headers.get("x-homeroom-ignored", "")


def find_entries(data: object) -> list[dict[str, Any]]:
    """Return the entries of a batch from its `data`."""
    lists = data.values() if isinstance(data, dict) else (data,)
    return next((value for value in lists if isinstance(value, list)), [])


class PartnerClient:
    """Calls the partner API as one school."""

    def __init__(self, url: str, sid: int, secret: str, clock: Clock) -> None:
        self.url = url
        self.sid = sid
        self.secret = secret
        self.clock = clock
        # Reading the certificates takes 20 ms, which a server over HTTP needs not.
        self._http = httpx.Client(
            base_url=url, timeout=TIMEOUT_SECONDS, verify=url.startswith("https:")
        )

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

    def signed_json(self, **fields: Value) -> tuple[bytes, dict[str, str]]:
        """Return the body of a call of the v2 wire, and the headers that sign it."""
        body = {name: value for name, value in fields.items() if value is not None}
        content = json.dumps(body, ensure_ascii=False).encode()
        return content, self.sign(content)

    def sign(self, content: bytes) -> dict[str, str]:
        """Return the headers that sign a JSON object as the documentation says."""
        return sign_json(content, self.sid, self.secret, self.clock.now())

    def call(self, action: str, **fields: Value) -> PartnerReply:
        """Send a signed call, on the wire of the action, and return its response."""
        if action in V2_PATHS:
            content, headers = self.signed_json(**fields)
            return self.post(action, content=content, headers=headers)
        return self.post(action, data=self.signed(**fields))

    def upload(
        self, action: str, content: bytes | BinaryIO, name: str = "picture", /, **fields: Value
    ) -> PartnerReply:
        """Send a signed call with a file of some name, as a multipart form."""
        files = {"Filedata": (name, content)}
        return self.post(action, data=self.signed(**fields), files=files)

    def post(self, action: str, **request: Any) -> PartnerReply:  # noqa: ANN401  httpx's own parameters
        """Send a request with the parameters of `httpx.Client.post`, unsigned."""
        if action in V2_PATHS:
            response = self._http.post(V2_PATHS[action], **request)
            return PartnerReply(response.status_code, response.json(), response.headers)
        return self.post_to(V1_PATHS.get(action, APIPath.COURSE), action, **request)

    def post_to(self, path: APIPath, action: str, **request: Any) -> PartnerReply:  # noqa: ANN401  httpx's own parameters
        """Send a request of the v1 wire to an address, as `post` does."""
        response = self._http.post(str(path), params={"action": action}, **request)
        return PartnerReply(response.status_code, response.json(), response.headers)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()
