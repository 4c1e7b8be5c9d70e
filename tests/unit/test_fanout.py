"""Fan-out of one stream to viewers, each at its own pace."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from homeroom.media.engine import fanout
from homeroom.media.engine.fanout import (
    MAX_KEYFRAME_WAIT_MS,
    STALL_SECONDS,
    Fanout,
    GopCache,
    StreamViewer,
)
from homeroom.media.engine.hooks_client import ClientInfo
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO, Packet


class Wire(asyncio.Transport):
    """A connection whose far end a test holds."""

    def __init__(self) -> None:
        super().__init__()
        self.got: list[bytes] = []
        self.is_broken = False
        self.is_closed = False
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_broken:
            raise RuntimeError("closed")
        if data:
            self.got.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        del high, low

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    def text(self) -> str:
        """Return all it got, as the letters packets are made of."""
        return b"".join(self.got).decode()


class Source:
    """A stream that is fed by hand: each packet is one letter."""

    def __init__(self, preamble: Callable[[GopCache], bytes] = lambda _: b"H") -> None:
        self.cache = GopCache()
        self.fanout = Fanout(lambda packet: packet.body, self.cache, self.settle, preamble)
        self.time = 0
        self._held: list[Packet] = []

    def feed(self, letters: str) -> None:
        """Send packets: V, A, M headers and metadata; k key frames; p other pictures; s sound."""
        self.hold(letters)
        self.settle()

    def hold(self, letters: str) -> None:
        """Hold packets back, for viewers who get fewer and larger pieces."""
        for one in map(_packet, letters):
            one.time = self.time
            self.cache.add(one)
            self._held.append(one)

    def settle(self) -> None:
        """Send what is held back."""
        batch, self._held = self._held, []
        if batch:
            self.fanout.send(batch)

    def watch(self) -> tuple[StreamViewer, Wire]:
        """Add a viewer."""
        wire = Wire()
        viewer = StreamViewer(wire, ClientInfo("c", "", "live", "s", "", ""), b"X")
        self.fanout.join(viewer)
        return viewer, wire


def _packet(letter: str) -> Packet:
    kind = {"V": VIDEO, "A": AUDIO, "M": SCRIPT, "k": VIDEO, "p": VIDEO, "s": AUDIO}[letter]
    return Packet(kind, 0, letter.encode(), letter in "VA", letter == "k")


@pytest.fixture
def source() -> Iterator[Source]:
    loop = asyncio.new_event_loop()
    asyncio.events._set_running_loop(loop)  # noqa: SLF001  the fanout asks it for the time
    yield Source()
    asyncio.events._set_running_loop(None)  # noqa: SLF001  asyncio has no public way to leave a loop
    loop.close()


def test_who_joins_gets_the_headers_and_all_since_the_last_key_frame(source: Source) -> None:
    source.feed("MVAkspk")
    source.feed("spp")
    _, wire = source.watch()
    assert wire.text() == "HMVAkspp"
    source.feed("s")
    assert wire.text() == "HMVAkspps"


def test_who_comes_before_the_publisher_waits_for_the_first_key_frame(source: Source) -> None:
    _, wire = source.watch()
    source.feed("V")
    source.feed("Ap")
    assert wire.text() == ""
    source.feed("ksp")
    assert wire.text() == "HVAksp"


def test_sound_alone_needs_no_key_frame(source: Source) -> None:
    source.feed("A")
    source.feed("ss")
    _, wire = source.watch()
    source.feed("s")
    assert wire.text() == "HAs"


def test_who_joins_gets_what_is_held_back_once(source: Source) -> None:
    source.feed("VAk")
    source.hold("ps")
    _, wire = source.watch()
    source.hold("p")
    source.settle()
    assert wire.text() == "HVAkpsp"


def test_who_lags_gets_nothing_until_a_key_frame_and_disturbs_nobody(source: Source) -> None:
    source.feed("VAk")
    slow, slow_wire = source.watch()
    _, wire = source.watch()
    slow.pause()
    source.feed("pk")
    slow.resume()
    source.feed("ps")
    source.feed("kp")
    assert slow_wire.text() == "HVAkkp"
    assert wire.text() == "HVAkpkpskp"


def test_who_takes_nothing_is_dropped_in_the_end(source: Source) -> None:
    source.feed("VAk")
    slow, wire = source.watch()
    slow.pause()
    now = asyncio.get_running_loop().time()
    source.fanout.drop_stalled(now + STALL_SECONDS - 1)
    assert len(source.fanout) == 1
    source.fanout.drop_stalled(now + STALL_SECONDS + 1)
    assert wire.is_aborted
    assert len(source.fanout) == 0


def test_a_write_that_fails_takes_only_its_viewer_out(source: Source) -> None:
    source.feed("VAk")
    _, broken = source.watch()
    _, wire = source.watch()
    broken.is_broken = True
    source.feed("p")
    source.feed("p")
    assert wire.text() == "HVAkpp"
    assert len(source.fanout) == 1


def test_who_watches_waits_for_the_first_picture_of_the_next_publisher(source: Source) -> None:
    source.feed("VAkp")
    _, wire = source.watch()
    source.cache.clear()
    source.fanout.restart()
    source.feed("VA")
    source.feed("s")
    source.feed("k")
    assert wire.text() == "HVAkpVAk"


@pytest.mark.usefixtures("source")
def test_who_was_promised_other_tracks_is_sent_away_to_come_back() -> None:
    """An FLV header cannot be changed, and browsers wait for each track of it."""
    source = Source(lambda cache: b"HS" if cache.has_audio else b"H")
    source.feed("Vkp")
    _, wire = source.watch()
    source.feed("A")
    source.feed("sp")
    assert wire.text() == "HVkpX"
    assert wire.is_closed
    _, wire = source.watch()
    assert wire.text() == "HSVAkpsp"
    source.cache.clear()
    source.fanout.restart()
    source.feed("Vk")
    assert wire.text() == "HSVAkpspX"
    assert len(source.fanout) == 0


def test_who_joins_long_after_the_only_key_frame_gets_the_sound(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case M3: intra refresh and an open GOP; who was there sees the picture to the end."""
    monkeypatch.setattr(fanout, "MAX_GOP_FRAMES", 3)
    source.feed("MVAk")
    _, early = source.watch()
    source.feed("pps")
    source.feed("p")
    _, patient = source.watch()
    assert patient.text() == "", "a key frame may still come"
    source.time = MAX_KEYFRAME_WAIT_MS + 1
    source.feed("ps")
    _, late = source.watch()
    source.feed("psp")
    assert late.text() == "HAs"
    assert patient.text() == "HAs"
    assert early.text() == "HMVAkppspps" + "psp"
    assert len(source.fanout) == 3
    source.feed("kps")
    assert late.text() == "HAsMVAkps"


@pytest.mark.usefixtures("source")
def test_a_player_that_cannot_add_the_picture_is_ended_when_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fanout, "MAX_GOP_FRAMES", 3)
    source = Source(lambda cache: b"2" if cache.has_video else b"1")
    source.feed("VAkppp")
    source.time = MAX_KEYFRAME_WAIT_MS + 1
    source.feed("ps")
    viewer, wire = source.watch()
    source.feed("ps")
    source.feed("k")
    assert wire.text() == "1AsX"
    assert wire.is_closed
    assert viewer.fanout is None
    _, again = source.watch()
    assert again.text() == "2VAk"


def test_the_end_is_said(source: Source) -> None:
    source.feed("VAk")
    _, wire = source.watch()
    source.fanout.end()
    assert wire.text() == "HVAkX"
    assert wire.is_closed
    _, late = source.watch()
    assert late.text() == "X"
    assert late.is_closed
