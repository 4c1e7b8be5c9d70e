"""FLV streams that a test edits tag by tag, as no encoder here would send them.

`plain()` is 8 s of 128x72 at 25 frames a second, a key frame each second, and AAC: 200 pictures
and 346 frames of sound in 8,034 ms. Edits return a new source:

    plain().shift(VIDEO, 5_000).drop(AUDIO, 4_000).with_metadata(duration=16.0)

`flv_push` sends a source over RTMP, `write` makes a file of it, and `hashes` says what a clip of it
must hold, to compare with `ffmpeg.packets`.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import dropwhile
from pathlib import Path
from typing import Final

from homeroom.media.engine.amf0 import Value
from homeroom.media.engine.amf0 import encode as encode_amf
from homeroom.media.engine.packets import AUDIO, SCRIPT, VIDEO
from tests.support import ffmpeg

END: Final = 1 << 40
"""Later than any tag, in milliseconds."""
PAYLOAD_AT: Final = {AUDIO: 2, VIDEO: 5, SCRIPT: 0}
"""Bytes of a body before its payload."""
FILE_HEAD: Final = b"FLV\1\5\0\0\0\x09\0\0\0\0"
TAG_HEAD: Final = 11
TAG_END: Final = 4
IDR: Final = 5


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: a frame, a codec header or metadata."""

    kind: int
    """AUDIO, VIDEO or SCRIPT."""
    time: int
    """Its timestamp in milliseconds; sent with 32 bits."""
    body: bytes
    due: int
    """When it is sent, in milliseconds since the start of a push at speed 1; no edit of the
    timestamp changes it."""

    @property
    def is_header(self) -> bool:
        """Return whether it is an AVC or AAC sequence header."""
        return self.kind != SCRIPT and self.body[1] == 0

    @property
    def is_frame(self) -> bool:
        """Return whether it is a frame of sound or picture."""
        return self.kind != SCRIPT and self.body[1] == 1

    @property
    def is_key(self) -> bool:
        """Return whether its first byte calls it a key frame."""
        return self.kind == VIDEO and self.is_frame and self.body[0] >> 4 == 1

    @property
    def payload(self) -> bytes:
        """Return what a decoder gets of it."""
        return self.body[PAYLOAD_AT[self.kind] :]

    @property
    def shown_at(self) -> int:
        """Return the time of presentation of a frame, in milliseconds."""
        later = int.from_bytes(self.body[2:5], signed=True) if self.kind == VIDEO else 0
        return self.time + later

    @property
    def nal_types(self) -> list[int]:
        """Return the types of its NAL units, with lengths of four bytes."""
        types, data, at = [], self.payload, 0
        while at + 4 < len(data):
            types.append(data[at + 4] & 0x1F)
            at += 4 + int.from_bytes(data[at : at + 4])
        return types

    @property
    def has_idr(self) -> bool:
        """Return whether it is a picture that a decoder can start with."""
        return self.kind == VIDEO and self.is_frame and IDR in self.nal_types

    def encode(self) -> bytes:
        """Return it as it stands in an FLV."""
        size, time = len(self.body).to_bytes(3), (self.time & 0xFFFF_FFFF).to_bytes(4)
        head = bytes((self.kind,)) + size + time[1:] + time[:1] + bytes(3)
        return head + self.body + (TAG_HEAD + len(self.body)).to_bytes(4)

    @property
    def digest(self) -> str:
        """Return the MD5 of its payload, as ffprobe has it."""
        return hashlib.md5(self.payload).hexdigest()  # noqa: S324  as ffprobe's


Edit = Callable[[Tag], "Tag | Iterable[Tag] | None"]


