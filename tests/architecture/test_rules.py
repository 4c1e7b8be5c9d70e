"""Rules of the architecture that no linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from homeroom.contract.catalogue import ACTIONS
from homeroom.partner.table import V1_TABLE, V2_TABLE

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ROOT / "src" / "homeroom"
SYNCHRONOUS: Final = ("base", "contract", "domain", "store", "usecases")
NO_NOUNS: Final = {"common", "helpers", "lib", "misc", "utils"}
MAX_LINES: Final = 400
"""A longer file probably holds a second noun: split it by meaning, not by length."""
LISTS: Final = {
    "errno.py": "one table, a row a number",
    "kinds.py": "one table, a row a kind of message",
    "tables.py": "one table, the schema",
    "v0001_first_tables.py": "a migration is written once",
}
"""Files that may be longer, because they are one list."""

SOURCES: Final = [
    path for package in ("src", "tests", "scripts") for path in (ROOT / package).rglob("*.py")
]


def imports(path: Path) -> Iterator[str]:
    """Return what a file imports, with the module of each `from`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("package", SYNCHRONOUS)
def test_no_lower_layer_is_async(package: str) -> None:
    asynchronous = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (PACKAGES / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, asynchronous)
    ]
    assert not found


@pytest.mark.parametrize("package", ["domain", "store"])
def test_domain_and_store_use_only_errnos_and_messages_of_the_contract(package: str) -> None:
    usable = ("homeroom.contract.errno.", "homeroom.contract.messages.")
    found = [
        (str(path.relative_to(ROOT)), name)
        for path in (PACKAGES / package).rglob("*.py")
        for name in imports(path)
        if name.startswith("homeroom.contract") and not name.startswith(usable)
    ]
    assert not found


def test_the_contract_knows_nothing_above_it() -> None:
    found = [
        (str(path.relative_to(ROOT)), name)
        for path in (PACKAGES / "contract").rglob("*.py")
        for name in imports(path)
        if name.startswith("homeroom.")
        and not name.startswith(("homeroom.contract.", "homeroom.base."))
    ]
    assert not found


def test_every_action_has_one_row_in_the_table() -> None:
    rows = (*V1_TABLE, *V2_TABLE)
    assert sorted(row.action.name for row in rows) == sorted(action.name for action in ACTIONS)
    assert {id(row.action) for row in rows} == {id(action) for action in ACTIONS}
    assert all(row.action.is_v2 for row in V2_TABLE)


def test_files_are_named_by_their_nouns() -> None:
    assert not [path for path in SOURCES if NO_NOUNS & {path.stem, *path.relative_to(ROOT).parts}]


def test_a_file_is_one_noun() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in SOURCES}
    too_long = {str(path): length for path, length in lengths.items() if length > MAX_LINES}
    assert not [path for path in too_long if Path(path).name not in LISTS], too_long
