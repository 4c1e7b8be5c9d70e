"""Repairs a recording that a crash has truncated."""

import os
from contextlib import suppress
from pathlib import Path

from homeroom.media.engine.boxes import BoxLocation, MalformedMP4Error, locate_boxes, read_content
from homeroom.media.engine.fragments import (
    MAX_MOOF_BYTES,
    MAX_MOOV_BYTES,
    FragmentTrack,
    TrackRun,
    read_runs,
    read_tracks,
)


def repair(path: Path) -> int | None:
    """Truncate a recording after its last readable chunk; returns its duration in milliseconds.

    Returns None, and does not change the file, if no chunk is complete. Raises
    `MalformedMP4Error` if there are chunks but none is readable.
    """
    file = os.open(path, os.O_RDWR)
    try:
        return _repair(file)
    finally:
        os.close(file)


def _repair(file: int) -> int | None:
    movie: BoxLocation | None = None
    chunks: list[tuple[BoxLocation, int]] = []
    moof: BoxLocation | None = None
    with suppress(MalformedMP4Error):  # data after an invalid box is lost
        for place in locate_boxes(file):
            if place.name == b"moov":
                movie = place
            elif place.name == b"moof":
                moof = place
            elif place.name == b"mdat" and moof is not None:
                chunks.append((moof, place.end))
                moof = None
    if movie is None or not chunks:
        return None
    known_tracks = read_tracks(read_content(file, movie, MAX_MOOV_BYTES))
    # Only the first and the last chunk are read, and only the heads of the others.
    first = _read_chunk(file, chunks[0][0], known_tracks)
    end, final = _last_readable(file, chunks, known_tracks)
    os.ftruncate(file, end)
    os.fsync(file)
    # A damaged first chunk can be readable but empty.
    begin = min((run.begin / known_tracks[run.track].scale for run in first or final), default=0)
    ends = (run.end / known_tracks[run.track].scale for run in final)
    return round(1000 * max([0, *(end - begin for end in ends)]))


def _last_readable(
    file: int, chunks: list[tuple[BoxLocation, int]], known_tracks: dict[int, FragmentTrack]
) -> tuple[int, list[TrackRun]]:
    """Return the end of the last readable chunk, and its runs."""
    for moof, end in reversed(chunks):
        with suppress(MalformedMP4Error):
            return end, _read_chunk(file, moof, known_tracks)
    raise MalformedMP4Error("not one chunk of it reads")


def _read_chunk(
    file: int, place: BoxLocation, known_tracks: dict[int, FragmentTrack]
) -> list[TrackRun]:
    return list(read_runs(read_content(file, place, MAX_MOOF_BYTES), place, known_tracks))
