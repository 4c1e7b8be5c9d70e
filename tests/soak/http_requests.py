"""Requests of every sort at every HTTP address of a server; most are wrong in some place.

The addresses come from the server's own table of routes, the fields of calls from the contract. A
seed always makes the same requests in the same order, up to ids and signatures.
"""

import json
import random
import time
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from starlette.routing import Mount, Route, WebSocketRoute

from homeroom.base.keys import md5_hex
from homeroom.contract.catalogue import ACTIONS
from homeroom.testing.server import ThreadedServer
from tests.support.process import Process
from tests.support.raw import FORM, MULTIPART, multipart
from tests.support.serving import build_whole_site

V1_ACTIONS: Final = [action for action in ACTIONS if not action.is_v2]
METHODS: Final = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "XYZZY")
WORDS: Final = (
    *("", "0", "1", "-1", "9" * 19, "9" * 400, "1.0", "true", "null", "[]", "{}", "[[1]]", "1,2"),
    *(
        "\x00",
        "\u202e",
        "数学",
        "🎓",
        "a" * 5_000,
        "' OR 1=1 --",
        "%s%n",
        "../../etc/passwd",
        "<script>",
    ),
    *(
        "[" * 200,
        '{"a":' * 200,
        "[1e999]",
        '"\\ud800"',
        "NaN",
        "2026-11-30",
        "+1 234",
        "a@b.example",
    ),
)
CONTENT_TYPES: Final[tuple[str, ...]] = (
    *("application/json", FORM, MULTIPART, "multipart/form-data", "text/plain", "application/sdp"),
    *("application/json; charset=utf-16", "", "x" * 300, "application/gzip"),
)
QUERIES: Final = (
    *("action", "lessonKey", "courseKey", "lessonid", "lang", "limit", "after", "cursor", "sid"),
    *(
        "classId",
        "courseId",
        "uid",
        "format",
        "from",
        "until",
        "nickname",
        "account",
        "authTimestamp",
    ),
)
MEMBERS: Final = (
    *("account", "password", "ticket", "telephone", "nickname", "action", "errno", "sid"),
    *("advance", "freeze", "set", "to", "times", "lang", "text", "entries"),
)
BROKEN: Final = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 3_000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nB: " + b"c" * 80_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n folded: line\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)
UPGRADES: Final = (
    (b"Connection", b"Upgrade, HTTP2-Settings"),
    (b"Upgrade", b"h2c"),
    (b"HTTP2-Settings", b"AAMAAABkAARAAAAAAAIAAAAA"),
)


class FuzzRequest(NamedTuple):
    """A request as bytes."""

    data: bytes
    may_close: bool = False
    """Whether a closed connection is an answer to it: it is no HTTP."""


class Endpoint(NamedTuple):
    """An address with its parameters in braces, and the methods that it takes."""

    path: str
    methods: tuple[str, ...]


def list_endpoints(server: ThreadedServer) -> list[Endpoint]:
    """Return every address that a server has beside the partner API."""
    endpoints = []
    for route in build_whole_site(server).routes:
        if isinstance(route, Mount):
            endpoints.append(Endpoint(f"{route.path}/{{name:path}}", ("GET",)))
        elif isinstance(route, Route):
            endpoints.append(Endpoint(route.path, tuple(sorted(route.methods or ()))))
        elif isinstance(route, WebSocketRoute):
            endpoints.append(Endpoint(route.path, ("GET",)))
    return endpoints


@dataclass
class Subject:
    """A server under test, and the values that name what it has."""

    process: Process
    endpoints: list[Endpoint]
    sid: int
    secret: str
    token: str
    names: dict[str, list[str]]
    """Values of the parameters of paths and queries, by name."""
    _signed: tuple[float, dict[str, str]] = (0.0, {})

    def sign(self) -> dict[str, str]:
        """Return credentials, made anew every minute."""
        if time.time() - self._signed[0] > 60:
            stamp = str(int(time.time()))
            safe_key = md5_hex(self.secret + stamp)
            self._signed = (
                time.time(),
                {"SID": str(self.sid), "safeKey": safe_key, "timeStamp": stamp},
            )
        return dict(self._signed[1])


