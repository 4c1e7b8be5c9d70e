"""The nginx of the operating guide, before a real server: pages, streams and clips through it."""

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import httpx
import pytest

from tests.support import ffmpeg
from tests.support.browser import Browser, opened
from tests.support.engine import until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.nginx import examples, free_ports, needs_nginx, replaced, running_nginx
from tests.support.process import Process
from tests.support.school import School

CURL: Final = shutil.which("curl") or "curl"

pytestmark = [pytest.mark.e2e, needs_ffmpeg, needs_nginx("stream")]


@dataclass(frozen=True)
class Front:
    """A server, the nginx before it, and a client who knows that nginx's certificate."""

    server: Process
    pages: str
    rtmp: str
    client: httpx.Client
    log: Path
    """The beginning of the names of nginx's logs."""


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    https, outer, api, media, inner = free_ports(5)
    pages, rtmp = f"https://127.0.0.1:{https}", f"rtmp://127.0.0.1:{outer}"
    own = certificate(folder)
    http, stream = examples("operating.md")
    http = replaced(
        http,
        ("listen 443 ", f"listen 127.0.0.1:{https} "),
        ("127.0.0.1:8080", f"127.0.0.1:{api}"),
        ("127.0.0.1:8081", f"127.0.0.1:{media}"),
        ("/etc/ssl/classes.example.org.pem", own),
        ("/etc/ssl/classes.example.org.key", own.with_suffix(".key")),
        ("/var/log/nginx/homeroom", folder / "homeroom"),
    )
    stream = replaced(
        stream,
        ("listen 1935;", f"listen 127.0.0.1:{outer};"),
        ("127.0.0.1:1936", f"127.0.0.1:{inner}"),
    )
    server = Process(
        *("--demo", "--sandbox", "--port", str(api), "--media-port", str(media)),
        data=folder / "data",
        env={
            "HOMEROOM_PUBLIC_URL": pages,
            "HOMEROOM_MEDIA_URL": pages,
            "HOMEROOM_PUSH_URL": rtmp,
            "HOMEROOM_RTMP_URL": rtmp,
            "HOMEROOM_RTMP_PORT": str(inner),
        },
    )
    trusted = ssl.create_default_context(cafile=own)
    try:
        with (
            httpx.Client(verify=trusted, trust_env=False, timeout=30) as client,
            running_nginx(folder, "stream", http, stream),
        ):

            def answers() -> bool:
                try:
                    return client.get(f"{pages}/healthz").status_code == httpx.codes.OK
                except httpx.TransportError:
                    return False

            until(answers)
            yield Front(server, pages, rtmp, client, folder / "homeroom")
    finally:
        ffmpeg.end_all()
        server.stop()


@pytest.fixture
def school(front: Front) -> Iterator[School]:
    school = School(front.server)
    yield school
    school.close()


def certificate(folder: Path) -> Path:
    """Make a certificate for this machine, its key beside it."""
    made = folder / "own.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", made.with_suffix(".key"), "-out", made),
        ],
        check=True,
        capture_output=True,
    )
    return made


