"""The cells of the matrix of encoders: each is one way to push a stream."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from itertools import combinations, product
from typing import Final


class Program(StrEnum):
    """Publishes the stream."""

    FFMPEG = "ffmpeg"
    GSTREAMER = "gstreamer"
    WRITER = "writer"
    """Our own."""


class Gop(StrEnum):
    """Kind of the groups of pictures."""

    CLOSED = "closed"
    OPEN = "open"
    """One IDR, the first picture; without B-frames a gradual refresh."""


class Sound(StrEnum):
    """Presence of sound."""

    WITH = "with"
    WITHOUT = "without"
    LATE = "late"
    STOPPING = "stopping"


class Rate(StrEnum):
    """Frames a second."""

    STEADY_25 = "25"
    VARIABLE_30 = "30 variable"
    SLOW_8 = "8"
    SLIDES_1 = "1"


@dataclass(frozen=True)
class Cell:
    """One combination."""

    program: Program
    gop: Gop
    rate: Rate
    b_frames: int
    sound: Sound

    def __str__(self) -> str:
        return " ".join(self.columns)

    @property
    def columns(self) -> list[str]:
        """Return its values as the table has them."""
        fps = f"{self.rate} fps" if self.rate is not Rate.VARIABLE_30 else "30 variable"
        b_frames = "B-frames" if self.b_frames else "no B-frames"
        return [str(self.program), f"{self.gop} GOP", fps, b_frames, f"sound {self.sound}"]


DIMENSIONS: Final[tuple[Sequence[object], ...]] = (
    tuple(Program),
    tuple(Gop),
    tuple(Rate),
    (0, 2),
    tuple(Sound),
)
CELLS: Final = [Cell(*values) for values in product(*DIMENSIONS)]  # type: ignore[arg-type]  # the order of the fields


def sample_pairs(cells: Iterable[Cell]) -> list[Cell]:
    """Return few cells in which every pair of values of two dimensions stands (pairwise testing).

    Each step takes the cell with the most pairs that are not covered yet, the first of equals.
    """
    pairs = {cell: set(combinations(enumerate(astuple(cell)), 2)) for cell in cells}
    left = set().union(*pairs.values())
    sample = []
    while left:
        best = max(pairs, key=lambda cell: len(pairs[cell] & left))
        sample.append(best)
        left -= pairs[best]
    return sample
