"""What a teacher reads of the streams on the air."""

import json
from pathlib import Path

import pytest

from homeroom import player
from homeroom.base.stream_problems import REMEDIES, StreamProblem
from homeroom.domain.streams import StreamFacts, StreamFigures, StreamKind
from homeroom.player.stream_reports import StreamReport, build_report


def facts(
    kbps: tuple[int | None, int | None], rate: float | None, key_frame_ms: int | None
) -> StreamFacts:
    figures = StreamFigures(*kbps, rate, None, {})
    problems = (StreamProblem.SOUND_MISSING,)
    return StreamFacts(key_frame_ms, {}, "on", None, problems, figures)


@pytest.mark.parametrize(
    ("about", "figures"),
    [
        (facts((2437, 128), 25.0, 1998), (2600, 25, 2.0)),
        (facts((2437, None), 29.97, 1001), (2400, 30, 1.0)),
        (facts((None, 96), None, None), (96, None, None)),
        (facts((7, None), 0.5, 20_040), (7, 0.5, 20.0)),
        (facts((0, 0), 0.0, None), (0, 0.0, None)),
        (facts((None, None), None, None), (None, None, None)),
    ],
)
def test_figures_are_short(
    about: StreamFacts, figures: tuple[int | None, float | None, float | None]
) -> None:
    report = build_report(StreamKind.CLASS, about)
    assert report == StreamReport(StreamKind.CLASS, *figures, about.problems)


def test_an_external_media_server_has_no_report() -> None:
    assert build_report(StreamKind.CLASS, StreamFacts(None, {}, None, None)) is None
    assert build_report(StreamKind.CLASS, None) is None


def test_each_problem_has_a_remedy_and_a_text_in_both_languages() -> None:
    texts = json.loads((Path(player.__file__).parent / "texts" / "teach.json").read_text())
    assert REMEDIES.keys() == set(StreamProblem)
    for problem in StreamProblem:
        assert texts[f"teach.problem.{problem}"].keys() == {"en", "zh"}