@dataclass(frozen=True)
class FlvSource:
    """The tags of a stream in the order in which they are sent."""

    tags: tuple[Tag, ...]

    # --- reading ---------------------------------------------------------------------------------

    def frames(self, kind: int) -> list[Tag]:
        """Return the frames of a track."""
        return [tag for tag in self.tags if tag.kind == kind and tag.is_frame]

    def header(self, kind: int) -> Tag:
        """Return the first codec header of a track."""
        return next(tag for tag in self.tags if tag.kind == kind and tag.is_header)

    def hashes(self, kind: int) -> list[str]:
        """Return the digests of the frames of a track; pictures from the first IDR on."""
        frames = self.frames(kind)
        usable = dropwhile(lambda tag: not tag.has_idr, frames) if kind == VIDEO else frames
        return [tag.digest for tag in usable]

    @property
    def seconds(self) -> float:
        """Return how long a push takes at speed 1."""
        return max(tag.due for tag in self.tags) / 1000

    def write(self, path: Path) -> Path:
        """Write an FLV file."""
        path.write_bytes(FILE_HEAD + b"".join(tag.encode() for tag in self.tags))
        return path

    # --- editing ---------------------------------------------------------------------------------

    def edit(
        self, change: Edit, kind: int | None = None, since: int = 0, until: int = END
    ) -> "FlvSource":
        """Put what a function returns in place of each frame that is due from `since` to `until`.

        It returns a tag, several, or None to leave the frame out.
        """

        def edited() -> Iterator[Tag]:
            for tag in self.tags:
                if not (tag.is_frame and kind in {None, tag.kind} and since <= tag.due < until):
                    yield tag
                    continue
                new = change(tag)
                yield from (new,) if isinstance(new, Tag) else new or ()

        return _sorted(edited())

    def shift(self, kind: int | None, by: int, since: int = 0, until: int = END) -> "FlvSource":
        """Move timestamps of a track, or of both; the frames are sent when they were."""
        return self.edit(lambda tag: replace(tag, time=tag.time + by), kind, since, until)

    def delay(self, kind: int | None, by: int, since: int = 0, until: int = END) -> "FlvSource":
        """Send frames later, with later timestamps."""
        return self.edit(
            lambda tag: replace(tag, time=tag.time + by, due=tag.due + by), kind, since, until
        )

    def drop(self, kind: int | None, since: int = 0, until: int = END) -> "FlvSource":
        """Leave out frames; headers stay."""
        return self.edit(lambda _tag: None, kind, since, until)

    def without(self, kind: int) -> "FlvSource":
        """Leave out a track with its header; metadata says so."""
        rest = FlvSource(tuple(tag for tag in self.tags if tag.kind not in {kind, SCRIPT}))
        return rest.with_metadata(**_describe(rest.tags))

    def without_header(self, kind: int) -> "FlvSource":
        """Leave out the headers of a track."""
        return FlvSource(
            tuple(tag for tag in self.tags if not (tag.kind == kind and tag.is_header))
        )

    def with_header(self, kind: int, payload: bytes) -> "FlvSource":
        """Put this payload in place of that of each header of a track."""
        head = PAYLOAD_AT[kind]
        return FlvSource(
            tuple(
                replace(tag, body=tag.body[:head] + payload)
                if tag.kind == kind and tag.is_header
                else tag
                for tag in self.tags
            )
        )

    def with_composition(self, by: int, since: int = 0, until: int = END) -> "FlvSource":
        """Set the composition time of pictures, in milliseconds."""
        text = by.to_bytes(3, signed=True)
        return self.edit(
            lambda tag: replace(tag, body=tag.body[:2] + text + tag.body[5:]), VIDEO, since, until
        )

    def with_keys(self, is_key: Callable[[Tag], bool]) -> "FlvSource":
        """Set what the first byte of each picture says of it, whatever is in it."""
        return self.edit(
            lambda tag: replace(tag, body=(b"\x17" if is_key(tag) else b"\x27") + tag.body[1:]),
            VIDEO,
        )

    def with_metadata(self, **fields: Value) -> "FlvSource":
        """Begin with this metadata, in place of any other; none if there are no fields."""
        rest = tuple(tag for tag in self.tags if tag.kind != SCRIPT)
        return FlvSource((metadata(**fields), *rest) if fields else rest)

    def insert(self, *tags: Tag) -> "FlvSource":
        """Add tags where they are due, after those that are due then."""
        return _sorted((*self.tags, *tags))


def metadata(**fields: Value) -> Tag:
    """Return metadata as publishers begin with it."""
    return Tag(SCRIPT, 0, encode_amf("onMetaData", fields), 0)


def read_source(data: bytes) -> FlvSource:
    """Return the tags of an FLV file; each is due at its time."""
    tags, at = [], len(FILE_HEAD)
    while at < len(data):
        size = int.from_bytes(data[at + 1 : at + 4])
        time = int.from_bytes(data[at + 7 : at + 8] + data[at + 4 : at + 7])
        tags.append(Tag(data[at], time, data[at + TAG_HEAD : at + TAG_HEAD + size], time))
        at += TAG_HEAD + size + TAG_END
    return FlvSource(tuple(tags))


def plain() -> FlvSource:
    """Return what most tests start with."""
    return encode()


@cache
def encode(
    *,
    seconds: float = 8,
    rate: str = "25",
    gop: int = 25,
    size: str = "128x72",
    b_frames: int = 0,
    is_open: bool = False,
    has_sound: bool = True,
    filters: str = "null",
    more: tuple[str, ...] = (),
) -> FlvSource:
    """Have ffmpeg encode a test picture with a tone, once in a process.

    An open GOP has one IDR, the first picture; later key frames are recovery points. Without
    B-frames libx264 has none; a gradual refresh stands for it. `more` are options of libx264.
    """
    picture = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}")
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100") if has_sound else ()
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1")
    group = ("-g", str(gop), "-keyint_min", str(gop), "-bf", str(b_frames))
    options = "scenecut=0:" + one_idr(b_frames) if is_open else "scenecut=0"
    data = ffmpeg.run(
        *(*picture, *tone, "-t", str(seconds), "-vf", filters, "-fps_mode", "passthrough"),
        *(*codec, *group, "-x264-params", options, *more, "-c:a", "aac", "-b:a", "32k"),
        *("-flvflags", "no_duration_filesize", "-f", "flv", "-"),
    )
    # ffmpeg's metadata is about a file, and its last tag an end of sequence without payload.
    tags = [tag for tag in read_source(data).tags if tag.is_frame or tag.is_header]
    return FlvSource(tuple(tags)).with_metadata(**_describe(tags))


def one_idr(b_frames: int) -> str:
    """Return the option of libx264 for a stream of one IDR."""
    return "open-gop=1" if b_frames else "intra-refresh=1"


def _describe(tags: Iterable[Tag]) -> dict[str, Value]:
    """Return the metadata that announces the tracks of some tags."""
    kinds = {tag.kind for tag in tags}
    names: dict[str, Value] = {}
    if VIDEO in kinds:
        names["videocodecid"] = 7
    if AUDIO in kinds:
        names["audiocodecid"] = 10
    return names


def _sorted(tags: Iterable[Tag]) -> FlvSource:
    return FlvSource(tuple(sorted(tags, key=lambda tag: tag.due)))
