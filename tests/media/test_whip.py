"""Going live from a browser: a real Chromium, the gateway and the engine, each a process."""

from array import array
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import httpx
import pytest
from playwright.sync_api import Page

from homeroom.domain.streams import BrowserPublishError
from homeroom.media import gateway_process
from tests.support import ffmpeg
from tests.support.browser import Browser
from tests.support.engine import Engine, running_engine, until
from tests.support.whip import Gateway, go_live, offered, running_gateway, serving_page

pytestmark = [pytest.mark.browser, ffmpeg.needs_ffmpeg]
SLICES: Final = (1, 5)
PASSED: Final = ("-fps_mode", "passthrough")
"""A browser's pictures come when they like."""
SIZE: Final = 32, 18


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    pytest.importorskip("aiortc")
    with running_gateway() as gateway:
        yield gateway


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with serving_page() as url, browser.opened(url) as seen:
        seen.page.click("canvas")  # sound needs a gesture
        yield seen.page


def recording(engine: Engine, stream: str) -> Path:
    """Wait for the end of a recording, and return its file."""
    until(lambda: [hook for hook in engine.hooks.of("on_dvr") if hook["stream"] == stream])
    hook = next(hook for hook in engine.hooks.of("on_dvr") if hook["stream"] == stream)
    return engine.folder / "recordings" / Path(hook["file"]).name


def is_live(engine: Engine, stream: str) -> bool:
    found = engine.stream(stream)
    return found is not None and bool(found["publish"]["active"])


def units(annex_b: bytes) -> list[bytes]:
    """Return the slices of a stream with start codes."""
    found = [unit.rstrip(b"\0") for unit in annex_b.split(b"\0\0\1")]
    return [unit for unit in found if unit and unit[0] & 0x1F in SLICES]


def flashes(path: Path) -> list[float]:
    """Return the seconds at which the picture becomes bright."""
    width, height = SIZE
    shown = ffmpeg.run(
        *("-i", str(path), "-vf", f"fps=100,scale={width}:{height}", "-pix_fmt", "gray"),
        *("-f", "rawvideo", "-"),
    )
    step = width * height
    levels = [sum(shown[at : at + step]) / step for at in range(0, len(shown), step)]
    return [at / 100 for at in range(1, len(levels)) if levels[at - 1] < 128 <= levels[at]]


def beeps(path: Path) -> list[float]:
    """Return the seconds at which the sound begins after a silence of half a second."""
    heard = array("h", ffmpeg.run("-i", str(path), "-ac", "1", "-ar", "48000", "-f", "s16le", "-"))
    found, last = [], -48_000
    for at, level in enumerate(heard):
        if abs(level) > 2_000:
            if at - last > 24_000:
                found.append(at / 48_000)
            last = at
    return found


