"""A class that is taught with an encoder has its attendance, from the first frame on (Q95)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from homeroom.base.clock import HOUR, MINUTE
from tests.support import ffmpeg
from tests.support.engine import until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.school import School, serving_school

pytestmark = [pytest.mark.e2e, needs_ffmpeg]
OVERTIME = 20 * MINUTE


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """Run a server with its media engine, and give its school."""
    with serving_school(tmp_path_factory.mktemp("attendance")) as school:
        yield school


def test_a_real_push_is_presence_until_the_class_closes(school: School, tmp_path: Path) -> None:
    source = ffmpeg.source(tmp_path / "source.flv", seconds=20)
    begin = school.clock.now()
    added = school.add()
    attendance = f"classes/{added.data}/attendance"
    assert school.listed(attendance) == []
    publisher = ffmpeg.push(source, school.stream(added.data)["push_url"])
    until(lambda: school.listed(attendance))
    (row,) = school.listed(attendance)
    assert (row["uid"], row["identity"]) == (school.teacher, 3)
    assert (row["device"], row["leftTime"], row["isSimulated"]) == (0, None, 0)
    assert row["enteredTime"] >= begin
    publisher.kill()
    publisher.wait()

    school.server.advance(HOUR + 2 * MINUTE + OVERTIME)

    (row,) = school.listed(attendance)
    assert row["reason"] == 2
    assert row["seconds"] == row["leftTime"] - row["enteredTime"] > HOUR
