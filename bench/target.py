"""The server under test: `homeroom serve` as a process, with a school prepared on the wire."""

import json
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.cpu import ServerCPU, read_server_cpu
from bench.load import NUMBER
from bench.versions import CURRENT, ROOT, Version
from homeroom.base.clock import DAY, HOUR, SystemClock
from homeroom.base.keys import KeyGenerator, md5_hex
from homeroom.base.settings import Settings
from homeroom.contract.action import APIPath
from homeroom.folder import open_store
from homeroom.usecases import schools
from homeroom.usecases.dependencies import Dependencies
from tests.support.wire import Partner, Value

PAGE = resource.getpagesize()
COURSES = 32
_NUMBERS = count(1)


@dataclass(frozen=True)
class Account:
    """A school of the database, as a partner knows it."""

    sid: int
    secret: str

    def partner(self, port: int) -> Partner:
        return Partner(f"http://127.0.0.1:{port}", self.sid, self.secret, SystemClock())


@dataclass(frozen=True)
class Place:
    """A course and who teaches it."""

    course: int
    teacher: int


@dataclass(frozen=True)
class Target:
    """A running server."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: Path

    def cpu(self) -> ServerCPU:
        """Return the processor time used so far."""
        return read_server_cpu(self.process.pid)

    def resident_mb(self) -> float:
        """Return the resident memory of the process, without its children."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * PAGE / 2**20


def new_school(settings: Settings) -> Account:
    """Make a school, as an operator does."""
    with open_store(settings) as store:
        deps = Dependencies(KeyGenerator(), "", 0)
        school = store.write(lambda uow: schools.create(uow, deps, "Bench"))
    return Account(school.id, school.secret)


def serving(
    settings: Settings, version: Version = CURRENT, workers: int = 1
) -> AbstractContextManager[Target]:
    """Run a server until the block ends."""
    command = version.command(*serve_words(settings, workers))
    return running(command, settings.data / "bench.log", version.environment())


def serve_words(settings: Settings, workers: int = 1) -> list[str]:
    """Return the command that serves a database at free ports."""
    words = ["serve", "--port", "0", "--rtmp-port", "0", "--media-port", "0"]
    if workers > 1:
        words += ["--workers", str(workers)]
    return [*words, *database_options(settings)]


def database_options(settings: Settings) -> list[str]:
    """Return the options of a command that name the data."""
    options = ["--data", str(settings.data)]
    return [*options, "--database", settings.database] if settings.database else options


@contextmanager
def running(command: list[str], log: Path, environment: dict[str, str]) -> Iterator[Target]:
    """Run a process that prints its address, until the block ends."""
    # A bench that is killed cannot end it.
    setpriv = shutil.which("setpriv")
    dies_with_us = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*dies_with_us, *command],
            stdout=subprocess.PIPE,
            stderr=output,
            env=environment,
            cwd=ROOT,
        )
    try:
        yield Target(process, _port(process, log), log)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _port(process: "subprocess.Popen[bytes]", log: Path) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        _, separator, address = line.decode().partition("http://")
        if separator:
            return int(address.strip().rstrip("/").rpartition(":")[2])
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-3000:]}")


def create_places(partner: Partner, courses: int = COURSES) -> list[Place]:
    """Make courses, each with a teacher, by partner calls."""
    return [
        Place(
            _done(partner, "addCourse", courseName="Course", courseUniqueIdentity=f"c{number}"),
            _done(
                partner,
                "register",
                telephone=str(13_900_000_000 + partner.sid * 1000 + next(_NUMBERS)),
                md5pass="0" * 32,
                addToSchoolMember=2,
            ),
        )
        for number in range(courses)
    ]


def _done(partner: Partner, action: str, **fields: Value) -> int:
    reply = partner.call(action, **fields)
    assert reply.errno == 1, (reply.body, reply.reason)
    return int(reply.data)


def signature(account: Account) -> dict[str, str]:
    """Return the fields that say who calls."""
    now = str(SystemClock().now())
    return {"SID": str(account.sid), "safeKey": md5_hex(account.secret + now), "timeStamp": now}


def lesson_form(account: Account, place: Place) -> dict[str, str]:
    """Return a signed form of a class, 18 fields as clients in the field send them."""
    return {**signature(account), "courseId": str(place.course), **lesson_fields(place)}


def lesson_fields(place: Place) -> dict[str, str]:
    """Return the fields of a class, of a call or of an entry of a batch."""
    now = SystemClock().now()
    return {
        "className": "数学 lesson",
        "beginTime": str(now + DAY),
        "endTime": str(now + DAY + HOUR),
        "teacherUid": str(place.teacher),
        "courseUniqueIdentity": NUMBER.decode(),
        "seatNum": "7",
        "isAutoOnstage": "1",
        "isHd": "0",
        "record": "1",
        "live": "1",
        "replay": "1",
        "watchByLogin": "0",
        "allowUnloggedChat": "1",
        "classIntroduce": "Fractions, and what they are good for",
    }


def request(action: str, form: dict[str, str]) -> str:
    """Return a whole HTTP request, ready to be sent."""
    body = urlencode(form, safe=NUMBER.decode())
    return (
        f"POST {APIPath.COURSE}?action={action} HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )


def json_request(path: str, account: Account, body: dict[str, Any]) -> str:
    """Return a whole signed request of the v2 wire; its numbers and texts are all signed."""
    stamp = str(SystemClock().now())
    signed = {**body, "sid": account.sid, "timeStamp": stamp}
    members = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
    content = json.dumps(body, ensure_ascii=False)
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-EEO-UID: {account.sid}\r\nX-EEO-TS: {stamp}\r\n"
        f"X-EEO-SIGN: {md5_hex(f'{members}&key={account.secret}')}\r\n"
        f"Content-Length: {len(content.encode())}\r\n\r\n{content}"
    )


def lesson_requests(account: Account, places: list[Place]) -> list[str]:
    return [request("addCourseClass", lesson_form(account, place)) for place in places]


def roster_request(
    account: Account, place: Place, action: str, entries: dict[str, list[Any]]
) -> str:
    """Return a request that adds people to a course or takes them out."""
    return request(action, roster_form(account, place.course, entries))


def roster_form(account: Account, course: int, entries: dict[str, list[Any]]) -> dict[str, str]:
    """Return the form of such a request, its lists without blanks."""
    lists = {name: json.dumps(entry, separators=(",", ":")) for name, entry in entries.items()}
    return {**signature(account), "courseId": str(course), "identity": "1", **lists}
