"""What encoders send, in a matrix: `make matrix` runs every cell, `make test` a pairwise sample.

A cell is a push of six seconds. Viewers join by FLV, RTMP and HLS after three of them.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import pytest

from tests.matrix.cells import CELLS, DIMENSIONS, Cell, Program, Sound, sample_pairs
from tests.matrix.programs import needs_gstreamer
from tests.matrix.running import COLUMNS, run_cells
from tests.support.engine import running_engine
from tests.support.ffmpeg import needs_ffmpeg

pytestmark = needs_ffmpeg
SAMPLE = sample_pairs(CELLS)


def run(cells: Sequence[Cell], folder: Path, record: Callable[[str, object], None]) -> None:
    """Run cells at once, leave their lines of the table, and fail with all of their faults."""
    if cells[0].program is Program.GSTREAMER:
        needs_gstreamer()
    with running_engine(folder / "engine") as engine:
        outcomes = run_cells(cells, engine, folder)
    for outcome in outcomes:
        record("Encoders", [list(COLUMNS), outcome.row])
    faults = [f"{outcome.cell}: {'; '.join(outcome.faults)}" for outcome in outcomes]
    assert not any(outcome.faults for outcome in outcomes), "\n".join(faults)


def test_the_sample_has_every_pair_of_values() -> None:
    for first, second in combinations(range(len(DIMENSIONS)), 2):
        pairs = {
            (list(vars(cell).values())[first], list(vars(cell).values())[second]) for cell in SAMPLE
        }
        assert len(pairs) == len(DIMENSIONS[first]) * len(DIMENSIONS[second])
    assert len(SAMPLE) < 24


@pytest.mark.parametrize("program", list(Program))
def test_a_sample_of_what_encoders_send(
    program: Program, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    cells = [cell for cell in SAMPLE if cell.program is program]
    run(cells, tmp_path, record_property)


@pytest.mark.matrix
@pytest.mark.parametrize(
    "cells",
    [CELLS[at : at + len(Sound)] for at in range(0, len(CELLS), len(Sound))],
    ids=lambda cells: " ".join(cells[0].columns[:-1]),
)
def test_all_that_encoders_send(
    cells: Sequence[Cell], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    run(cells, tmp_path, record_property)
