"""Measures the words of the sources against limits; `make check` runs it.

check_language.py          print each measure, and the findings of those over their limit
check_language.py --list   print the findings of all measures
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from findings import ROOT, SOURCE, Finding, Measure, python_files, report, walk

# Words that a reader with English as a second language stumbles over, or that say nothing. Python's
# own `is None` is not meant.
IDIOMS: Final = (
    "anew", "are none", "as it is said", "besides", "farewell", "for ever", "go on", "goes on",
    "is none", "let go of", "meanwhile", "nobody", "put out", "shall", "somebody", "stranger",
    "strangers", "take note", "there are none", "thrown out", "told", "what was", "who has",
    "whoever", "whom",
)  # fmt: skip  # a list of words, not of lines
IDIOM: Final = re.compile(rf"\b(?!is None\b)(?i:{'|'.join(IDIOMS)})\b")
# A docstring says what a thing does or is: it has a subject and a verb.
RELATIVE: Final = re.compile(r"(?:As whom|By which|How|What|Where|Whether|Who|Whoever|Whose|Why)\b")
# Values named by a participle or a numeral say nothing about what they are.
NAMES: Final = frozenset(
    {"asked", "found", "given", "held", "kept", "known", "one", "said", "shown", "told", "wanted"}
)
# A function is named by a verb, or by the noun that it returns.
IRREGULAR: Final = frozenset(
    {
        *("begun", "bound", "built", "chosen", "drawn", "found", "given", "held", "kept", "known"),
        *("made", "said", "seen", "sent", "shown", "taken", "told", "written"),
    }
)
VERBS_IN_ED: Final = frozenset({"embed", "exceed", "feed", "need", "proceed", "seed", "shed"})

PREDICATES: Final = ("has_", "is_", "test_")


def main(arguments: list[str]) -> int:
    """Print the measures and return the exit status."""
    if arguments not in ([], ["--list"]):
        print(__doc__)
        return 2
    source, tests = python_files(SOURCE), python_files(ROOT / "tests")
    support = python_files(ROOT / "bench", ROOT / "scripts")
    support.remove(Path(__file__).resolve())  # it lists the words
    measures = [
        idioms("src", source, limit=0.5),
        participles("src", source, limit=3),
        names("src", source, limit=0),
        docstrings("src", source, limit=0.5),
        idioms("bench, scripts", support, limit=0.5),
        participles("bench, scripts", support, limit=4),
        names("bench, scripts", support, limit=0),
        docstrings("bench, scripts", support, limit=1.5),
        idioms("tests", tests, limit=5),
        docstrings("tests", tests, limit=1.5),
    ]
    return report(measures, everything=bool(arguments))


def idioms(where: str, paths: list[Path], limit: float) -> Measure:
    """Count idioms per 1,000 lines."""
    findings: list[Finding] = []
    total = 0
    for path in paths:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            total += 1
            findings += [
                Finding(path, number, f"idiom {match[0]!r}: use a plain word")
                for match in IDIOM.finditer(line)
            ]
    return Measure(f"{where}: idioms per 1,000 lines", findings, limit, total, 1000)


def participles(where: str, paths: list[Path], limit: float) -> Measure:
    """Count functions that are named by a participle."""
    functions = list(_functions(paths))
    findings = [
        Finding(path, node.lineno, f"function {node.name!r}: name it by a verb or a noun")
        for path, node in functions
        if _is_participle(node.name)
    ]
    return Measure(
        f"{where}: functions named by a participle", findings, limit, len(functions), 100, " %"
    )


def names(where: str, paths: list[Path], limit: float) -> Measure:
    """Count variables, parameters and fields whose name says nothing about the value."""
    findings = [
        Finding(path, line, f"name {name!r}: use the noun of the value")
        for path, line, name in _names(paths)
        if name in NAMES
    ]
    return Measure(f"{where}: empty names", findings, limit)


def docstrings(where: str, paths: list[Path], limit: float) -> Measure:
    """Count docstrings that begin with a relative clause instead of a sentence."""
    findings: list[Finding] = []
    total = 0
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path, node in walk(paths):
        if not isinstance(node, documented) or not (text := ast.get_docstring(node)):
            continue
        total += 1
        if match := RELATIVE.match(text):
            line = node.body[0].lineno
            message = f"docstring begins with {match[0]!r}: say what it does or is"
            findings.append(Finding(path, line, message))
    return Measure(f"{where}: docstrings without a sentence", findings, limit, total, 100, " %")


def _functions(
    paths: Iterable[Path],
) -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for path, node in walk(paths):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield path, node


def _is_participle(name: str) -> bool:
    words = name.strip("_").split("_")
    return not name.startswith(PREDICATES) and any(
        word in IRREGULAR or (word.endswith("ed") and word not in VERBS_IN_ED)
        for word in (words[0], words[-1])
    )


def _names(paths: Iterable[Path]) -> Iterator[tuple[Path, int, str]]:
    for path, node in walk(paths):
        match node:
            case ast.Name():
                yield path, node.lineno, node.id
            case ast.arg():
                yield path, node.lineno, node.arg
            case ast.Attribute(ctx=ast.Store()):
                yield path, node.lineno, node.attr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