def test_picture_and_sound_of_a_browser_are_recorded_as_they_were(
    gateway: Gateway, engine: Engine, page: Page, tmp_path: Path
) -> None:
    session = go_live(gateway, page, f"{engine.rtmp}/whole?sign=1", "video", "audio")
    until(lambda: is_live(engine, "whole"))
    pulled = tmp_path / "pulled.flv"
    ffmpeg.run("-i", f"{engine.http}/whole.flv", "-t", "6", "-c", "copy", str(pulled))
    sent = units(b"".join(map(bytes, page.evaluate("seen"))))
    gateway.do(gateway.process.stop_session(session))
    path = recording(engine, "whole")

    for file in (path, pulled):
        found = {one["codec_type"]: one for one in ffmpeg.probe(file)["streams"]}
        assert found["video"]["codec_name"] == "h264"
        assert (found["audio"]["codec_name"], found["audio"]["profile"]) == ("aac", "LC")
        assert (found["audio"]["sample_rate"], found["audio"]["channels"]) == ("48000", 2)
        ffmpeg.run("-xerror", "-err_detect", "explode", "-i", str(file), *PASSED, "-f", "null", "-")
    copied = ("-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "h264", "-")
    kept = units(ffmpeg.run("-i", str(path), "-map", "0:v", *copied))
    assert len(kept) > 100
    assert kept[:100] == sent[:100], "the picture was touched"
    shown, heard = flashes(path), beeps(path)
    assert len(shown) >= 4
    # The push may end between the last flash and its beep.
    complete = [flash for flash in shown[1:] if flash < heard[-1] + 0.5]
    assert len(complete) >= len(shown) - 2
    pairs = [(flash, min(heard, key=lambda beep: abs(beep - flash))) for flash in complete]
    assert max(abs(flash - beep) for flash, beep in pairs) < 0.1, pairs
    packets = ffmpeg.probe(path, "-show_packets", "-select_streams", "v")["packets"]
    times = [float(one["pts_time"]) for one in packets if one["flags"].startswith("K")]
    assert len(times) >= 3
    assert all(after - before < 2.3 for before, after in pairwise(times)), times


def test_a_microphone_alone_is_published(gateway: Gateway, engine: Engine, page: Page) -> None:
    session = go_live(gateway, page, f"{engine.rtmp}/sound", "audio")
    until(lambda: is_live(engine, "sound"))
    page.wait_for_timeout(1500)
    gateway.do(gateway.process.stop_session(session))

    (found,) = ffmpeg.probe(recording(engine, "sound"))["streams"]
    assert found["codec_name"] == "aac"


def test_a_browser_that_comes_back_takes_over(
    gateway: Gateway, engine: Engine, page: Page, browser: Browser
) -> None:
    url = f"{engine.rtmp}/again"
    go_live(gateway, page, url, "video")
    until(lambda: is_live(engine, "again"))
    with browser.opened(page.url) as seen:
        session = go_live(gateway, seen.page, url, "video")
        page.wait_for_function("['closed', 'failed', 'disconnected'].includes(pc.connectionState)")
        until(
            lambda: (
                len([one for one in engine.hooks.of("on_publish") if one["stream"] == "again"]) == 2
            )
        )
        until(lambda: is_live(engine, "again"))
        gateway.do(gateway.process.stop_session(session))
        until(lambda: not is_live(engine, "again"))


def test_the_end_of_the_push_is_the_end_for_the_browser(
    gateway: Gateway, engine: Engine, page: Page
) -> None:
    go_live(gateway, page, f"{engine.rtmp}/over", "video")
    until(lambda: is_live(engine, "over"))
    client = (engine.stream("over") or {})["publish"]["cid"]
    assert engine.kick(client) == 200

    page.wait_for_function("['closed', 'failed', 'disconnected'].includes(pc.connectionState)")


def test_the_end_of_the_browser_is_the_end_of_the_push(
    gateway: Gateway, engine: Engine, page: Page
) -> None:
    go_live(gateway, page, f"{engine.rtmp}/gone", "video")
    until(lambda: is_live(engine, "gone"))
    page.evaluate("pc.close()")

    until(lambda: not is_live(engine, "gone"), 15)


@pytest.mark.parametrize(
    "offer",
    [
        "",
        "v=0",
        "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 RTP/AVP 96\r\n",
        "m=video\r\n" * 1000,
        "\0",
    ],
)
def test_what_is_no_offer_is_refused(gateway: Gateway, offer: str) -> None:
    with pytest.raises(BrowserPublishError) as refused:
        gateway.start("rtmp://127.0.0.1:1/live/none", offer)
    assert refused.value.code == "offer"


def test_an_offer_without_h264_or_too_long_is_refused(gateway: Gateway, page: Page) -> None:
    offer = offered(page, "video")
    for wrong in (offer.replace("H264", "H265"), offer + "a=x:1\r\n" * 12_000):
        with pytest.raises(BrowserPublishError) as refused:
            gateway.start("rtmp://127.0.0.1:1/live/none", wrong)
        assert refused.value.code == "offer"


def test_the_answer_names_the_public_address(engine: Engine, page: Page) -> None:
    with running_gateway(address="203.0.113.7") as gateway:
        _, answer = gateway.start(f"{engine.rtmp}/named", offered(page, "video"))

    named = [line.split(" ")[4] for line in answer.splitlines() if "a=candidate" in line]
    assert "203.0.113.7" in named
    assert not [address for address in named if "." in address and address != "203.0.113.7"]


def test_a_gateway_that_was_killed_is_started_again(engine: Engine, page: Page) -> None:
    with running_gateway() as gateway:
        gateway.start(f"{engine.rtmp}/revived", offered(page, "video"))
        process = gateway.process._process  # noqa: SLF001  nothing else kills it
        assert process is not None
        process.kill()
        gateway.do(process.wait())
        go_live(gateway, page, f"{engine.rtmp}/revived", "video")
        until(lambda: is_live(engine, "revived"))
    until(lambda: not is_live(engine, "revived"))


def test_strangers_are_not_answered(engine: Engine, gateway: Gateway, page: Page) -> None:
    gateway.start(f"{engine.rtmp}/strange", offered(page, "video"))
    url = gateway.process._url  # noqa: SLF001  nobody else is to know it
    for method, path in (("GET", "/sessions"), ("POST", "/sessions"), ("DELETE", "/sessions/x")):
        answer = httpx.request(method, url + path, trust_env=False)
        assert answer.status_code == 401


def test_whose_push_is_refused_has_no_answer(gateway: Gateway, page: Page) -> None:
    with pytest.raises(BrowserPublishError, match="cannot be reached") as refused:
        gateway.start("rtmp://127.0.0.1:1/live/none", offered(page, "video"))
    assert refused.value.code == "busy"


def test_without_the_extra_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_process, "REQUIRED_PACKAGES", ("aiortc", "no_such_package"))
    with running_gateway() as gateway:
        assert not gateway.process.is_installed
        with pytest.raises(BrowserPublishError, match=r"homeroom\[browser\]") as refused:
            gateway.start("rtmp://127.0.0.1:1/live/none", "v=0")
    assert refused.value.code == "not_installed"
