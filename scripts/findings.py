"""The report of a check: its findings, measured against a limit."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "src" / "homeroom"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One place in a file that a rule is about, and what to do there."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        """Return the finding as editors read it: file:line: message."""
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Measure:
    """A rule of one or more packages: its findings, and how many of them are allowed.

    With `total`, the limit is a rate: at most `limit` findings for each `per` of the total.
    """

    name: str
    findings: list[Finding]
    limit: float = 0
    total: int | None = None
    per: int = 1
    unit: str = ""

    @property
    def value(self) -> float:
        """The number of findings, or their rate."""
        if self.total is None:
            return len(self.findings)
        return self.per * len(self.findings) / max(self.total, 1)

    @property
    def is_kept(self) -> bool:
        """True if the limit is kept, at the precision that is printed."""
        return round(self.value, 2) <= self.limit

    def __str__(self) -> str:
        """Return one line: the name, the value and the limit."""
        return f"{self.name}: {self.value:.4g}{self.unit} (limit {self.limit:g}{self.unit})"


def report(measures: Iterable[Measure], *, everything: bool = False) -> int:
    """Print the findings of each broken rule, or of every rule, and return the exit status."""
    status = 0
    for measure in measures:
        if everything or not measure.is_kept:
            for finding in sorted(measure.findings):
                print(finding)
        if not measure.is_kept:
            status = 1
        print(f"{'ok  ' if measure.is_kept else 'FAIL'} {measure}")
    return status


def python_files(*folders: Path) -> list[Path]:
    """Return the Python files below some folders, sorted."""
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def walk(paths: Iterable[Path]) -> Iterator[tuple[Path, ast.AST]]:
    """Return every node of the syntax tree of every file."""
    for path in paths:
        for node in _nodes(path):
            yield path, node


@cache
def _nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(), path)))
