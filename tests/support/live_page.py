"""Live pages that watch a stream, and what they show of it and say about it."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from playwright.sync_api import BrowserContext, Page

from tests.support.browser import Browser, Seen, opened
from tests.support.engine import until

FLV: Final = "flv"
HLS: Final = "hls"
FLV_URL: Final = re.compile(r"\.flv\?")
UNABLE: Final = """
let player;
Object.defineProperty(window, "mpegts", {
  get: () => player,
  set(loaded) {
    loaded.getFeatureList = () => ({ mseLivePlayback: false });
    player = loaded;
  },
});
"""
"""A browser in which mpegts.js finds that it cannot play."""
_JOURNAL: Final = """
window.notes = [];
new MutationObserver(() => {
  const text = document.querySelector("#player .player-notice")?.textContent ?? "";
  if (text !== (window.notes.at(-1)?.[1] ?? "")) window.notes.push([Date.now() / 1000, text]);
}).observe(document, { subtree: true, childList: true, characterData: true });
"""
"""Journal of the notes of the page."""
_PLAYBACK: Final = """() => {
  const video = document.querySelector("#player video");
  if (!video) return null;
  const ranges = Array.from(video.buffered, (_, n) =>
    [video.buffered.start(n), video.buffered.end(n)]);
  return {
    position: video.currentTime,
    buffered: ranges,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    sound_bytes: video.webkitAudioDecodedByteCount,
    width: video.videoWidth,
    note: document.querySelector("#player .player-notice").textContent,
  };
}"""


@dataclass(frozen=True)
class Playback:
    """The state of a player at a moment."""

    position: float
    buffered: list[list[float]]
    frames: int
    sound_bytes: int
    """Decoded sound; it stays 0 without a track."""
    width: int
    note: str

    @property
    def is_within_buffer(self) -> bool:
        """Return whether there is something to play at the position."""
        return any(start <= self.position <= end + 0.1 for start, end in self.buffered)


class Watching:
    """A live page in a browser of its own."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    @property
    def page(self) -> Page:
        """The page."""
        return self.seen.page

    @property
    def playback(self) -> Playback | None:
        """State of the player, None if the page has none yet."""
        state: dict[str, Any] | None = self.page.evaluate(_PLAYBACK)
        return Playback(**state) if state is not None else None

    @property
    def note(self) -> str:
        """The note over the picture."""
        playback = self.playback
        return playback.note if playback is not None else ""

    @property
    def notes(self) -> list[str]:
        """All notes so far, without the empty ones."""
        return [text for _, text in self.journal if text]

    @property
    def journal(self) -> list[tuple[float, str]]:
        """All changes of the note so far, with their times in Unix seconds."""
        return [(at, text) for at, text in self.page.evaluate("window.notes")]

    def wait(self, holds: Callable[[Playback], bool], seconds: float = 20) -> Playback:
        """Wait until the state of the player is like this, and return it."""
        last: Playback | None = None

        def check() -> bool:
            nonlocal last
            last = self.playback
            return last is not None and holds(last)

        try:
            until(check, seconds)
        except TimeoutError:
            raise AssertionError(f"{last}, notes: {self.journal}") from None
        assert last is not None
        return last

    def says(self, text: str) -> float:
        """Wait until the page shows this note; return when it did first, in Unix seconds."""
        self.wait(lambda playback: text in playback.note)
        return next(at for at, note in self.journal if text in note)

    def says_nothing(self) -> None:
        """Wait until there is no note."""
        self.wait(lambda playback: playback.note == "")


def show_frames(pages: Sequence[Watching], number: int = 3) -> None:
    """Wait until all these pages have shown more frames."""

    def has_shown(now: Playback, before: int) -> bool:
        # A new connection counts from 0.
        return now.frames >= before + number or number <= now.frames < before

    frames = [page.wait(lambda _playback: True).frames for page in pages]
    for page, before in zip(pages, frames, strict=True):
        page.wait(partial(has_shown, before=before))


def play_on(pages: Sequence[Watching], seconds: float = 0.4) -> None:
    """Wait until all these pages have played on, with a picture or with sound alone."""

    def has_moved(now: Playback, before: float) -> bool:
        return not before <= now.position <= before + seconds

    positions = [page.wait(lambda _playback: True).position for page in pages]
    for page, before in zip(pages, positions, strict=True):
        page.wait(partial(has_moved, before=before))


@contextmanager
def watching(
    browser: Browser,
    url: str,
    method: str = FLV,
    **how: Any,  # noqa: ANN401  as `context` has them
) -> Iterator[Watching]:
    """Open a live page that plays by one method."""
    with browser.context(**how) as context:
        yield open_watching(context, url, method)


def open_watching(context: BrowserContext, url: str, method: str = FLV) -> Watching:
    """Open a live page in a browser that plays by one method."""
    context.add_init_script(_JOURNAL)
    if method == HLS:
        context.add_init_script(UNABLE)
    return Watching(opened(context, url))
