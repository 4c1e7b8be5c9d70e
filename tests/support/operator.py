"""An operator beside a running server: typed commands, and a school to see their effect on."""

import json
import time
from typing import Any, Final

import httpx
import pytest

from homeroom.base.clock import HOUR, SystemClock
from homeroom.contract.errno import Errno
from tests.support.process import CommandFailed, Process, typed
from tests.support.wire import Partner, Value

LET_IN: Final = Errno.COURSE_NOT_IN_SCHOOL
"""The answer of an authenticated call about the demo school's course."""


class School:
    """A school of its own on the running server, made by the command."""

    def __init__(self, server: Process) -> None:
        self.server = server
        made = run_json(server, "school", "create", "--name", "学校")
        self.sid, self.secret = made["sid"], made["secret"]
        self.api = Partner(server.url, self.sid, self.secret, SystemClock())
        self.people = 0

    def done(self, action: str, **fields: Value) -> Any:  # noqa: ANN401  each action has its own data
        """Make a call that must answer 1, and return its data."""
        reply = self.api.call(action, **fields)
        assert reply.errno == 1, (action, reply.body, reply.reason)
        return reply.body.get("data")

    def errno(self, action: str, **fields: Value) -> int:
        """Make a call and return the number it answers."""
        return self.api.call(action, **fields).errno

    def soon(self, errno: Errno) -> bool:
        """Return whether calls get this errno, once the authenticator's cache expires (50 ms)."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            if self.errno("getWebcastUrl", courseId=1) == errno.number:
                return True
        return False

    def person(self, role: int) -> int:
        """Register a user as a student (1) or a teacher (2)."""
        self.people += 1
        phone = f"139{self.sid % 1000:04}{self.people:04}"
        return int(self.done("register", telephone=phone, md5pass="0" * 32, addToSchoolMember=role))

    def set(self, *pairs: str) -> dict[str, Any]:
        """Run `school set` and return the plan it tells."""
        return dict(run_json(self.server, "school", "set", str(self.sid), *pairs)["plan"])

    def course(self) -> int:
        return int(self.done("addCourse", courseName="Course"))

    def form(self, **fields: Value) -> dict[str, Value]:
        """Return the parameters of a class that can be added, beginning in an hour."""
        begin = told_now(self.server) + HOUR
        given: dict[str, Value] = {
            "className": "Class",
            "beginTime": begin,
            "endTime": begin + HOUR,
        }
        for name, make in (("courseId", self.course), ("teacherUid", lambda: self.person(2))):
            if name not in fields:
                given[name] = make()
        return given | fields


def run_json(server: Process, *args: str) -> Any:  # noqa: ANN401  each command has its own answer
    """Run a command with --json and return what it tells."""
    return json.loads(typed(*args, "--json", *server.where))


def told_now(server: Process) -> int:
    return int(httpx.get(f"{server.url}/sandbox/clock", trust_env=False).json()["now"])


def refused(server: Process, *args: str) -> str:
    """Run a command that must fail with one line on stderr, and return that line."""
    with pytest.raises(CommandFailed) as failed:
        typed(*args, *server.where)
    assert failed.value.code == 1
    assert failed.value.stdout == ""
    (line,) = failed.value.stderr.splitlines()
    return line
