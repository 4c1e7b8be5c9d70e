"""Checks the files of an HLS stream against its playlists: fragments, times, key frames."""

from collections.abc import Iterator, Mapping

from homeroom.media.engine.boxes import BoxLocation, MalformedMP4Error, boxes, child
from homeroom.media.engine.fragments import FragmentTrack, TrackRun, read_runs, read_tracks
from homeroom.media.engine.init_segment import AUDIO_TRACK, VIDEO_TRACK
from tests.support.playlist import Part, Playlist, Segment

IDR = 5
ROUNDING = 0.03
"""Seconds that a part may differ from its frames: one frame of sound, and milliseconds."""


def read_part(data: bytes, tracks: dict[int, FragmentTrack]) -> Iterator[TrackRun]:
    """Return the runs of a part or a segment; its boxes must hold nothing else."""
    view, at = memoryview(data), 0
    while at < len(data):
        pair = list(boxes(view[at:]))[:2]
        if [name for name, _ in pair] != [b"moof", b"mdat"]:
            raise MalformedMP4Error("no pair of moof and mdat")
        moof, mdat = (content for _, content in pair)
        runs = list(read_runs(moof, BoxLocation(b"moof", at, 8, len(moof) + 8), tracks))
        begin = at + len(moof) + 16
        for run in sorted(runs, key=lambda run: run.offset):
            if run.offset != begin or not run.sizes:
                raise MalformedMP4Error("frames are not where they should be")
            begin += sum(run.sizes)
        at += len(moof) + len(mdat) + 16
        if begin != at:
            raise MalformedMP4Error("mdat has more than frames")
        yield from runs


def starts_with_idr(data: bytes, runs: list[TrackRun]) -> bool:
    """Return whether the first picture of a part is an IDR."""
    video = [run for run in runs if run.track == VIDEO_TRACK]
    if not video or not video[0].keys[0]:
        return False
    at, end = video[0].offset, video[0].offset + video[0].sizes[0]
    kinds = set()
    while at + 4 < end:
        kinds.add(data[at + 4] & 0x1F)
        at += 4 + int.from_bytes(data[at : at + 4])
    return at == end and IDR in kinds


class _Timeline:
    """Follows the tracks from one discontinuity to the next."""

    def __init__(self) -> None:
        self._ends: dict[int, float] = {}
        self._begin = 0.0
        self._listed = 0.0
        self._longest = 0.0

    def follow(
        self, duration: float, runs: list[TrackRun], scales: dict[int, int]
    ) -> Iterator[str]:
        """Add the runs of a part that is listed with this duration; returns the faults."""
        for run in runs:
            scale = scales[run.track]
            if not self._ends:
                self._begin = run.begin / scale
            if abs(run.begin / scale - self._ends.get(run.track, run.begin / scale)) > 1 / scale:
                yield f"track {run.track} begins at {run.begin}"
            self._ends[run.track] = run.end / scale
            self._longest = max(self._longest, *(each / scale for each in run.durations))
        self._listed += duration
        if not self._ends:
            return
        # Pictures may last longer than parts; sound goes on in all of them.
        end = self._ends.get(AUDIO_TRACK, max(self._ends.values()))
        if abs(end - self._begin - self._listed) > self._longest + ROUNDING:
            yield f"it ends at {end - self._begin:.3f} s, and is listed up to {self._listed:.3f} s"


def find_media_faults(playlists: list[Playlist], files: Mapping[str, bytes]) -> list[str]:
    """Return the faults of all segments that were ever complete with their parts."""
    segments: dict[int, Segment] = {}
    for playlist in playlists:
        segments.update({each.number: each for each in playlist.complete if each.parts})
    faults: list[str] = []
    timeline = _Timeline()
    for number, segment in sorted(segments.items()):
        tracks = read_tracks(child(memoryview(files[segment.map_uri]), b"moov"))
        if b"".join(files[part.uri] for part in segment.parts) != files[segment.uri]:
            faults.append(f"segment {number} is not its parts")
        if segment.is_discontinuous:
            timeline = _Timeline()
        for part in segment.parts:
            faults += [
                f"{part.uri}: {fault}" for fault in _check(part, files[part.uri], tracks, timeline)
            ]
    return faults


def _check(
    part: Part, data: bytes, tracks: dict[int, FragmentTrack], timeline: _Timeline
) -> Iterator[str]:
    try:
        runs = list(read_part(data, tracks))
    except MalformedMP4Error as fault:
        yield str(fault)
        return
    if VIDEO_TRACK in tracks and part.is_independent and not starts_with_idr(data, runs):
        yield "it is not independent"
    scales = {number: track.scale for number, track in tracks.items()}
    yield from timeline.follow(part.duration, runs, scales)
