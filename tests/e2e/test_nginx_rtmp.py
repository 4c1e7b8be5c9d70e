"""nginx-rtmp in place of the engine, by the program and the configuration of the guide."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.support import ffmpeg
from tests.support.engine import until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.nginx import examples, free_ports, needs_nginx, replaced, running_nginx
from tests.support.operator import run_json
from tests.support.process import Process
from tests.support.school import School

GUIDE: Final = "media-servers.md"

pytestmark = [pytest.mark.e2e, needs_ffmpeg, needs_nginx("rtmp")]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Process]:
    rtmp, http, shim = free_ports(3)
    folder, segments = tmp_path / "recordings", tmp_path / "hls"
    folder.mkdir()
    segments.mkdir()
    outside, inside = examples(GUIDE)
    places = (
        ("listen 1935;", f"listen 127.0.0.1:{rtmp};"),
        ("127.0.0.1:8090", f"127.0.0.1:{shim}"),
        ("/srv/recordings", folder),
        ("/srv/hls", segments),
    )
    outside = replaced(outside, *places)
    inside = replaced(
        inside, ("listen 8081;", f"listen 127.0.0.1:{http};"), places[1], ("/srv/hls", segments)
    )
    running = Process(
        *("--demo", "--sandbox", "--media", "external"),
        data=tmp_path / "data",
        env={
            "HOMEROOM_RTMP_URL": f"rtmp://127.0.0.1:{rtmp}",
            "HOMEROOM_MEDIA_URL": f"http://127.0.0.1:{http}",
            "HOMEROOM_MEDIA_FOLDER": str(folder),
        },
    )
    try:
        hooks = run_json(running, "media", "hooks")["hooks_url"]
        with (
            shimmed(tmp_path, hooks, folder, shim),
            running_nginx(tmp_path, "rtmp", inside, outside),
        ):
            yield running
    finally:
        ffmpeg.end_all()
        running.stop()


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.close()


@contextmanager
def shimmed(tmp_path: Path, hooks: str, folder: Path, port: int) -> Iterator[None]:
    """Run the guide's program."""
    (program,) = examples(GUIDE, "python")
    path = tmp_path / "shim.py"
    path.write_text(program)
    with (tmp_path / "shim.log").open("wb") as log:
        shim = subprocess.Popen([sys.executable, path, hooks, folder, str(port)], stderr=log)
    try:
        yield
    finally:
        shim.terminate()
        shim.wait(30)


def test_a_class_is_pushed_watched_and_recorded_by_it(school: School, tmp_path: Path) -> None:
    source = ffmpeg.source(tmp_path / "source.flv", seconds=60)
    added = school.add()
    push_url, info = school.stream(added.data)["push_url"], added.body["more_data"]["live_info"]

    def pushed(url: str) -> bool:
        return ffmpeg.push(source, url, realtime=False).wait(60) == 0

    until(lambda: pushed(push_url))  # nginx and the program may still be starting
    assert not pushed(push_url.replace("txSecret=", "txSecret=0"))
    until(lambda: any(clip["isFinished"] for clip in school.clips(added.data)))
    file_id = school.clips(added.data)[0]["fileId"]
    recorded = school.server.data / "clips" / file_id[:2] / f"{file_id}.mp4"
    assert ffmpeg.payload(recorded, "v") == ffmpeg.payload(source, "v")

    publisher = ffmpeg.push(source, push_url)
    until(lambda: school.shown(f"classes/{added.data}/stream")["pushes"])
    until(lambda: httpx.get(info["HLS"], trust_env=False).status_code == httpx.codes.OK)
    for kind in ("RTMP", "HLS"):
        found = {one["codec_name"] for one in ffmpeg.probe(info[kind])["streams"]}
        assert found == {"h264", "aac"}, kind
    unsigned = httpx.get(info["HLS"].partition("?")[0], trust_env=False)
    assert unsigned.status_code == httpx.codes.FORBIDDEN
    with pytest.raises(AssertionError):
        ffmpeg.probe(info["RTMP"].partition("?")[0])
    assert publisher.poll() is None
    publisher.terminate()
    until(lambda: not school.shown(f"classes/{added.data}/stream")["pushes"])
