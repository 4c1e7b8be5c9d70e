"""The demo class that `make run` puts on the air: seen at once, after restarts, and to its end."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from homeroom.base.clock import HOUR
from tests.support import ffmpeg
from tests.support.engine import until
from tests.support.process import Process
from tests.support.school import School

pytestmark = [pytest.mark.e2e, ffmpeg.needs_ffmpeg]

KEY: Final = re.compile(
    r"^  live class  http\S+/live\.php\?lessonKey=([0-9a-f]{16})$", re.MULTILINE
)
TEACH: Final = re.compile(r"^  teach       http\S+/teach/([0-9a-f]{16})\w+$", re.MULTILINE)
ENGINE: Final = re.compile(r'"engine_process_started","pid":(\d+)')


class OnAir:
    """A demo server, and the class that it says is on the air."""

    def __init__(self, data: Path) -> None:
        self.server = Process("--demo", "--sandbox", data=data)
        self.server.wait_until_ready()
        self.school = School(self.server)
        self.key = KEY.findall(self.server.output)[0]
        classes = self.school.listed("classes")
        (found,) = (one for one in classes if one["className"] == "Fractions")
        self.lesson: int = found["classId"]
        self.flv: str = self.school.shown(f"classes/{self.lesson}/stream")["pull"]["FLV"]

    @property
    def pushes(self) -> int:
        """Number of pushes of it that have begun."""
        return self.server.log.count(f'"message":"publish_started","stream":"{self.key}"')

    def is_pushed(self) -> bool:
        """Tell whether a push of it runs."""
        return bool(self.school.shown(f"classes/{self.lesson}/stream")["pushes"])

    def stop(self) -> None:
        """End the server as an operator does; it must have nothing to complain of."""
        self.school.close()
        assert self.server.stop() == 0
        assert "Traceback" not in self.server.log


@pytest.fixture
def on_air(tmp_path: Path) -> Iterator[OnAir]:
    made = OnAir(tmp_path / "data")
    yield made
    made.school.close()
    made.server.stop()


def codecs(address: str) -> set[str]:
    """Return what an address plays."""
    shown = ffmpeg.probe(address, "-analyzeduration", "1000000")
    return {one["codec_name"] for one in shown["streams"]}


def test_it_plays_at_once_and_is_the_same_class_after_a_restart(on_air: OnAir) -> None:
    until(on_air.is_pushed)
    assert on_air.key in on_air.flv
    (yours,) = TEACH.findall(on_air.server.output)
    assert yours != on_air.key
    assert codecs(on_air.flv) == {"h264", "aac"}
    first_page = httpx.get(f"{on_air.server.url}/demo", trust_env=False)
    assert first_page.headers["location"] == f"/live.php?lessonKey={on_air.key}"
    on_air.stop()

    again = OnAir(on_air.server.data)
    try:
        until(again.is_pushed)
        assert (again.lesson, again.key) == (on_air.lesson, on_air.key)
        assert codecs(again.flv) == {"h264", "aac"}
    finally:
        again.stop()


def test_it_comes_back_quietly_when_the_engine_has_crashed(on_air: OnAir) -> None:
    until(on_air.is_pushed)
    os.kill(int(ENGINE.findall(on_air.server.log)[-1]), signal.SIGKILL)
    until(lambda: on_air.pushes == 2)

    assert codecs(on_air.flv) == {"h264", "aac"}
    on_air.stop()


def test_it_ends_with_the_class_and_stays_ended(on_air: OnAir) -> None:
    until(on_air.is_pushed)

    on_air.server.advance(3 * HOUR)
    until(lambda: "demo_class_ended" in on_air.server.log)
    until(lambda: on_air.school.clips(on_air.lesson))

    assert not on_air.is_pushed()
    assert on_air.pushes == 1
    on_air.stop()
    assert "stream_refused" not in on_air.server.log


def test_without_video_no_class_is_on_the_air(tmp_path: Path) -> None:
    server = Process("--demo", "--media", "none", data=tmp_path)
    assert httpx.get(f"{server.url}/demo", trust_env=False).status_code == httpx.codes.NOT_FOUND
    server.stop()

    assert "live class" not in server.output
    assert not TEACH.search(server.output)
