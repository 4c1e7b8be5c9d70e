"""The live page while something of the stream is missing: it plays the rest, or says what it is."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Final, Self

import pytest
from playwright.sync_api import expect

from homeroom.media.engine.packets import AUDIO, VIDEO
from tests.support.browser import Browser
from tests.support.engine import PATIENCE, until
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.flv_push import Push, pushing
from tests.support.flv_server import FlvServer, serving_flv
from tests.support.flv_source import FlvSource, encode
from tests.support.live_page import (
    FLV,
    HLS,
    Watching,
    open_watching,
    play_on,
    show_frames,
    watching,
)
from tests.support.school import School, serving_school

pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.alone, needs_ffmpeg]

SECONDS: Final = 60
"""Longer than any of these tests watches: the end of a push is another matter."""
ENGINE: Final = re.compile(r'"engine_process_started","pid":(\d+)')
STUCK_SECONDS: Final = 8
NO_SOUND: Final = "There is no sound at the moment."
NO_PICTURE: Final = "The teacher’s picture has stopped; the sound goes on."
NO_KEYFRAMES: Final = "The teacher’s program sends no key frames that one can start at."
NOTHING_SENT: Final = "The teacher’s program sends neither picture nor sound at the moment."
WAITING: Final = "Waiting for the teacher’s picture …"
STANDING: Final = "The picture has stopped. Waiting for it to go on …"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """Run a server, and give its school."""
    with serving_school(tmp_path_factory.mktemp("notes")) as school:
        yield school


class Stage:
    """A class that is open, with its push and its pages."""

    def __init__(self, school: School, browser: Browser) -> None:
        added = school.add(hours=1)
        self.url: str = added.body["more_data"]["live_url"]
        self.push_url: str = school.stream(added.data)["push_url"]
        self._browser = browser
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *about: object) -> None:
        self._ends.close()

    def watch_both(self) -> list[Watching]:
        """Open a page that plays by HTTP-FLV, and one that plays by HLS."""
        return [
            self._ends.enter_context(watching(self._browser, self.url, method))
            for method in (FLV, HLS)
        ]

    def watch_another_server(self, server: FlvServer) -> Watching:
        """Open a page whose HTTP-FLV comes from a server of another make, and that has no HLS."""
        context = self._ends.enter_context(self._browser.context())
        context.route("**/*.flv?*", lambda route: route.continue_(url=server.url))
        context.route("**/*.m3u8*", lambda route: route.abort())
        return open_watching(context, self.url)

    def push(self, source: FlvSource) -> Push:
        """Begin to push."""
        return self._ends.enter_context(pushing(source, self.push_url))


@pytest.fixture
def stage(school: School, browser: Browser) -> Iterator[Stage]:
    with Stage(school, browser) as stage:
        yield stage


def sent(push: Push, seconds: float) -> None:
    """Wait until so much of a push has been sent."""
    number = sum(1 for tag in push.source.tags if tag.due < 1000 * seconds)
    until(lambda: len(push.sent) >= number)


def long() -> FlvSource:
    """Return the usual stream."""
    return encode(seconds=SECONDS)


@pytest.mark.parametrize(
    ("kind", "note"),
    [pytest.param(AUDIO, NO_SOUND, id="sound"), pytest.param(VIDEO, NO_PICTURE, id="picture")],
)
def test_a_track_that_stops_leaves_the_other(stage: Stage, kind: int, note: str) -> None:
    """Case M2, P1: also for those who join meanwhile; and it comes back, in the midst of a GOP."""
    pages = stage.watch_both()
    push = stage.push(long())
    show_frames(pages)
    push.muted.add(kind)
    pages += stage.watch_both()
    for page in pages:
        page.says(note)
    play_on(pages)
    push.muted.clear()
    for page in pages:
        page.says_nothing()
        assert set(page.notes) <= {note, WAITING}
    show_frames(pages)


def test_open_groups_play_for_those_who_join(stage: Stage) -> None:
    """Case M3, P1: one IDR at the start; pages are opened before it and seconds later.

    A page that seeks fails to decode, and once more as long as it seeks.
    """
    source = encode(seconds=SECONDS, b_frames=2, is_open=True, more=("-preset", "veryfast"))
    pages = stage.watch_both()
    sent(stage.push(source), 4)
    pages += stage.watch_both()
    show_frames(pages, 30)
    for page in pages:
        page.says_nothing()
        assert set(page.notes) <= {WAITING, NO_KEYFRAMES}


@pytest.mark.parametrize("duration", [16.0, None])
def test_slides_with_the_metadata_of_a_file_play(stage: Stage, duration: float | None) -> None:
    """Case M7, P1: one frame a second; the page judges its place by what is buffered."""
    source = encode(seconds=SECONDS, rate="1", gop=4, more=("-tune", "zerolatency"))
    if duration is not None:
        source = source.with_metadata(
            videocodecid=7, audiocodecid=10, framerate=1.0, duration=duration
        )
    pages = stage.watch_both()
    sent(stage.push(source), 5)
    pages += stage.watch_both()
    show_frames(pages)
    for page in pages:
        page.wait(lambda playback: playback.is_within_buffer)
        assert set(page.notes) <= {WAITING}, (pages.index(page), page.journal)


def test_a_program_that_stalls_is_not_a_broken_connection(stage: Stage) -> None:
    """Case P1: the publisher stays connected and sends nothing for a time."""
    pages = stage.watch_both()
    push = stage.push(long())
    show_frames(pages)
    push.muted |= {AUDIO, VIDEO}
    for page in pages:
        page.says(NOTHING_SENT)
    push.muted.clear()
    for page in pages:
        page.says_nothing()
        assert set(page.notes) <= {NOTHING_SENT, STANDING, WAITING}
    show_frames(pages)


def test_sound_alone_has_a_calm_place(stage: Stage) -> None:
    """Case P1: a class without a picture; the page said that it reconnects."""
    pages = stage.watch_both()
    stage.push(long().without(VIDEO))
    play_on(pages)
    for page in pages:
        expect(page.page.get_by_text("Sound only")).to_be_visible()
        expect(page.page.get_by_role("button", name="Tap for sound")).to_be_visible()
        assert page.notes == []


def test_a_picture_that_comes_late_comes_to_who_listens(stage: Stage) -> None:
    """Case M2: its header alone keeps the sound from no viewer of HTTP-FLV."""
    pages = stage.watch_both()
    push = stage.push(long().drop(VIDEO, 0, 4_000))
    play_on(pages[:1], 1)
    sent(push, 4)
    show_frames(pages, 25)


def test_a_dead_track_of_another_server_ends_in_a_note(stage: Stage) -> None:
    """Case P1: the sound ends after a moment, and nobody fills the gap or knows of it."""
    stage.push(long())
    with serving_flv(long().drop(AUDIO, 1_000)) as server:
        page = stage.watch_another_server(server)
        page.says(STANDING)
        # The browser asks this thread for each address, so the thread must not sleep.
        page.wait(lambda _playback: len(server.connected) > 1, PATIENCE)
        first, second, *_ = server.connected
        assert second - first > STUCK_SECONDS


def test_a_track_that_is_announced_late_comes_to_who_watches(stage: Stage) -> None:
    """Case M2: no player can add a track; those who watch get the stream anew with it."""
    source = long()
    header = replace(source.header(AUDIO), due=5_000)
    late = source.drop(AUDIO, 0, 5_000).without_header(AUDIO).with_metadata().insert(header)
    pages = stage.watch_both()
    push = stage.push(late)
    show_frames(pages, 25)
    sent(push, 6)
    show_frames(pages, 25)
    for page in pages:
        page.wait(lambda playback: playback.sound_bytes > 0)


def test_an_engine_that_does_not_answer_is_named(school: School, stage: Stage) -> None:
    """Case P1: the media engine is frozen, and goes on."""
    pages = stage.watch_both()
    stage.push(long())
    show_frames(pages)
    engine = int(ENGINE.findall(school.server.log)[-1])
    os.kill(engine, signal.SIGSTOP)
    try:
        for page in pages:
            page.wait(lambda playback: playback.note != "")
    finally:
        # On a slow machine the server has replaced it.
        with suppress(ProcessLookupError):
            os.kill(engine, signal.SIGCONT)
    for page in pages:
        page.says_nothing()
    show_frames(pages)
