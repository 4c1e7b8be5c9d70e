"""Anamorphic pictures: their samples are not square, and players show them wider or narrower."""

import struct
from base64 import b64encode
from pathlib import Path

import pytest

from homeroom.media.engine import codecs
from homeroom.media.engine.boxes import boxes, child
from homeroom.media.engine.flatten import flatten
from homeroom.media.engine.init_segment import make_init_segment
from homeroom.media.engine.packager import MediaChunk
from tests.support import ffmpeg, flv
from tests.support.browser import Browser

LOOK = """async ([init, chunks, flat]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  const film = document.createElement("video");
  film.muted = true;
  const shape = async () => {
    if (film.readyState < 1) await new Promise((done) => (film.onloadedmetadata = done));
    return [film.videoWidth, film.videoHeight];
  };
  film.src = URL.createObjectURL(new Blob([bytes(flat)], { type: "video/mp4" }));
  const clip = await shape();
  const source = new MediaSource();
  film.src = URL.createObjectURL(source);
  await new Promise((done) => (source.onsourceopen = done));
  const buffer = source.addSourceBuffer('video/mp4; codecs="avc1.64001e"');
  for (const data of [init, chunks]) {
    buffer.appendBuffer(bytes(data));
    await new Promise((done) => (buffer.onupdateend = done));
  }
  return [clip, await shape()];
}"""


def sps(*parameters: tuple[int, int]) -> bytes:
    """Return a configuration for 720 by 576 whose VUI parameters are these numbers and widths."""
    head = [(66, 8), (0, 16), *(ue(number) for number in (0, 0, 2, 1)), (0, 1)]
    head += [ue(44), ue(35), (1, 1), (1, 1), (0, 1)]
    text = "".join(f"{number:0{width}b}" for number, width in [*head, *parameters]) + "1"
    unit = b"\x67" + int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8))
    unit = unit.replace(b"\0\0\1", b"\0\0\3\1")
    return b"\1\x42\0\x1e\xff\xe1" + len(unit).to_bytes(2) + unit + b"\1\0\4\x68\xce\x38\x80"


def ue(number: int) -> tuple[int, int]:
    """Return an exponential Golomb code and its width."""
    return number + 1, 2 * (number + 1).bit_length() - 1


NO_COLOURS = ((0, 1), (0, 1))
ASPECTS = {
    "none": (((0, 1),), None, 720),
    "unspecified": (((1, 1), (1, 1), (0, 8), *NO_COLOURS), None, 720),
    "square": (((1, 1), (1, 1), (1, 8), *NO_COLOURS), None, 720),
    "4:3 of 625 lines": (((1, 1), (1, 1), (2, 8), *NO_COLOURS), (12, 11), 785.45),
    "16:9 of 625 lines": (((1, 1), (1, 1), (4, 8), *NO_COLOURS), (16, 11), 1047.27),
    "2:1": (((1, 1), (1, 1), (16, 8), *NO_COLOURS), (2, 1), 1440),
    "reserved": (((1, 1), (1, 1), (17, 8), *NO_COLOURS), None, 720),
    "its own": (((1, 1), (1, 1), (255, 8), (64, 16), (45, 16), *NO_COLOURS), (64, 45), 1024),
    "narrow": (((1, 1), (1, 1), (255, 8), (1, 16), (2, 16), *NO_COLOURS), (1, 2), 360),
    "its own, square": (((1, 1), (1, 1), (255, 8), (9, 16), (9, 16), *NO_COLOURS), None, 720),
    "without height": (((1, 1), (1, 1), (255, 8), (9, 16), (0, 16), *NO_COLOURS), None, 720),
    "without width": (((1, 1), (1, 1), (255, 8), (0, 16), (9, 16), *NO_COLOURS), None, 720),
    "absurd": (((1, 1), (1, 1), (255, 8), (65535, 16), (1, 16), *NO_COLOURS), None, 720),
    "cut off": (((1, 1), (1, 1), (255, 8), (64, 16)), None, 720),
}


def shape_of(data: bytes) -> tuple[tuple[int, ...] | None, float]:
    """Return what pasp and tkhd of an init segment or a clip say."""
    trak = child(memoryview(data), b"moov", b"trak")
    (entry,) = (inner for _, inner in boxes(child(trak, b"mdia", b"minf", b"stbl", b"stsd")[8:]))
    pasp = next((inner for name, inner in boxes(entry[78:]) if name == b"pasp"), None)
    width = struct.unpack(">I", child(trak, b"tkhd")[-8:-4])[0] / 0x10000
    return struct.unpack(">II", pasp) if pasp is not None else None, round(width, 2)


@pytest.mark.parametrize("aspect", ASPECTS)
def test_init_segments_have_the_shape_of_the_parameter_set(aspect: str) -> None:
    parameters, pasp, width = ASPECTS[aspect]
    picture = codecs.parse_video_config(sps(*parameters))
    assert (picture.width, picture.height) == (720, 576)
    init = make_init_segment(picture, None, None)
    assert shape_of(init.data) == (pasp, width)
    assert (init.width, init.height) == (720, 576)


def test_colours_are_those_of_the_parameter_set() -> None:
    aspect, overscan = ((1, 1), (1, 1), (4, 8)), ((1, 1), (1, 1))
    colours = ((1, 1), (5, 3), (1, 1), (1, 1), (9, 8), (16, 8), (9, 8))
    picture = codecs.parse_video_config(sps(*aspect, *overscan, *colours))
    assert picture.aspect == (16, 11)
    assert b"colrnclx" + struct.pack(">HHHB", 9, 16, 9, 0x80) in picture.sample_entry()
    unspecified = ((1, 1), (5, 3), (0, 1), (1, 1), (2, 8), (2, 8), (2, 8))
    picture = codecs.parse_video_config(sps(*aspect, (0, 1), *unspecified))
    assert b"colr" not in picture.sample_entry()


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> list[MediaChunk]:
    """Return the chunks of a push of 720 by 576 with samples of 16:11."""
    path = tmp_path_factory.mktemp("wide") / "wide.flv"
    picture = "testsrc2=size=720x576:rate=25,setsar=16/11"
    encoder = ("-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "high")
    colours = ("-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709")
    ffmpeg.run(
        *("-f", "lavfi", "-i", picture, "-frames:v", "25", "-pix_fmt", "yuv420p"),
        *(*encoder, *colours, str(path)),
    )
    return flv.packed(flv.read(path))


@ffmpeg.needs_ffmpeg
def test_a_clip_and_a_browser_show_the_shape(
    pushed: list[MediaChunk], tmp_path: Path, browser: Browser
) -> None:
    recording, clip = flv.recorded(pushed, tmp_path / "recording.mp4"), tmp_path / "clip.mp4"
    flatten(recording, clip)
    for path in (recording, clip):
        assert shape_of(path.read_bytes()) == ((16, 11), 1047.27)
        stream = ffmpeg.probe(path)["streams"][0]
        assert (stream["display_aspect_ratio"], stream["color_primaries"]) == ("20:11", "bt709")
    data = [
        pushed[0].init.data,
        b"".join(chunk.data for chunk in pushed),
        clip.read_bytes(),
    ]
    with browser.opened("about:blank") as seen:
        shapes = seen.page.evaluate(LOOK, [b64encode(each).decode() for each in data])
    # Browsers round the width to a whole or to an even number of pixels.
    for width, height in shapes:
        assert (width, height) == (pytest.approx(1047.5, abs=1), 576)
