"""Media playlists of HLS, read by the letter of draft-pantos-hls-rfc8216bis."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

INTEGER: Final = re.compile(r"\d{1,20}")
DECIMAL: Final = re.compile(r"\d+(\.\d+)?")
QUOTED: Final = re.compile(r'"[^"\r\n]*"')
YES: Final = re.compile(r"YES")
PART: Final = re.compile(r"PART|MAP")
DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,}(Z|[+-]\d\d:?\d\d)")
DURATION: Final = re.compile(r"\d+(\.\d+)?,.*")
NOTHING: Final = re.compile(r"")
ATTRIBUTE: Final = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)(?:,|$)')

VALUES: Final = {
    "EXTM3U": NOTHING,
    "EXT-X-VERSION": INTEGER,
    "EXT-X-INDEPENDENT-SEGMENTS": NOTHING,
    "EXT-X-TARGETDURATION": INTEGER,
    "EXT-X-MEDIA-SEQUENCE": INTEGER,
    "EXT-X-DISCONTINUITY-SEQUENCE": INTEGER,
    "EXT-X-ENDLIST": NOTHING,
    "EXTINF": DURATION,
    "EXT-X-DISCONTINUITY": NOTHING,
    "EXT-X-PROGRAM-DATE-TIME": DATE,
    "EXT-X-GAP": NOTHING,
}
"""Tags with a value, or without one."""
LISTS: Final = {
    "EXT-X-PART-INF": {"PART-TARGET": DECIMAL},
    "EXT-X-SERVER-CONTROL": {
        "CAN-SKIP-UNTIL": DECIMAL,
        "HOLD-BACK": DECIMAL,
        "PART-HOLD-BACK": DECIMAL,
        "CAN-BLOCK-RELOAD": YES,
    },
    "EXT-X-MAP": {"URI": QUOTED},
    "EXT-X-PART": {"URI": QUOTED, "DURATION": DECIMAL, "INDEPENDENT": YES, "GAP": YES},
    "EXT-X-SKIP": {"SKIPPED-SEGMENTS": INTEGER},
    "EXT-X-PRELOAD-HINT": {"TYPE": PART, "URI": QUOTED},
}
"""Tags with attributes, and what those may be; what our server has no use for is missing."""
NEEDED: Final = {
    "EXT-X-PART-INF": {"PART-TARGET"},
    "EXT-X-MAP": {"URI"},
    "EXT-X-PART": {"URI", "DURATION"},
    "EXT-X-SKIP": {"SKIPPED-SEGMENTS"},
    "EXT-X-PRELOAD-HINT": {"TYPE", "URI"},
}


class SyntaxFaultError(Exception):
    """A line that the grammar does not allow."""


@dataclass(frozen=True)
class Part:
    """A partial segment."""

    uri: str
    duration: float
    is_independent: bool
    is_gap: bool


@dataclass
class Segment:
    """A segment; the one that still grows has no address and no duration."""

    number: int
    discontinuity: int = 0
    is_discontinuous: bool = False
    map_uri: str = ""
    date: datetime | None = None
    is_gap: bool = False
    duration: float | None = None
    uri: str = ""
    parts: list[Part] = field(default_factory=list)

    @property
    def length(self) -> float:
        """Return its seconds so far."""
        parts = sum(part.duration for part in self.parts)
        return self.duration if self.duration is not None else parts


@dataclass
class Playlist:
    """One version of a playlist."""

    text: str
    read_at: float
    tags: list[tuple[str, str]] = field(default_factory=list)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Attributes of the tags that occur once."""
    segments: list[Segment] = field(default_factory=list)
    """With the one that grows, if there is one."""
    is_misplaced: bool = False
    """Whether a tag of the whole playlist follows a segment, or a segment's tag its parts."""
    skipped: int = 0

    def number(self, tag: str, attribute: str = "") -> float | None:
        """Return the number of a tag, or of its attribute, or None without it."""
        value = self.attributes.get(tag, {}).get(attribute)
        return float(value) if value is not None else None

    def count(self, tag: str) -> int:
        """Return how often a tag occurs."""
        return sum(name == tag for name, _ in self.tags)

    @property
    def target(self) -> float:
        """Return the target duration."""
        return self.number("EXT-X-TARGETDURATION") or 0

    @property
    def part_target(self) -> float | None:
        """Return the part target."""
        return self.number("EXT-X-PART-INF", "PART-TARGET")

    @property
    def hint(self) -> str | None:
        """Return the address of the next part."""
        return self.attributes.get("EXT-X-PRELOAD-HINT", {}).get("URI")

    @property
    def is_ended(self) -> bool:
        """Return whether nothing will follow."""
        return bool(self.count("EXT-X-ENDLIST"))

    @property
    def complete(self) -> list[Segment]:
        """Return the segments that do not grow any more."""
        return [segment for segment in self.segments if segment.uri]

    @property
    def parts(self) -> list[Part]:
        """Return all parts in their order."""
        return [part for segment in self.segments for part in segment.parts]

    @property
    def uris(self) -> list[str]:
        """Return all addresses."""
        own = [segment.uri for segment in self.complete]
        maps = list(dict.fromkeys(segment.map_uri for segment in self.segments if segment.map_uri))
        hint = [self.hint] if self.hint is not None else []
        return [*own, *maps, *(part.uri for part in self.parts), *hint]


