"""Mends a recording that was cut off in the middle, as a crash leaves it."""

import os
from contextlib import suppress
from pathlib import Path

from homeroom.media.engine.boxes import Broken, Place, content, places
from homeroom.media.engine.fragments import MOST_FRAGMENT, MOST_MOVIE, Run, Track, runs, tracks


def mend(path: Path) -> int | None:
    """Cut a recording after the last chunk that reads and return its duration in milliseconds.

    Returns none, and leaves the file alone, where not one chunk is whole; raises `Broken` where
    there are chunks, and not one that reads.
    """
    file = os.open(path, os.O_RDWR)
    try:
        return _mend(file)
    finally:
        os.close(file)


def _mend(file: int) -> int | None:
    movie: Place | None = None
    chunks: list[tuple[Place, int]] = []
    moof: Place | None = None
    with suppress(Broken):  # what comes behind a box that makes no sense is lost
        for place in places(file):
            if place.name == b"moov":
                movie = place
            elif place.name == b"moof":
                moof = place
            elif place.name == b"mdat" and moof is not None:
                chunks.append((moof, place.end))
                moof = None
    if movie is None or not chunks:
        return None
    known = tracks(content(file, movie, MOST_MOVIE))
    # Of an hour of chunks the first and the last are read, of all others only the heads.
    first = _runs(file, chunks[0][0], known)
    end, final = _last(file, chunks, known)
    os.ftruncate(file, end)
    os.fsync(file)
    # The first may be damaged so that it reads, and holds nothing.
    begin = min((run.begin / known[run.track].scale for run in first or final), default=0)
    ends = (run.end / known[run.track].scale for run in final)
    return round(1000 * max([0, *(end - begin for end in ends)]))


def _last(
    file: int, chunks: list[tuple[Place, int]], known: dict[int, Track]
) -> tuple[int, list[Run]]:
    """Return where the last chunk that reads ends, and what is in it."""
    for moof, end in reversed(chunks):
        with suppress(Broken):
            return end, _runs(file, moof, known)
    raise Broken("not one chunk of it reads")


def _runs(file: int, place: Place, known: dict[int, Track]) -> list[Run]:
    return list(runs(content(file, place, MOST_FRAGMENT), place, known))