def test_a_class_is_pushed_watched_and_fetched_through_it(
    front: Front, school: School, tmp_path: Path
) -> None:
    source = ffmpeg.source(tmp_path / "source.flv", seconds=60)
    added = school.add()
    push_url, info = school.stream(added.data)["push_url"], added.body["more_data"]["live_info"]
    assert push_url.startswith(f"{front.rtmp}/live/")
    assert info["RTMP"].startswith(f"{front.rtmp}/live/")
    assert {info[kind].partition("/live/")[0] for kind in ("HLS", "FLV")} == {front.pages}

    def pushes() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = school.shown(f"classes/{added.data}/stream")["pushes"]
        return found

    publisher = ffmpeg.push(source, push_url)
    until(lambda: [one["recording"] for one in pushes()] == ["on"])

    for kind, address in info.items():
        found = {one["codec_name"] for one in ffmpeg.probe(address)["streams"]}
        assert found == {"h264", "aac"}, kind
    with front.client.stream("GET", info["FLV"]) as flv:
        assert flv.headers["content-type"] == "video/x-flv"
        # The response closes with its iterator, so this one is kept for as long as it is a viewer.
        received = flv.iter_raw()
        assert next(received).startswith(b"FLV")
        until(lambda: pushes()[0]["viewers"]["flv"] == 1)
    hint = re.findall(r'PRELOAD-HINT:TYPE=PART,URI="(.+?)"', over_http2(info["HLS"]))
    assert front.client.get(urljoin(info["HLS"], hint[0])).content[4:8] == b"moof"
    assert front.client.get(info["HLS"].partition("?")[0]).status_code == httpx.codes.FORBIDDEN
    assert publisher.poll() is None
    publisher.terminate()

    until(lambda: school.clips(added.data))
    url = school.clips(added.data)[0]["url"]
    assert url.startswith(f"{front.pages}/clips/")
    clip = front.client.get(url, headers={"Range": "bytes=4-7"})
    assert (clip.status_code, clip.content) == (httpx.codes.PARTIAL_CONTENT, b"ftyp")


def over_http2(url: str) -> str:
    """Fetch something as a player with low latency does, and return it."""
    done = subprocess.run(
        [CURL, "-sSk", "--http2", "-w", "%{http_version}", url],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.endswith("2")
    return done.stdout


def test_pages_are_served_and_what_is_private_is_not(front: Front) -> None:
    def status(path: str) -> int:
        return front.client.get(f"{front.pages}{path}").status_code

    assert status("/docs") == httpx.codes.OK
    for path in ("/", "/live/no-such-stream.flv", "/metrics"):
        headers = front.client.get(f"{front.pages}{path}").headers
        # Case S9.
        assert headers["strict-transport-security"] == "max-age=31536000", path
    assert status("/live/no-such-stream.flv") == httpx.codes.FORBIDDEN
    for path in ("/metrics", "/sandbox/clock", "/media/hooks"):
        assert status(path) == httpx.codes.FORBIDDEN, path
    assert status("/api/v1/streams/") == httpx.codes.NOT_FOUND


def test_what_is_secret_is_in_no_log(front: Front) -> None:
    (teach,) = re.findall(r"^  teach +(https\S+)$", front.server.output, re.MULTILINE)
    for path in ("/live_partner.html", "/metrics", "/live/no.flv", "/class/none/room", "/last"):
        front.client.get(f"{front.pages}{path}?checkCode=secret")
    for address in (teach, f"{teach}/room", f"{teach}/whip", teach.replace("/teach/", "/%74each/")):
        front.client.get(address)
    front.client.get(f"{front.pages}/later")

    def logged() -> str:
        return front.log.with_suffix(".log").read_text()

    until(lambda: " GET /later " in logged())
    for path in ("/live_partner.html", "/metrics", "/live/no.flv", "/class/none/room", "/last"):
        assert f" GET {path} " in logged()
    for text in (logged(), front.log.with_suffix(".error.log").read_text()):
        assert "secret" not in text
        assert "/teach/" not in text
        assert "%74each" not in text


def test_a_class_is_watched_and_taught_in_a_browser_through_it(
    front: Front, browser: Browser
) -> None:
    (teach,) = re.findall(r"^  teach +(https\S+)$", front.server.output, re.MULTILINE)
    with browser.context(trusts_everybody=True) as context:
        seen = opened(context, f"{front.pages}/demo")
        until(lambda: seen.page.evaluate("document.querySelector('video')?.currentTime ?? 0") > 1)
        # The number comes over the WebSocket.
        until(lambda: seen.page.locator("#viewers").inner_text() == "1")
        assert seen.requested == {"127.0.0.1"}
        assert seen.console == []

        taught = opened(context, teach)
        assert taught.page.evaluate("isSecureContext")
        taught.page.get_by_role("button", name="Camera").wait_for()
        assert taught.console == []
