"""Case M4 on the wire: a running engine, pushes at their own pace, hls.js and a poller.

The poller reads each playlist ten times a second, and the checker knows the rules.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from homeroom.media.engine.packets import VIDEO
from tests.support.browser import Browser
from tests.support.engine import Engine, running_engine
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.flv_push import push, pushing
from tests.support.flv_source import FlvSource, encode, plain
from tests.support.playlist import Playlist
from tests.support.playlist_poller import PlaylistPoller

pytestmark = needs_ffmpeg
SIGNED: Final = "txSecret=a1&txTime=5C271099"
HLS: Final = Path("src/homeroom/player/static/vendor/hls.light.min.js")
PLAY: Final = """async ([library, urls]) => {
  const blob = new Blob([library], { type: "text/javascript" });
  const { default: Hls } = await import(URL.createObjectURL(blob));
  window.films = urls.map((url) => {
    const film = document.createElement("video");
    const hls = new Hls({ lowLatencyMode: true, enableWorker: false });
    film.muted = true;
    film.errors = [];
    hls.on(Hls.Events.ERROR, (_, { fatal, details, reason }) => {
      if (fatal || /parsing/i.test(details)) film.errors.push(`${details}: ${reason}`);
    });
    hls.loadSource(url);
    hls.attachMedia(film);
    film.play().catch((error) => film.errors.push(String(error)));
    document.body.append(film);
    return film;
  });
}"""
LOOK: Final = """() => window.films.map((film) => ({
  frames: film.getVideoPlaybackQuality().totalVideoFrames,
  at: film.currentTime,
  errors: film.errors,
}))"""


def dropping() -> FlvSource:
    """Return a stream without sound that leaves out ten pictures of 120."""
    kept = "select='not(between(mod(n,120),70,79))'"
    return encode(seconds=12, rate="30", gop=60, has_sound=False, filters=kept, more=("-bf", "0"))


SOURCES: Final[dict[str, Callable[[], FlvSource]]] = {
    "drops": dropping,
    "slow": lambda: encode(seconds=12, rate="1", gop=2, has_sound=False),
    "eight": lambda: encode(seconds=12, rate="8", gop=16, has_sound=False),
    "sound": lambda: encode(seconds=12, rate="1", gop=4),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with running_engine(tmp_path_factory.mktemp("engine")) as engine:
        yield engine


def targets(playlists: list[Playlist]) -> set[tuple[float | None, ...]]:
    """Return the targets of all playlists."""
    return {
        (
            playlist.target,
            playlist.part_target,
            playlist.number("EXT-X-SERVER-CONTROL", "PART-HOLD-BACK"),
        )
        for playlist in playlists
    }


def has_played(before: dict[str, Any], film: dict[str, Any]) -> bool:
    """Return whether a film has gone on, and has shown new pictures."""
    return bool(film["at"] - before["at"] > 2.5 and film["frames"] > before["frames"])


def test_each_push_has_one_target_and_hls_js_plays_it(engine: Engine, browser: Browser) -> None:
    sources = {name: make() for name, make in SOURCES.items()}
    urls = [f"{engine.http}/{name}.m3u8?{SIGNED}" for name in sources]
    with ExitStack() as stack, browser.opened(f"{engine.http}/") as seen:
        pushes = [
            stack.enter_context(pushing(source, f"{engine.rtmp}/{name}"))
            for name, source in sources.items()
        ]
        pollers = [stack.enter_context(PlaylistPoller(url)) for url in urls]
        seen.page.evaluate(PLAY, [HLS.read_text(), urls])
        looks: list[list[dict[str, Any]]] = []
        # From soon after the first segment on it plays, whatever is left out or slow.
        while not (looks and all(map(has_played, looks[0], looks[-1]))):
            assert not any(push.is_over for push in pushes), looks
            seen.page.wait_for_timeout(300)
            look = seen.page.evaluate(LOOK)
            looks += [look] if all(film["at"] for film in look) else []
    for poller in pollers:
        assert len(targets(poller.checker.done())) == 1
        assert max(part.duration for each in poller.checker.playlists for part in each.parts)
    assert [film["errors"] for film in looks[-1]] == [[]] * len(sources)


def test_a_push_that_comes_back_keeps_the_targets(engine: Engine) -> None:
    usual, slow = plain(), encode(seconds=12, rate="1", gop=2, has_sound=False)
    url = f"{engine.http}/back.m3u8?{SIGNED}"
    with PlaylistPoller(url) as poller:
        for source in (usual, slow, usual.drop(VIDEO, 3000, 5000)):
            assert push(source, f"{engine.rtmp}/back", speed=6).refusal is None
    assert targets(poller.checker.playlists) == {(1, 0.235, 0.705)}
