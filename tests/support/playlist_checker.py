"""Checks every playlist of a stream against the rules of draft-pantos-hls-rfc8216bis.

Each rule is one function, and its docstring names the section. A SHOULD counts as a MUST.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit

from tests.support.playlist import Playlist, Segment, SyntaxFaultError, read_playlist

MIN_SHARE: Final = 0.85
ROUNDED: Final = 0.0006
"""Seconds by which one duration may differ for its three decimals."""
MIN_VERSIONS: Final = {"EXTINF": 3, "EXT-X-MAP": 6, "EXT-X-SKIP": 9}
ONCE: Final = (
    *("EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-TARGETDURATION"),
    *("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-ENDLIST"),
    *("EXT-X-PART-INF", "EXT-X-SERVER-CONTROL", "EXT-X-SKIP", "EXT-X-PRELOAD-HINT"),
)

Rule = Callable[[Playlist, Playlist], Iterator[str]]
RULES: Final[dict[str, Rule]] = {}
"""The rules of one playlist and the one read before it; the first one follows itself."""


def rule(check: Rule) -> Rule:
    """Add a rule."""
    RULES[check.__name__] = check
    return check


@rule
def tags_occur_once(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.1.2, 4.4.2, 4.4.3 and 4.4.5: at most one of each; one hint (6.2.6)."""
    yield from (f"{tag} occurs {new.count(tag)} times" for tag in ONCE if new.count(tag) > 1)