class Requests:
    """Makes requests by chance; the seed decides."""

    def __init__(self, subject: Subject, seed: int) -> None:
        self._subject = subject
        self._random = random.Random(seed)
        self._host = urlsplit(subject.process.url).netloc

    def make(self) -> FuzzRequest:
        """Return the next request."""
        chance = self._random.random()
        if chance < 0.03:
            return FuzzRequest(self._random.choice(BROKEN), may_close=True)
        if chance < 0.05:
            data = bytearray(self._call())
            for _ in range(self._random.randint(1, 20)):
                place = self._random.randrange(min(len(data), 400))
                data[place] = self._random.randrange(256)
            return FuzzRequest(bytes(data), may_close=True)
        return FuzzRequest(self._call() if chance < 0.5 else self._visit())

    def _word(self) -> str:
        if self._random.random() < 0.2:
            return "".join(chr(self._random.randrange(1, 0x3000)) for _ in range(8))
        return self._random.choice(WORDS)

    def _value(self, name: str) -> str:
        values = self._subject.names.get(name)
        if values and self._random.random() < 0.7:
            return self._random.choice(values)
        return str(self._random.randrange(40)) if self._random.random() < 0.5 else self._word()

    def _call(self) -> bytes:
        action = self._random.choice(V1_ACTIONS)
        fields = list(self._subject.sign().items())
        if self._random.random() < 0.15:
            fields[self._random.randrange(3)] = (fields[0][0], self._word())
        for parameter in action.reader().fields:
            if self._random.random() < (0.9 if parameter.required else 0.3):
                name = self._random.choice(parameter.names)
                name += self._random.choice(["", "", "", "", "", "[]", "[0]", "_"])
                fields.append((name, self._value(name)))
        path = action.v1.path + "?action=" + quote(action.name)
        if self._random.random() < 0.15:
            safe = [("".join(filter(str.isalnum, name)), value) for name, value in fields]
            picture = self._random.choice([None, b"", b"no picture", b"\x89PNG" + bytes(500)])
            return self._post(path, MULTIPART, multipart(safe, file=picture))
        content_type = FORM if self._random.random() < 0.9 else self._random.choice(CONTENT_TYPES)
        return self._post(path, content_type, urlencode(fields, errors="replace").encode())

    def _visit(self) -> bytes:
        endpoint = self._random.choice(self._subject.endpoints)
        path = "/".join(
            quote(self._value(part[1:-1].partition(":")[0]), safe="/")[:2_000]
            if part.startswith("{")
            else part
            for part in endpoint.path.split("/")
        )
        names = self._random.sample(QUERIES, self._random.choice([0, 0, 1, 1, 2, 4]))
        query = urlencode([(name, self._value(name)) for name in names], errors="replace")[:4_000]
        method = self._random.choice(endpoint.methods)
        if self._random.random() < 0.1:
            method = self._random.choice(METHODS)
        body = b""
        if method not in {"GET", "HEAD"} or self._random.random() < 0.02:
            body = self._body(endpoint.path)
        content_type = self._random.choice(CONTENT_TYPES[:1] * 6 + CONTENT_TYPES)
        headers = [(b"Content-Type", content_type.encode())]
        return self._encode(method, f"{path}?{query}" if query else path, headers, body)

    def _body(self, path: str) -> bytes:
        if self._random.random() < 0.2:
            return self._random.randbytes(self._random.choice([0, 1, 10, 1_000, 100_000]))
        members: dict[str, Any] = {
            key: self._random.choice([self._value(key), self._random.randrange(200), None, True])
            for key in self._random.sample(MEMBERS, self._random.randint(0, 4))
        }
        if path == "/sandbox/clock":  # the years stay those in which a signature can be checked
            members = {"advance": self._random.choice([0, 1, -1, 60, "x", 10**30, [1]])}
        text = json.dumps(members)
        return (text if self._random.random() < 0.9 else text[: len(text) // 2]).encode()

    def _post(self, path: str, content_type: str, body: bytes) -> bytes:
        if self._random.random() < 0.02:
            body = body[: len(body) // 2]
        return self._encode("POST", path, [(b"Content-Type", content_type.encode())], body)

    def _encode(
        self, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> bytes:
        choose = self._random.random
        headers.append((b"Host", self._host.encode() if choose() < 0.97 else b"other.example"))
        if choose() < 0.5:
            token = self._subject.token if choose() < 0.8 else self._word()
            headers.append((b"Authorization", f"Bearer {quote(token)}".encode()))
        if choose() < 0.4:
            origin = self._subject.process.url if choose() < 0.8 else "https://evil.example"
            headers.append((b"Origin", origin.encode()))
        if choose() < 0.1:
            headers.append(
                (b"Range", self._random.choice([b"bytes=0-9", b"bytes=-5", b"bytes=9-1", b"x"]))
            )
        if choose() < 0.03:
            headers += UPGRADES
        if choose() < 0.03:
            headers.append(
                (b"X-Forwarded-For", self._random.choice([b"192.0.2.1", b"x, y", b"\xff"]))
            )
        if choose() < 0.1 and body:
            headers.append((b"Transfer-Encoding", b"chunked"))
            half = len(body) // 2
            parts = [part for part in (body[:half], body[half:]) if part]
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
        else:
            headers.append((b"Content-Length", str(len(body)).encode()))
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (method.encode(), path.encode(), lines, body)
