"""Writes docs/reference from the contract, settings, commands and observed responses.

make_docs.py              run the contract tests, save their observations, write every page
make_docs.py --no-tests   write every page from the saved observations
make_docs.py --check      write nothing; fail when a page is stale or a number was never seen
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec
import observed
from action_pages import action_page, list_of_actions, read_readings, slug
from markdown import DOCS, NOTICE, ROOT, table, wrap_lines
from meanings import read_meanings
from message_page import message_page
from observed import Seen

from homeroom.base.settings import PREFIX, Settings
from homeroom.cli.group import main as commands
from homeroom.contract.action import BEFORE_DISPATCH
from homeroom.contract.catalogue import ACTIONS, WITHDRAWN
from homeroom.contract.errno import Errno
from homeroom.domain.schools import list_plan_keys

REFERENCE: Final = DOCS / "reference"

# The five pages the project began with, and the numbers that newer pages add to one of them.
FIVE: Final = (
    "addCourseClass",
    "delCourseStudentMultiple",
    "stopUsingTeacher",
    "addCourseLabels",
    "deleteClassVideo",
)
NEWER: Final = {("addCourseClass", 121601070), ("addCourseClass", 121604007)}
# What a setting without a default looks like.
EXAMPLES: Final = {
    "database": "postgresql://homeroom@localhost/homeroom",
    "database_file": "/etc/homeroom/database",
    "key_file": "/etc/homeroom/homeroom.key",
    "public_url": "https://classes.example.org",
    "link_url": "https://www.example.org",
    "push_url": "rtmp://classes.example.org",
    "rtmp_url": "rtmp://classes.example.org",
    "media_url": "https://media.example.org",
    "media_api": "http://user:password@srs.example.org:1985",
    "smtp_url": "smtp://user:password@mail.example.org:587?from=homeroom@example.org",
    "webrtc_address": "203.0.113.7",
    "media_folder": "/srv/srs/recordings",
}


def main(arguments: list[str]) -> int:
    """Write the pages, or check them; returns the exit status."""
    if arguments == ["--check"]:
        seen = observed.read()
        return _report([*_stale(_pages(seen)), *observed.complaints(seen)])
    if arguments not in ([], ["--no-tests"]):
        print(__doc__)
        return 2
    if not arguments:
        observed.observe()
    seen = observed.read()
    pages = _pages(seen)
    for path in _leftovers(pages):
        path.unlink()
    for path, content in pages.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return _report(observed.complaints(seen))


def _report(complaints: list[str]) -> int:
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


def _stale(pages: dict[Path, str]) -> Iterator[str]:
    for path, content in pages.items():
        if not path.exists() or path.read_text() != content:
            yield f"{path.relative_to(ROOT)} is stale: make docs"
    for path in _leftovers(pages):
        yield f"{path.relative_to(ROOT)} belongs to nothing: make docs"


def _leftovers(pages: dict[Path, str]) -> list[Path]:
    return [path for path in REFERENCE.glob("actions/*.md") if path not in pages]


# --- the pages ----------------------------------------------------------------------------------


def _pages(seen: Seen) -> dict[Path, str]:
    pages = {
        REFERENCE / "errnos.md": _errnos(seen),
        REFERENCE / "actions" / "README.md": list_of_actions(),
        REFERENCE / "messages.md": message_page(),
        REFERENCE / "settings.md": _settings(),
        DOCS / "homeroom.sample.toml": _sample(),
        REFERENCE / "plan.md": _plan(),
        REFERENCE / "cli.md": _cli(),
    }
    readings = read_readings()
    for action in ACTIONS:
        pages[REFERENCE / "actions" / f"{action.name}.md"] = action_page(action, seen, readings)
    return {
        path: wrap_lines(content) if path.suffix == ".md" else content
        for path, content in pages.items()
    }


def _errnos(seen: Seen) -> str:
    five = {
        (action.name, errno.number)
        for action in ACTIONS
        if action.name in FIVE
        for errno in action.errnos
    } - NEWER
    parts = [
        "# Errnos\n\n" + NOTICE,
        (
            "Every errno that each action can answer, and how the tests caused it on the wire: "
            "*natural* with ordinary calls and operator commands, *fault* only with an injected "
            "fault.\n\n"
        ),
        (
            f"Of the errnos of the five actions of the first version, {', '.join(FIVE)}, "
            f"**{len(five & seen.keys())} of {len(five)}** were observed. Pages newer than those "
            "five add two numbers to addCourseClass: 121601070 and 121604007.\n\n"
        ),
        "[The guide](../guides/errnos.md) shows how to cause the natural ones.\n\n",
        table(
            ("action", "documented", "natural", "fault only"),
            (
                (
                    f"[{action.name}](#{slug(action.name)})",
                    len(action.errnos),
                    sum(seen.get((action.name, e.number)) == "natural" for e in action.errnos),
                    sum(seen.get((action.name, e.number)) == "fault" for e in action.errnos),
                )
                for action in ACTIONS
            ),
        ),
        "\nAny call can also get these before its action runs:\n\n",
        table(
            ("errno", "label", "meaning"),
            (
                (
                    100,
                    Errno.BAD_PARAMS.zh,
                    "not a form, a form over its limits, or an unknown action",
                ),
                (
                    Errno.MALFORMED_REQUEST.number,
                    Errno.MALFORMED_REQUEST.zh,
                    "an unknown path of the JSON calls (status 404)",
                ),
                (102, Errno.NOT_AUTHORISED.zh, "withdrawn: " + ", ".join(sorted(WITHDRAWN))),
                *((errno.number, errno.zh, errno.en) for errno in BEFORE_DISPATCH),
            ),
        ),
    ]
    for action in ACTIONS:
        rows = (
            (errno.number, errno.zh, errno.en, seen.get((action.name, errno.number), "not seen"))
            for errno in sorted(action.errnos, key=lambda errno: errno.number)
        )
        parts.append(f"\n## {action.name}\n\n[{action.title}](actions/{action.name}.md)\n\n")
        parts.append(table(("errno", "label", "meaning", "arises"), rows))
    return "".join(parts)


def _settings() -> str:
    words = _words(Settings)
    flags = {
        parameter.name: parameter.opts[0]
        for parameter in commands.commands["serve"].params
        if isinstance(parameter, click.Option)
    }
    rows = (
        (
            f"`{field.name}`",
            f"`{PREFIX}{field.name.upper()}`",
            f"`{flags[field.name]}`" if field.name in flags else "",
            _format_default(field.default),
            words[field.name],
        )
        for field in msgspec.structs.fields(Settings)
    )
    return (
        f"# Settings\n\n{NOTICE}"
        "What is typed wins over the environment, that over the file. `HOMEROOM_CONFIG` names the "
        "file, in TOML; [homeroom.sample.toml](../homeroom.sample.toml) has every default.\n\n"
        + table(("setting", "environment", "`homeroom serve`", "default", "meaning"), rows)
    )


def _sample() -> str:
    words = _words(Settings)
    parts = ["# Copy, uncomment, change; then: HOMEROOM_CONFIG=homeroom.toml homeroom serve\n"]
    for field in msgspec.structs.fields(Settings):
        default: object = EXAMPLES[field.name] if field.default is None else field.default
        value = json.dumps(str(default) if isinstance(default, Path) else default)
        parts.append(f"\n# {words[field.name]}\n# {field.name} = {value}\n")
    return "".join(parts)


def _plan() -> str:
    rows = ((f"`{key.name}`", f"`{key.default}`", key.meaning) for key in list_plan_keys())
    return (
        f"# Plans\n\n{NOTICE}"
        "What a school may do, set with `homeroom school set SID KEY=VALUE ...` and shown by "
        "`homeroom school show SID`. The defaults are those of a new school.\n\n"
        + table(("key", "default", "meaning"), rows)
    )


def _cli() -> str:
    root = click.Context(
        commands, info_name="homeroom", terminal_width=90, **commands.context_settings
    )
    sections = (
        f"## {context.command_path}\n\n```text\n{context.get_help().rstrip()}\n```\n"
        for context in _contexts(root)
    )
    return f"# Commands\n\n{NOTICE}" + "\n".join(sections)


def _contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name, command in sorted(context.command.commands.items()):
            settings = command.context_settings
            yield from _contexts(click.Context(command, context, info_name=name, **settings))


# --- small parts ----------------------------------------------------------------------------------


def _words(kind: type[msgspec.Struct]) -> dict[str, str]:
    """Return the docstring below each field of a class; every field must have one."""
    words = read_meanings(kind)
    for field in msgspec.structs.fields(kind):
        if field.name not in words:
            raise SystemExit(f"{kind.__name__}.{field.name} does not say what it means")
    return words


def _format_default(default: object) -> str:
    if default is None:
        return "none"
    text = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{text}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
