"""Reports on the streams of a class for its teacher: figures, and what to change."""

import msgspec

from homeroom.base.stream_problems import StreamProblem
from homeroom.domain.lessons import Lesson
from homeroom.domain.streams import StreamFacts, StreamKind, stream_name
from homeroom.player.state import Facts

SIGNIFICANT_DIGITS = 2
"""Digits of a rate: more would change with every report."""
SLOW_FRAMES = 5
"""Frames per second below which a digit after the point matters."""


class StreamReport(msgspec.Struct, frozen=True):
    """Figures of a stream on the air, each null if it is not known, and its present problems."""

    kind: StreamKind
    kbps: int | None
    """Picture and sound together, in kilobits per second."""
    frame_rate: float | None
    key_frame_seconds: float | None
    problems: tuple[StreamProblem, ...]


class StreamReports(msgspec.Struct, frozen=True, tag_field="t", tag="streams"):
    """Reports on the streams that are on the air; only teachers get it."""

    streams: list[StreamReport]


def build_stream_reports(lesson: Lesson, facts: Facts) -> StreamReports:
    """Return the reports on a class's streams that our own engine measures."""
    return StreamReports(
        [
            report
            for kind in StreamKind
            if (report := build_report(kind, facts(stream_name(lesson.key, kind)))) is not None
        ]
    )


def build_report(kind: StreamKind, about: StreamFacts | None) -> StreamReport | None:
    """Return the report on a stream, None if it does not run or the engine is not our own."""
    if about is None or about.figures is None:
        return None
    figures = about.figures
    rates = [rate for rate in (figures.video_kbps, figures.audio_kbps) if rate is not None]
    return StreamReport(
        kind,
        _round(sum(rates)) if rates else None,
        figures.frame_rate and round(figures.frame_rate, int(figures.frame_rate < SLOW_FRAMES)),
        round(about.key_frame_ms / 1000, 1) if about.key_frame_ms is not None else None,
        about.problems,
    )


def _round(rate: int) -> int:
    return round(rate, SIGNIFICANT_DIGITS - len(str(rate)))