@rule
def needed_tags_are_there(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.3.1, 4.4.3.7, 4.4.3.8, 6.2.2 and the low-latency profile of appendix B.1."""
    if new.target < 1:
        yield "no target duration of 1 or more"
    for tag in ("EXT-X-VERSION", "EXT-X-MEDIA-SEQUENCE"):
        if not new.count(tag):
            yield f"no {tag}"
    if any(segment.is_discontinuous for segment in new.segments) and not new.count(
        "EXT-X-DISCONTINUITY-SEQUENCE"
    ):
        yield "a discontinuity without EXT-X-DISCONTINUITY-SEQUENCE"
    if new.parts and new.part_target is None:
        yield "parts without PART-TARGET"
    if new.part_target is None:
        return
    control = new.attributes.get("EXT-X-SERVER-CONTROL", {})
    for attribute in ("PART-HOLD-BACK", "CAN-BLOCK-RELOAD"):
        if attribute not in control:
            yield f"no {attribute}"
    if any(segment.date is None for segment in new.segments):
        yield "a segment without a date"


@rule
def tags_stand_in_order(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.3.2, 4.4.3.3 and 4.4.4.9: counters before segments, a segment's tags first."""
    if new.is_misplaced:
        yield "a tag comes too late"


@rule
def version_fits(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check section 8."""
    version = new.number("EXT-X-VERSION") or 1
    for tag, minimum in MIN_VERSIONS.items():
        if new.count(tag) and version < minimum:
            yield f"{tag} needs version {minimum}"


@rule
def segments_fit_the_target(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.3.1."""
    for segment in new.segments:
        if int(segment.length + 0.5) > new.target:
            yield f"segment {segment.number} lasts {segment.length} s"


@rule
def parts_fit_the_target(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.4.9: no part is longer than the part target."""
    for part in new.parts:
        if part.duration > (new.part_target or 0):
            yield f"{part.uri} lasts {part.duration} s"


@rule
def parts_are_long_enough(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.4.9: 85 %, but for independent ones, gaps, those before a gap, and last ones."""
    minimum = MIN_SHARE * (new.part_target or 0)
    for segment in new.segments:
        for part, after in pairwise(segment.parts):
            is_exempt = part.is_independent or part.is_gap or after.is_gap
            if part.duration < minimum - ROUNDED and not is_exempt:
                yield f"{part.uri} lasts {part.duration} s"


@rule
def parts_add_up(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check that a segment lasts as long as its parts."""
    for segment in new.complete:
        length = sum(part.duration for part in segment.parts)
        if segment.parts and abs(length - segment.length) > ROUNDED * len(segment.parts):
            yield f"segment {segment.number} lasts {segment.length} s, its parts {length:.3f} s"


@rule
def parts_are_at_the_end(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 6.2.2: parts are listed for the last three target durations, and no longer."""
    after = sum(segment.length for segment in new.segments)
    has_parts = [bool(segment.parts) for segment in new.segments]
    if has_parts != sorted(has_parts):
        yield "parts are missing among others"
    for segment in new.segments:
        after -= segment.length
        longest = new.target + 0.5
        if segment.parts and after > 3 * new.target + longest:
            yield f"parts of segment {segment.number} are still listed"


@rule
def hold_backs_are_long_enough(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.3.8."""
    hold_back = new.number("EXT-X-SERVER-CONTROL", "HOLD-BACK")
    if hold_back is not None and hold_back < 3 * new.target:
        yield f"HOLD-BACK is {hold_back}"
    hold_back = new.number("EXT-X-SERVER-CONTROL", "PART-HOLD-BACK")
    if hold_back is not None and hold_back < 3 * (new.part_target or 0) - ROUNDED:
        yield f"PART-HOLD-BACK is {hold_back}"


@rule
def skip_boundary_is_far_enough(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.3.8."""
    boundary = new.number("EXT-X-SERVER-CONTROL", "CAN-SKIP-UNTIL")
    if boundary is not None and boundary < 6 * new.target:
        yield f"CAN-SKIP-UNTIL is {boundary}"


@rule
def maps_come_first(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 3.1.2: fragments need their initialization section."""
    for segment in new.segments:
        if not segment.map_uri and not new.skipped:
            yield f"segment {segment.number} has no EXT-X-MAP"


@rule
def changed_maps_are_discontinuities(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.4.3."""
    for before, segment in pairwise(new.segments):
        if before.map_uri and before.map_uri != segment.map_uri and not segment.is_discontinuous:
            yield f"segment {segment.number} has another EXT-X-MAP"


@rule
def dates_go_on(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.4.6 and 6.2.1: each date is where the segment before it ends."""
    for before, segment in pairwise(new.segments):
        if before.date is None or segment.date is None:
            continue
        gap = (segment.date - before.date).total_seconds() - before.length
        if gap < -2 * ROUNDED:
            yield f"segment {segment.number} is dated {-gap:.3f} s too early"
        if gap > MAX_LAG and not segment.is_discontinuous and gap < MIN_LEAP:
            yield f"segment {segment.number} is dated {gap:.3f} s too late"


MAX_LAG: Final = 0.002
MIN_LEAP: Final = 1.0
"""Seconds without media from which on dates leap: less is a fault of the sums."""


@rule
def addresses_are_relative_and_signed(new: Playlist, before: Playlist) -> Iterator[str]:
    """Check that each address has the query of the playlist's first one."""
    query = urlsplit(before.uris[0]).query if before.uris else ""
    for uri in new.uris:
        parts = urlsplit(uri)
        if parts.scheme or parts.netloc or parts.path.startswith("/") or parts.query != query:
            yield f"the address {uri}"


@rule
def addresses_are_unique(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check that no two things have one address."""
    if len(set(new.uris)) < len(new.uris):
        yield "an address occurs twice"


@rule
def the_next_part_is_hinted(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.5.3 and B.1: a hint, unless the stream has ended."""
    if new.is_ended and new.hint is not None:
        yield "a hint after the end"
    if not new.is_ended and new.part_target is not None and new.hint is None:
        yield "no hint"


@rule
def segments_are_independent(new: Playlist, _: Playlist) -> Iterator[str]:
    """Check 4.4.2.1: what the tag says is true."""
    if new.count("EXT-X-INDEPENDENT-SEGMENTS"):
        for segment in new.segments:
            if segment.parts and not segment.parts[0].is_independent:
                yield f"segment {segment.number} is not"


@rule
def the_window_is_long_enough(new: Playlist, before: Playlist) -> Iterator[str]:
    """Check 6.2.2: removing segments leaves three target durations."""
    if not new.is_ended and _first(new) > _first(before):
        length = sum(segment.length for segment in new.complete)
        length += 0 if not new.skipped else new.skipped * new.target
        if length < 3 * new.target:
            yield f"{length:.3f} s are left"


@rule
def targets_never_change(new: Playlist, before: Playlist) -> Iterator[str]:
    """Check 6.2.1."""
    for tag in ("EXT-X-TARGETDURATION", "EXT-X-PART-INF", "EXT-X-SERVER-CONTROL"):
        if new.attributes.get(tag) != before.attributes.get(tag):
            yield f"{tag}: {before.attributes.get(tag)} became {new.attributes.get(tag)}"


@rule
def the_independence_tag_does_not_come_later(new: Playlist, before: Playlist) -> Iterator[str]:
    """Check 6.2.1: it can only go, when it is no longer true."""
    tag = "EXT-X-INDEPENDENT-SEGMENTS"
    if new.count(tag) > before.count(tag):
        yield "it came later"


@rule
def numbers_never_decrease(new: Playlist, before: Playlist) -> Iterator[str]:
    """Check 6.2.2: of the first segment, the first discontinuity, and the last segment."""
    for tag in ("EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE"):
        if (new.number(tag) or 0) < (before.number(tag) or 0):
            yield f"{tag} decreased"
    if _position(new) < _position(before):
        yield "a segment or a part has gone from the end"


@rule
def segments_never_change(new: Playlist, before: Playlist) -> Iterator[str]:
    """Check 6.2.1: a segment with its tags stays what it is, and keeps its number."""
    old = {segment.number: segment for segment in before.segments}
    for segment in new.segments:
        known = old.get(segment.number)
        if known is None:
            continue
        same = replace(segment, parts=[], map_uri=segment.map_uri or known.map_uri)
        if known.uri and same != replace(known, parts=[], map_uri=known.map_uri or same.map_uri):
            yield f"segment {segment.number} changed"
        if not known.uri and (segment.date, segment.is_discontinuous) != (
            known.date,
            known.is_discontinuous,
        ):
            yield f"the tags of segment {segment.number} changed"
        if segment.parts and segment.parts[: len(known.parts)] != known.parts:
            yield f"the parts of segment {segment.number} changed"


@rule
def parts_stay_while_they_must(new: Playlist, before: Playlist) -> Iterator[str]:
    """Check 6.2.1: only old parts go, and those of a segment all at once."""
    old = {segment.number: segment for segment in before.segments}
    after = sum(segment.length for segment in new.segments)
    for segment in new.segments:
        after -= segment.length
        known = old.get(segment.number)
        if known and known.parts and not segment.parts and after < 3 * new.target - ROUNDED:
            yield f"the parts of segment {segment.number} have gone"


@rule
def the_hint_was_true(new: Playlist, before: Playlist) -> Iterator[str]:
    """Check 4.4.5.3: the part that follows has the address of the hint."""
    known = {part.uri for part in before.parts}
    following = next((part.uri for part in new.parts if part.uri not in known), None)
    is_near = not before.parts or any(part.uri in known for part in new.parts)
    if before.hint is not None and following is not None and is_near and following != before.hint:
        yield f"{before.hint} was hinted, {following} came"


@rule
def the_end_is_final(new: Playlist, before: Playlist) -> Iterator[str]:
    """Check 4.4.3.4."""
    if before.is_ended and new.text != before.text:
        yield "the playlist changed after its end"


def _first(playlist: Playlist) -> float:
    return playlist.number("EXT-X-MEDIA-SEQUENCE") or 0


def _position(playlist: Playlist) -> tuple[int, int]:
    """Return the number of the first segment that is not complete, and its parts."""
    last: Segment | None = playlist.segments[-1] if playlist.segments else None
    if last is None:
        return int(_first(playlist)), 0
    return (last.number + 1, 0) if last.uri else (last.number, len(last.parts))


@dataclass
class PlaylistChecker:
    """Takes the playlists of one stream in the order in which they were read."""

    faults: list[str] = field(default_factory=list)
    playlists: list[Playlist] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, text: bytes | str, read_at: float = 0.0) -> Playlist | None:
        """Check a playlist; returns it, or None if it cannot be read."""
        with self._lock:
            return self._add(text if isinstance(text, str) else text.decode(), read_at)

    def _add(self, text: str, read_at: float) -> Playlist | None:
        try:
            new = read_playlist(text, read_at)
        except SyntaxFaultError as fault:
            self.faults.append(f"syntax: {fault}")
            return None
        before = self.playlists[-1] if self.playlists else new
        for name, check in RULES.items():
            self.faults += [f"{name}: {fault}" for fault in check(new, before)]
        self.playlists.append(new)
        return new

    def check_delta(self, full: str, delta: str) -> None:
        """Check that a delta update of a moment is the playlist of that moment (6.2.5.1)."""
        whole, new = read_playlist(full), read_playlist(delta)
        boundary = whole.number("EXT-X-SERVER-CONTROL", "CAN-SKIP-UNTIL") or 0
        left = sum(segment.length for segment in whole.complete)
        far = 0
        for segment in whole.complete:
            left -= segment.length
            far += left >= boundary - ROUNDED and not whole.is_ended
        if new.skipped != far:
            self.faults.append(f"delta: {new.skipped} segments are skipped, not {far}")
        skip = f"#EXT-X-SKIP:SKIPPED-SEGMENTS={new.skipped}\n"
        head, _, rest = delta.partition(skip) if new.skipped else ("", "", delta)
        gone = full[len(head) : len(full) - len(rest)]
        if not (full.startswith(head) and full.endswith(rest)):
            self.faults.append("delta: it differs from the playlist")
        if any(gone.startswith(f"#{tag}") for tag in ONCE):
            self.faults.append("delta: a tag of the whole playlist is missing")
        expected = [segment.number for segment in whole.segments[new.skipped :]]
        if [segment.number for segment in new.segments] != expected:
            self.faults.append("delta: segments are missing")

    def check_reload(self, text: bytes | str, number: int, part: int | None) -> None:
        """Check that a blocking reload has what it waited for (6.2.5.2)."""
        new = self.add(text)
        if new is None or new.is_ended:
            return
        if _position(new) < ((number + 1, 0) if part is None else (number, part + 1)):
            self.faults.append(f"reload: {_position(new)} instead of {(number, part)}")

    def done(self) -> list[Playlist]:
        """Return all playlists; fails if there is a fault."""
        assert not self.faults, "\n".join([*dict.fromkeys(self.faults)][:20])
        return self.playlists
