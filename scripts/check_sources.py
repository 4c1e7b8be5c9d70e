"""Holds the sources to rules of our own that no linter has; `make check` runs it.

check_sources.py          print each rule, and the places where it is broken
check_sources.py --list   print the findings of all rules, the allowed ones too
"""

import ast
import io
import re
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from findings import ROOT, SOURCE, Finding, Measure, python_files, report, walk

from homeroom.contract.errno import Errno

# --- suppressions -------------------------------------------------------------------------------

SUPPRESSION: Final = re.compile(
    r"(?:noqa|type:\s*ignore|mypy:|pylint:|pyright:|isort:|ruff:|nosec|pragma:)"
    r"(?:\s*[\w-]+=)?(?::?\s*\[?[A-Za-z]+[\w-]*(?:,\s*[A-Za-z]+[\w-]*)*\]?)?"
)
REASON: Final = re.compile(r"[^\W\d_]{3,}")


def suppressions(paths: list[Path]) -> Measure:
    """Find comments that silence a tool without a reason on the same line."""
    findings = [
        Finding(path, line, f"{comment!r} gives no reason: write one after it, on its line")
        for path in paths
        for kind, comment, line in _tokens(path)
        if kind == tokenize.COMMENT and _is_bare(comment)
    ]
    return Measure("suppressions without a reason", findings)


def _is_bare(comment: str) -> bool:
    match = SUPPRESSION.match(comment.lstrip("# "))
    if match is None:
        return False
    return not REASON.search(SUPPRESSION.sub("", comment))


# --- errno numbers ------------------------------------------------------------------------------

ERRNOS: Final = SOURCE / "contract" / "errno.py"
# 200 is a status of HTTP, and a round number.
NOT_TELLING: Final = (Errno.DONE, Errno.FILE_NAME_TAKEN)
NUMBERS: Final = frozenset(str(errno.number) for errno in Errno if errno not in NOT_TELLING)
NUMBER: Final = re.compile(r"(?<![\w.#-])\d{3,9}(?![\w%]|\.\d)")
# Below and beside the media engine a number in code is a size, a byte or an HTTP status.
SPEAKS_ERRNOS: Final = ("contract", "domain", "partner", "usecases")
OTHER_MEANINGS: Final = {
    "admin/openapi.py": {"400": "an HTTP status"},
    "domain/dual_lessons.py": {"100": "sub classes of a main class"},
    "contract/courses.py": {"400": "characters of an introduction"},
    "contract/nicknames.py": {"100": "students of a call"},
    "contract/drive.py": {"128": "characters of a folder's name"},
    "contract/paged.py": {"100": "rows of a page"},
    "domain/schools.py": {"100": "members of a class"},
    "domain/units.py": {"100": "activities of a unit"},
    "store/postgres.py": {"460": "microseconds"},
}
"""Numbers that look like an errno and mean something else, by file."""


def errnos(paths: list[Path], limit: int) -> Measure:
    """Find errno numbers outside the catalogue: in texts everywhere, as numbers where they act."""
    findings = [
        Finding(path, line, f"errno {number} outside contract/errno.py: write Errno.NAME")
        for path in paths
        if path != ERRNOS
        for number, line in _errno_numbers(path)
    ]
    return Measure("errno numbers outside contract/errno.py", findings, limit)


def _errno_numbers(path: Path) -> Iterator[tuple[str, int]]:
    name = path.relative_to(SOURCE).as_posix()
    others = OTHER_MEANINGS.get(name, {})
    speaks = name.startswith(SPEAKS_ERRNOS)
    for kind, text, line in _tokens(path):
        numbers: list[tuple[str, int]] = []
        if kind in (tokenize.STRING, tokenize.COMMENT):
            numbers = [
                (match[0], line + text.count("\n", 0, match.start()))
                for match in NUMBER.finditer(text)
            ]
        elif kind == tokenize.NUMBER and speaks:
            numbers = [(text.replace("_", ""), line)]
        for number, place in numbers:
            if number in NUMBERS and number not in others:
                yield number, place


# --- names and layers ---------------------------------------------------------------------------

SHARED_NAMES: Final = frozenset[str]()
"""Class names that may stand in more than one file."""


def class_names(paths: list[Path], limit: int) -> Measure:
    """Find class names that stand in more than one file."""
    places: defaultdict[str, list[tuple[Path, int]]] = defaultdict(list)
    for path, node in walk(paths):
        if isinstance(node, ast.ClassDef) and node.name not in SHARED_NAMES:
            places[node.name].append((path, node.lineno))
    findings: list[Finding] = []
    for name, (first, *others) in places.items():
        findings += [
            Finding(path, line, f"class {name} exists already: {first[0].relative_to(ROOT)}")
            for path, line in others
            if path != first[0]
        ]
    return Measure("class names in more than one file", findings, limit)


ABOVE_USE_CASES: Final = ("admin", "bootstrap", "cli", "media", "partner", "player", "sandbox")
UNIT_OF_WORK: Final = SOURCE / "store" / "unit_of_work.py"


def store_nouns(paths: list[Path], limit: int) -> Measure:
    """Find calls above the use cases that reach into a noun of the unit of work."""
    nouns = frozenset(_nouns())
    findings = [
        Finding(path, node.lineno, f"uow.{node.attr} above the use cases: call a use case")
        for path, node in walk(
            path for path in paths if path.relative_to(SOURCE).parts[0].startswith(ABOVE_USE_CASES)
        )
        if isinstance(node, ast.Attribute) and node.attr in nouns and _is_uow(node.value)
    ]
    return Measure("nouns of the unit of work above the use cases", findings, limit)


def _nouns() -> Iterator[str]:
    """Return the attributes that a unit of work sets from its transaction."""
    for _, node in walk([UNIT_OF_WORK]):
        match node:
            case ast.Assign(
                targets=[ast.Attribute(attr=name)], value=ast.Call(args=[ast.Name("tx"), *_])
            ):
                yield name


def _is_uow(node: ast.expr) -> bool:
    match node:
        case ast.Name("uow") | ast.Attribute(attr="uow"):
            return True
    return False


# --- decisions ----------------------------------------------------------------------------------

DECISIONS: Final = ROOT / "docs" / "adr"
HEADER: Final = re.compile(
    r"# \d{4} .+\n\n- Date: \d{4}-\d\d-\d\d\n"
    r"- Status: (?:proposed|accepted|deprecated|superseded by \[\d{4}\]\(.+\.md\))\n\n"
)


def decisions() -> Measure:
    """Find decision records that do not say when they were made, and whether they hold."""
    message = "begin with '- Date: YYYY-MM-DD' and '- Status: accepted' below the title"
    findings = [
        Finding(path, 3, message)
        for path in sorted(DECISIONS.glob("[0-9]*.md"))
        if not HEADER.match(path.read_text())
    ]
    return Measure("decision records without date and status", findings)


# --- all of them --------------------------------------------------------------------------------


def _tokens(path: Path) -> Iterator[tuple[int, str, int]]:
    """Return kind, text and line of each token; the parts of an f-string are one string."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        yield token.type, token.string, token.start[0]


def main(arguments: list[str]) -> int:
    """Print the rules and return the exit status."""
    if arguments not in ([], ["--list"]):
        print(__doc__)
        return 2
    source = python_files(SOURCE)
    everything = source + python_files(*(ROOT / name for name in ("tests", "bench", "scripts")))
    measures = [
        suppressions(everything),
        errnos(source, limit=0),
        class_names(source, limit=0),
        store_nouns(source, limit=0),
        decisions(),
    ]
    return report(measures, everything=bool(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
