"""Layers above the use cases call use cases, and no repository of the unit of work."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from homeroom.store.unit_of_work import UnitOfWork

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = ROOT / "src" / "homeroom"
ALLOWED: Final = frozenset(
    {
        "databases",
        "engine",
        "local_storage",
        "inspection",
        "key_file",
        "migrate",
        "outages",
        "paging",
        "readback_records",
        "records",
        "storage",
        "unit_of_work",
    }
)
"""Modules of the store that every layer may import; pyproject.toml says why."""


def contract() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    found: dict[str, list[str]] = next(one for one in contracts if one["id"] == "use-cases")
    return found


def repositories() -> frozenset[str]:
    """Return the attributes of a unit of work that are repositories."""
    return frozenset(
        name
        for name, value in vars(UnitOfWork).items()
        if type(value).__name__ in ("_Repository", "_SecretRepository")
    )


def repository_calls(text: str) -> Iterator[str]:
    """Find `uow.<repository>.<method>`, whatever the unit of work hangs on."""
    nouns = repositories()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Attribute(value=ast.Attribute(value=owner, attr=noun)) if noun in nouns:
                name = owner.attr if isinstance(owner, ast.Attribute) else ast.unparse(owner)
                if name in ("uow", "unit", "work"):
                    yield f"line {node.lineno}: {ast.unparse(node)}"


def upper_files() -> list[Path]:
    names = [name.removeprefix("homeroom.") for name in contract()["source_modules"]]
    files = [SOURCES / f"{name}.py" for name in names if (SOURCES / f"{name}.py").is_file()]
    return files + [path for name in names for path in sorted((SOURCES / name).rglob("*.py"))]


def test_upper_layers_call_no_repository() -> None:
    found = {
        str(path.relative_to(SOURCES)): calls
        for path in upper_files()
        if (calls := list(repository_calls(path.read_text())))
    }
    assert not found, "write a use case, and call that"


@pytest.mark.parametrize(
    "text",
    [
        "uow.lessons.get(1)",
        "call.uow.lessons.get(1)",
        "store.read(lambda uow: uow.jobs.count())",
        "read = uow.schools.get",
    ],
)
def test_a_planted_call_is_found(text: str) -> None:
    assert list(repository_calls(text))


def test_the_contract_names_every_module_of_the_store() -> None:
    modules = {path.stem for path in (SOURCES / "store").glob("*.py")} - {"__init__"}
    forbidden = {name.removeprefix("homeroom.store.") for name in contract()["forbidden_modules"]}
    assert forbidden == modules - ALLOWED


def test_the_contract_names_every_upper_layer() -> None:
    above = {
        "admin",
        "bootstrap",
        "cli",
        "media",
        "partner",
        "player",
        "pytest_plugin",
        "receive",
        "sandbox",
        "testing",
        "workers",
    }
    lower = {
        "async_store",
        "base",
        "contract",
        "domain",
        "folder",
        "jobs",
        "messages",
        "store",
        "usecases",
        "web",
    }
    names = {path.stem for path in SOURCES.iterdir() if not path.stem.startswith("_")} - {"py"}
    assert names == above | lower
    assert {name.removeprefix("homeroom.") for name in contract()["source_modules"]} == above
