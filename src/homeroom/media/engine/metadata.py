"""Metadata of a live stream: what an encoder says about it, without the facts of a file."""

from collections.abc import Mapping
from math import isfinite
from typing import Final

from homeroom.base.values import Value
from homeroom.media.engine.amf0 import AMF0Reader, ProtocolError, encode, encode_ecma_array
from homeroom.media.engine.packets import AAC, AVC

METADATA: Final = encode("onMetaData")
"""Start of a script message with metadata."""
MAX_METADATA_VALUES: Final = 50_000
"""Values that are parsed or skipped, without those in arrays of numbers: some 20 ms of work."""
MAX_FIELDS: Final = 64
"""Maximum fields that viewers get."""
MAX_NAME_CHARS: Final = 64
MAX_TEXT_CHARS: Final = 512
"""Maximum length of the name and of the text of a field that viewers get."""
FILE_FACTS: Final = frozenset(
    (
        *("duration", "totalduration", "starttime", "creationdate", "creationtime"),
        *("filesize", "datasize", "videosize", "audiosize", "totalsize", "bytelength"),
        *("framecount", "videoframecount", "audioframecount", "totalframes", "nframes"),
        *("haskeyframes", "keyframes", "cuepoints", "hascuepoints", "seekpoints"),
        *("canseek", "canseektoend", "canseekontime", "moovposition", "trackinfo"),
        *("hasmetadata", "metadatacreator", "metadatadate"),
        # Facts of a live stream that its packets tell better: which tracks there really are.
        *("hasaudio", "hasvideo", "audiotrackidinfomap", "videotrackidinfomap"),
    )
)
"""Fields that no live viewer gets, in lower case and without underscores: a player that believes
in the duration of a file looks for its place at the end of it."""
FILE_FACT_START: Final = "last"
"""Start of the names of further ones: `lasttimestamp`, `lastkeyframelocation` ..."""


class StreamMetadata(Value, frozen=True):
    """Fields that describe a live stream."""

    fields: Mapping[str, float | bool | str]

    @property
    def has_audio(self) -> bool:
        """Return whether audio is announced."""
        return "audiocodecid" in self.fields

    @property
    def has_video(self) -> bool:
        """Return whether video is announced."""
        return "videocodecid" in self.fields

    def encode(self) -> bytes:
        """Return the body of the message for viewers."""
        return METADATA + encode_ecma_array(self.fields)


def read_metadata(body: bytes) -> StreamMetadata | None:
    """Read a script message with metadata; None if there is none in it.

    Where the rest cannot be read, as values in AMF3, the fields before it count.
    """
    reader = AMF0Reader(body, MAX_METADATA_VALUES)
    fields: dict[str, float | bool | str] = {}
    try:
        if reader.read_value() != "onMetaData":
            return None
        for name, value in reader.read_scalars():
            if len(fields) < MAX_FIELDS and _describes_stream(name, value):
                fields[name] = value
    except ProtocolError:
        if not fields:
            return None
    # An encoder may name them by FourCC, as a number or a text. The packets that viewers get have
    # classic headers, and nothing else than these two codecs.
    for name, codec in (("videocodecid", AVC), ("audiocodecid", AAC)):
        if name in fields:
            fields[name] = float(codec)
    return StreamMetadata(fields)


def _describes_stream(name: str, value: float | bool | str) -> bool:  # noqa: FBT001  a value, not a mode
    plain = name.lower().replace("_", "")
    if plain in FILE_FACTS or plain.startswith(FILE_FACT_START) or len(name) > MAX_NAME_CHARS:
        return False
    if isinstance(value, str):
        return len(value) <= MAX_TEXT_CHARS
    return isfinite(value)
