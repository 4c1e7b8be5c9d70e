"""The docs: fresh, complete, and without dead ends."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import click
import pytest

from homeroom.base.settings import PREFIX, Settings, parse_settings
from homeroom.cli.group import main as commands
from homeroom.contract.errno import Errno
from homeroom.partner.table import V1_TABLE, V2_TABLE

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
ADRS: Final = DOCS / "adr"
PAGES: Final = sorted((*ROOT.glob("*.md"), *DOCS.rglob("*.md")))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
each_adr = pytest.mark.parametrize(
    "adr", sorted(ADRS.glob("[0-9]*.md")), ids=lambda adr: str(adr.stem)
)


def slug(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", title.strip().lower()).replace(" ", "-")


def test_what_is_generated_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/make_docs.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        leads_to = (page.parent / name).resolve() if name else page
        assert leads_to.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", leads_to.read_text(), re.MULTILINE)
            assert anchor in map(slug, titles), target


@each_adr
def test_every_adr_is_listed_and_says_what_follows(adr: Path) -> None:
    assert f"({adr.name})" in (ADRS / "README.md").read_text()
    titles = re.findall(r"^## (.+)$", adr.read_text(), re.MULTILINE)
    assert titles == ["Context", "Decision", "Consequences"]


def test_every_scope_of_an_action_has_its_reason() -> None:
    (adr,) = ADRS.glob("0029-*.md")
    text = adr.read_text()
    for route in (*V1_TABLE, *V2_TABLE):
        name = route.action.name
        group = f"{name.rpartition('.')[0]}.*"
        assert route.scope is None or name in text or group in text, name


def test_the_sample_settings_are_the_defaults() -> None:
    sample = (DOCS / "homeroom.sample.toml").read_text()
    given = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", sample, flags=re.MULTILINE))
    assert set(given) == set(Settings.__struct_fields__)
    defaults = Settings()
    without = {name: value for name, value in given.items() if getattr(defaults, name) is not None}
    assert parse_settings({}, without) == defaults
    given.pop("database_file")  # it excludes `database`
    parse_settings({}, given)


def test_every_setting_that_the_docs_name_exists() -> None:
    names = {PREFIX + name.upper() for name in Settings.__struct_fields__}
    names |= {"HOMEROOM_CONFIG", "HOMEROOM_OBSERVED"}
    for page in PAGES:
        unknown = set(re.findall(r"\bHOMEROOM_[A-Z_]+\b", page.read_text())) - names
        assert not unknown, page


def test_the_guide_tells_how_to_bring_about_every_errno() -> None:
    guide = (DOCS / "guides" / "errnos.md").read_text()
    naturally = {
        int(number)
        for row in re.findall(r"^\| ([\d, ]+) \|", guide, re.MULTILINE)
        for number in row.split(",")
    }
    by_fault = {
        int(number) for number in re.findall(r"\d+", guide[guide.index("Only fault injection") :])
    }
    assert naturally.isdisjoint(by_fault)
    assert naturally | by_fault == {errno.number for errno in Errno}


@each_page
def test_every_command_that_the_docs_name_exists(page: Path) -> None:
    for line in re.findall(r"(?:`|\(|^)homeroom ([^`|)\n]+)", page.read_text(), re.MULTILINE):
        command: click.Command = commands
        words = line.split()
        while isinstance(command, click.Group):
            assert set(words[:1]) & set(command.commands), line
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line
