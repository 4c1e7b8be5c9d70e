"""The live player's place in its buffer and its notes, with videos that a test makes up."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from homeroom.base.stream_problems import StreamProblem
from tests.support.browser import Browser
from tests.support.serving import running_house

pytestmark = pytest.mark.browser

FOLLOW = """async ({ src, buffered, seekable, position, isFollowing = true, canSeek = true }) => {
  const { LiveEdge } = await import("/player/live-edge.js");
  const ranges = (pairs) => (
    { length: pairs.length, start: (n) => pairs[n][0], end: (n) => pairs[n][1] });
  const video = Object.assign(new EventTarget(), {
    src, buffered: ranges(buffered), seekable: ranges(seekable), currentTime: position,
    paused: false, seeking: false, playbackRate: 1 });
  const edge = new LiveEdge(video);
  Object.assign(edge, { isFollowing, canSeek });
  edge.start();
  await new Promise((resolve) => setTimeout(resolve, 250));
  edge.stop();
  return video.currentTime;
}"""
"""Has a video that stands still followed for two ticks, and returns its position."""
NOTE = """async ({ problems, monitor, ...rest }) => {
  const { chooseNote } = await import("/player/live-notes.js");
  return chooseNote({ problems: new Set(problems), monitor, now: 60_000, ...rest });
}"""
MSE = "blob:http://127.0.0.1/1"
NATIVE = "http://127.0.0.1/live/class.m3u8"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Page]:
    """Open a page of a server, for its scripts alone."""
    with (
        running_house(tmp_path_factory.mktemp("edge"), None, "sqlite") as house,
        browser.opened(f"{house.url}/live.php?lessonKey=0") as seen,
    ):
        yield seen.page


@pytest.mark.parametrize(
    ("buffered", "position", "expected"),
    [
        pytest.param([[1, 7]], 6.5, 6.5, id="in the buffer"),
        pytest.param([[1, 7]], 7.05, 7.05, id="at its end"),
        pytest.param([[0.96, 7]], 15.7, 6.7, id="after it, case M7"),
        pytest.param([[3, 7]], 0, 6.7, id="before it"),
        pytest.param([[0.02, 0.2]], 0, 0.03, id="before a short one"),
        pytest.param([[0, 4], [5, 9]], 3.97, 8.7, id="before a hole"),
        pytest.param([[0, 4], [5, 9]], 4.5, 8.7, id="in a hole"),
        pytest.param([[0, 4], [4.06, 9]], 3.98, 8.7, id="before a small hole"),
        pytest.param([[0, 4], [8.9, 9]], 3.98, 8.91, id="before the last frames"),
        pytest.param([], 0, 0, id="nothing there"),
        pytest.param([], 15.7, 15.7, id="nothing there yet"),
    ],
)
def test_a_position_outside_of_the_buffer_is_left_at_once(
    page: Page, buffered: list[list[float]], position: float, expected: float
) -> None:
    """Case M7, P1: with MSE, `seekable` may be of a file, and says nothing."""
    video = {"src": MSE, "buffered": buffered, "seekable": [[0, 16]], "position": position}
    at = page.evaluate(FOLLOW, video)
    assert at == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("buffered", "position", "expected"),
    [
        pytest.param([[0, 60]], 20, 20, id="behind live"),
        pytest.param([[30, 60]], 20, 30.01, id="what was there is gone"),
        pytest.param([[0, 20], [21, 60]], 19.99, 21.01, id="before a hole"),
    ],
)
def test_who_watches_behind_live_loses_no_more_than_the_hole(
    page: Page, buffered: list[list[float]], position: float, expected: float
) -> None:
    video = {"src": MSE, "buffered": buffered, "seekable": [], "position": position}
    at = page.evaluate(FOLLOW, {**video, "isFollowing": False})
    assert at == pytest.approx(expected, abs=0.001)


def test_a_browser_that_loads_the_stream_itself_keeps_its_place(page: Page) -> None:
    video = {"src": NATIVE, "buffered": [], "seekable": [[0, 16]], "position": 15.8}
    assert page.evaluate(FOLLOW, video) == 15.8


@pytest.mark.parametrize(
    ("position", "expected"),
    [pytest.param(5, 5, id="far behind"), pytest.param(0, 1.01, id="before the buffer")],
)
def test_without_keyframes_it_does_not_seek(page: Page, position: float, expected: float) -> None:
    """Case M3: after a seek, Chromium begins at a recovery point, and fails to decode."""
    video = {"src": MSE, "buffered": [[1, 60]], "seekable": [], "position": position}
    at = page.evaluate(FOLLOW, {**video, "canSeek": False})
    assert at == pytest.approx(expected, abs=0.001)


FRESH = 59_900
"""A moment ago, at the time of these tests."""
LONG_AGO = 50_000
PLAYS = {
    "movedAt": FRESH,
    "frameAt": FRESH,
    "hasFrames": True,
    "hasPictureTrack": True,
    "longFrameGap": 120,
}
"""Monitor of a stream that plays."""
BOTH_MISSING = (StreamProblem.PICTURE_MISSING, StreamProblem.SOUND_MISSING)
SOUND_ONLY = {"hasFrames": False, "hasPictureTrack": False}
FROZEN = {"frameAt": LONG_AGO}
STANDS = {"movedAt": LONG_AGO, "frameAt": LONG_AGO}
HESITATES = {"movedAt": 59_000}
NEVER = {**STANDS, **SOUND_ONLY}


@pytest.mark.parametrize(
    ("measured", "problems", "about", "expected"),
    [
        ({}, (), {}, ""),
        ({}, (StreamProblem.KEYFRAMES_MISSING,), {}, ""),
        ({}, (StreamProblem.KEYFRAMES_TOO_RARE, StreamProblem.RECORDING_FAILED), {}, ""),
        ({}, (StreamProblem.SOUND_MISSING,), {}, "sound_missing"),
        ({}, (StreamProblem.PICTURE_MISSING,), {}, "picture_missing"),
        (FROZEN, (), {}, "frozen"),
        (FROZEN, (StreamProblem.PICTURE_MISSING,), {}, "picture_missing"),
        ({**FROZEN, "longFrameGap": 20_000}, (), {}, ""),
        ({**FROZEN, "hasFrames": False}, (), {}, "waiting"),
        (
            {**FROZEN, "hasFrames": False},
            (StreamProblem.KEYFRAMES_MISSING,),
            {},
            "keyframes_missing",
        ),
        (SOUND_ONLY, (), {}, ""),
        (SOUND_ONLY, (StreamProblem.SOUND_MISSING,), {}, "sound_missing"),
        (SOUND_ONLY, (StreamProblem.KEYFRAMES_MISSING,), {}, "keyframes_missing"),
        (SOUND_ONLY, (StreamProblem.HEADERS_MISSING,), {}, "undecodable"),
        ({}, BOTH_MISSING, {}, ""),
        (HESITATES, (), {}, ""),
        (HESITATES, BOTH_MISSING, {}, "nothing_sent"),
        (HESITATES, (StreamProblem.PICTURE_MISSING,), {}, ""),
        (HESITATES, (StreamProblem.SOUND_MISSING,), {}, "sound_missing"),
        (STANDS, (), {}, "standing"),
        (STANDS, BOTH_MISSING, {}, "nothing_sent"),
        (STANDS, BOTH_MISSING, {"isOffline": True}, "reconnecting"),
        ({**STANDS, **SOUND_ONLY}, (StreamProblem.SOUND_MISSING,), {}, "sound_missing"),
        (NEVER, (), {"hasPlayed": False, "brokenAt": LONG_AGO}, "waiting"),
        (NEVER, (), {"hasPlayed": False, "brokenAt": FRESH}, ""),
        ({}, (), {"brokenAt": LONG_AGO}, "standing"),
        (
            NEVER,
            (StreamProblem.KEYFRAMES_MISSING,),
            {"hasPlayed": False, "brokenAt": LONG_AGO},
            "keyframes_missing",
        ),
    ],
)
def test_a_note_names_what_is_missing(
    page: Page,
    measured: dict[str, Any],
    problems: tuple[StreamProblem, ...],
    about: dict[str, Any],
    expected: str,
) -> None:
    """Case P1: the notes of the live page, and whose fault they name."""
    rest = {"brokenAt": 0, "isOffline": False, "hasPlayed": True, **about}
    request = {"problems": problems, "monitor": {**PLAYS, **measured}, **rest}
    assert page.evaluate(NOTE, request) == expected
