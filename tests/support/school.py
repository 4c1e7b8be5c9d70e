"""A demo school served by a process, as its scheduling, its teachers and its viewers use it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from homeroom.base.clock import HOUR, MINUTE, Clock, Moment
from tests.support import ffmpeg
from tests.support.engine import until
from tests.support.process import Process
from tests.support.wire import Partner, Reply, Value

OVERTIME: Final = 20 * MINUTE


class SandboxClock(Clock):
    """The clock that a running sandbox shows."""

    def __init__(self, url: str) -> None:
        self._url = url

    def now(self) -> Moment:
        """Return the moment it shows."""
        answer = httpx.get(f"{self._url}/sandbox/clock", trust_env=False, timeout=10)
        return int(answer.raise_for_status().json()["now"])


class School:
    """The demo school of a server."""

    def __init__(self, server: Process) -> None:
        self.server = server
        self.clock = SandboxClock(server.url)
        self.api = Partner(server.url, server.sid, server.secret, self.clock)
        self._token = server.token or server.cli("token", "create", "--name", "test").split()[-1]
        self.course: int = self.listed("courses")[0]["courseId"]
        self.teacher: int = self.listed("teachers")[0]["uid"]

    def shown(self, path: str) -> Any:  # noqa: ANN401  each list has its own
        """Return what read-back shows at an address."""
        answer = httpx.get(
            f"{self.server.url}/admin/v1/{path}",
            headers={"Authorization": f"Bearer {self._token}"},
            trust_env=False,
            timeout=10,
        )
        return answer.raise_for_status().json()

    def listed(self, path: str) -> list[dict[str, Any]]:
        """Return the rows of a list."""
        rows: list[dict[str, Any]] = self.shown(path)["data"]
        return rows

    def add(self, *, hours: float = 1, **fields: Value) -> Reply:
        """Create a class that begins in two minutes: its streams are open already."""
        begin = self.clock.now() + 2 * MINUTE
        wanted: dict[str, Value] = {
            "courseId": self.course,
            "className": "Live",
            "beginTime": begin,
            "endTime": begin + int(hours * HOUR),
            "teacherUid": self.teacher,
            "record": 1,
            "live": 1,
            "replay": 1,
        }
        return self.api.call("addCourseClass", **wanted | fields)

    def stream(self, lesson: int, *more: str) -> dict[str, Any]:
        """Return what `homeroom stream` tells."""
        stream: dict[str, Any] = json.loads(self.server.cli("stream", str(lesson), "--json", *more))
        return stream

    def clips(self, lesson: int) -> list[dict[str, Any]]:
        """Return the clips of a class, deleted ones too."""
        return self.listed(f"classes/{lesson}/clips")

    def recorded(self, lesson: int, source: Path, url: str) -> dict[str, Any]:
        """Push a file as fast as it goes and return the clip that became of it, finished."""
        known = {clip["fileId"] for clip in self.clips(lesson)}
        assert not ffmpeg.push(source, url, realtime=False).complaints()

        def new() -> list[dict[str, Any]]:
            return [
                clip
                for clip in self.clips(lesson)
                if clip["fileId"] not in known and clip["isFinished"]
            ]

        until(new)
        return new()[0]

    def close(self) -> None:
        """Close the connection."""
        self.api.close()


@contextmanager
def serving_school(folder: Path) -> Iterator[School]:
    """Run a server with a demo school until the block ends."""
    server = Process("--demo", "--sandbox", data=folder)
    server.wait_until_ready()
    school = School(server)
    try:
        yield school
    finally:
        school.close()
        server.stop()