def read_playlist(text: str, read_at: float = 0.0) -> Playlist:
    """Parse a playlist; raises `SyntaxFaultError`."""
    playlist = Playlist(text, read_at)
    lines = text.split("\n")
    if lines[0] != "#EXTM3U" or lines[-1]:
        raise SyntaxFaultError("it does not begin with #EXTM3U, or ends within a line")
    growing, map_uri, number, discontinuity = Segment(0), "", 0, 0
    for line in lines[:-1]:
        if not line.startswith("#"):
            if not line or line.strip() != line or growing.duration is None:
                raise SyntaxFaultError(f"an address without a duration: {line!r}")
            growing.uri = line
            growing = replace(Segment(0), number=number)
            continue
        tag, _, value = line[1:].partition(":")
        playlist.tags.append((tag, value))
        attributes = _read_attributes(tag, value)
        if tag not in {"EXT-X-PART", "EXT-X-MAP"}:
            playlist.attributes[tag] = attributes
        is_new = not playlist.segments or playlist.segments[-1] is not growing
        if tag in {"EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-SKIP"}:
            playlist.is_misplaced |= bool(playlist.segments)
            number = int(attributes.get("SKIPPED-SEGMENTS", 0)) + number
            number = int(value) if tag == "EXT-X-MEDIA-SEQUENCE" else number
            discontinuity = int(value) if tag == "EXT-X-DISCONTINUITY-SEQUENCE" else discontinuity
            playlist.skipped = int(attributes.get("SKIPPED-SEGMENTS", playlist.skipped))
        elif tag in _SEGMENT_TAGS:
            if is_new:
                playlist.segments.append(growing)
                growing.number, number = number, number + 1
                growing.discontinuity, growing.map_uri = discontinuity, map_uri
            before = tag in {"EXT-X-MAP", "EXT-X-DISCONTINUITY", "EXT-X-PROGRAM-DATE-TIME"}
            playlist.is_misplaced |= before and bool(growing.parts)
            _apply(growing, tag, value, attributes)
            map_uri, discontinuity = growing.map_uri, growing.discontinuity
    return playlist


_SEGMENT_TAGS: Final = {
    *("EXTINF", "EXT-X-DISCONTINUITY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME"),
    *("EXT-X-GAP", "EXT-X-PART"),
}


def _apply(segment: Segment, tag: str, value: str, attributes: dict[str, str]) -> None:
    """Note a tag of a segment."""
    if tag == "EXTINF":
        segment.duration = float(value.partition(",")[0])
    elif tag == "EXT-X-DISCONTINUITY":
        segment.is_discontinuous = True
        segment.discontinuity += 1
    elif tag == "EXT-X-MAP":
        segment.map_uri = attributes["URI"]
    elif tag == "EXT-X-PROGRAM-DATE-TIME":
        segment.date = datetime.fromisoformat(value)
    elif tag == "EXT-X-GAP":
        segment.is_gap = True
    else:
        is_independent, is_gap = "INDEPENDENT" in attributes, "GAP" in attributes
        duration = float(attributes["DURATION"])
        segment.parts.append(Part(attributes["URI"], duration, is_independent, is_gap))


def _read_attributes(tag: str, value: str) -> dict[str, str]:
    """Return the attributes of a tag, its value under the empty name; raises for bad ones."""
    if tag in VALUES:
        if not VALUES[tag].fullmatch(value):
            raise SyntaxFaultError(f"{tag} cannot be {value!r}")
        return {"": value}
    if tag not in LISTS:
        raise SyntaxFaultError(f"there is no tag {tag}")
    attributes: dict[str, str] = {}
    at = 0
    while at < len(value):
        pair = ATTRIBUTE.match(value, at)
        form = LISTS[tag].get(pair[1]) if pair else None
        if pair is None or form is None or pair[1] in attributes or not form.fullmatch(pair[2]):
            raise SyntaxFaultError(f"an attribute of {tag}: {value[at:]}")
        attributes[pair[1]] = pair[2].strip('"')
        at = pair.end()
    if value.endswith(",") or NEEDED.get(tag, set()) - attributes.keys():
        raise SyntaxFaultError(f"attributes are missing: {tag}:{value}")
    return attributes
