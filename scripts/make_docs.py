"""Writes docs/reference from the contract, the settings, the commands and what tests observed.

make_docs.py              run the contract tests, keep what they saw, write every page
make_docs.py --no-tests   write every page from what was kept
make_docs.py --check      write nothing; fail when a page is stale or a number was never seen
"""

import ast
import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

import click
import msgspec
import observed
from observed import Seen

from homeroom.base.settings import PREFIX, Settings
from homeroom.cli import main as commands
from homeroom.contract.action import BEFORE_DISPATCH, Action
from homeroom.contract.catalogue import ACTIONS, PLANNED, WITHDRAWN
from homeroom.contract.errno import Errno, Outcome
from homeroom.contract.params import Params, ParamsReader
from homeroom.domain.schools import list_plan_keys

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
REFERENCE: Final = DOCS / "reference"
NOTICE: Final = "<!-- Written by `make docs`; changes made here are lost. -->\n\n"

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
    "public_url": "https://classes.example.org",
    "push_url": "rtmp://classes.example.org",
    "rtmp_url": "rtmp://classes.example.org",
    "media_url": "https://media.example.org",
    "media_api": "http://user:password@srs.example.org:1985",
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
        REFERENCE / "actions" / "README.md": _actions(),
        REFERENCE / "settings.md": _settings(),
        DOCS / "homeroom.sample.toml": _sample(),
        REFERENCE / "plan.md": _plan(),
        REFERENCE / "cli.md": _cli(),
    }
    readings = _readings()
    for action in ACTIONS:
        pages[REFERENCE / "actions" / f"{action.name}.md"] = _action(action, seen, readings)
    return pages


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
            "Every number that each action can answer, and how the tests brought it about on the "
            "wire: *natural* by ordinary calls and operator commands, *fault* only by a fault "
            "asked of the sandbox.\n\n"
        ),
        (
            f"Of the numbers of the five actions this server began with, {', '.join(FIVE)}, "
            f"**{len(five & seen.keys())} of {len(five)}** were observed. Pages newer than those "
            "five add two numbers to addCourseClass: 121601070 and 121604007.\n\n"
        ),
        "How to bring about the natural ones is told in [the guide](../guides/errnos.md).\n\n",
        _table(
            ("action", "documented", "natural", "fault only"),
            (
                (
                    f"[{action.name}](#{action.name.lower()})",
                    len(action.errnos),
                    sum(seen.get((action.name, e.number)) == "natural" for e in action.errnos),
                    sum(seen.get((action.name, e.number)) == "fault" for e in action.errnos),
                )
                for action in ACTIONS
            ),
        ),
        "\nBesides these, any call may be answered at the door:\n\n",
        _table(
            ("errno", "label", "meaning"),
            (
                (100, Errno.BAD_PARAMS.zh, "no form, a form over its limits, or no such action"),
                (102, Errno.NOT_AUTHORISED.zh, "withdrawn: " + ", ".join(sorted(WITHDRAWN))),
                (
                    104,
                    Errno.FAILED.zh,
                    "not implemented yet: "
                    + ", ".join(sorted(name for names in PLANNED.values() for name in names)),
                ),
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
        parts.append(_table(("errno", "label", "meaning", "arises"), rows))
    return "".join(parts)


def _actions() -> str:
    rows = (
        (f"[{action.name}]({action.name}.md)", action.title, action.door.value)
        for action in ACTIONS
    )
    return (
        f"# Actions\n\n{NOTICE}"
        "Each is a POST of a form, signed with `SID`, `timeStamp` (seconds since 1970) and "
        "`safeKey` = md5(SECRET + timeStamp); `action` stands in the query or in the form.\n\n"
        + _table(("action", "what it does", "address"), rows)
    )


def _action(action: Action[Any], seen: Seen, readings: list["_Reading"]) -> str:
    parts = [
        f"# {action.name}\n\n{NOTICE}{action.title}.\n\n",
        f"`POST {action.door.value}?action={action.name}`\n\n## Parameters\n\n",
        (
            "Besides `SID`, `safeKey` and `timeStamp`. An empty value counts as one not sent, but "
            "where the table says otherwise.\n\n"
        ),
        *_parameters(action.params),
        "\n## Answer\n\n",
        f"{action.answer or 'Nothing but `error_info`'}.\n\n",
        "`error_info` is {errno, error}; `X-Homeroom-Reason` says in English what was wrong.\n",
        f"\n## Order of the checks\n\n{action.order[0].upper()}{action.order[1:]}.\n",
        "\n## Errnos\n\n",
        _table(
            ("errno", "label", "meaning", "where", "arises"),
            (
                (
                    errno.number,
                    errno.zh,
                    errno.en,
                    _where(action, errno),
                    seen.get((action.name, errno.number), "not seen"),
                )
                for errno in action.errnos
            ),
        ),
    ]
    ours = [reading for reading in readings if action.name in reading.actions]
    if ours:
        parts.append("\n## Readings\n\n")
        parts += [
            f"- [{one.title}](../../readings.md#{_slug(one.title)}). {one.text}\n" for one in ours
        ]
    return "".join(parts)


def _where(action: Action[Any], errno: Errno) -> str:
    if errno in action.faults:
        return "fault"
    top = errno not in action.entries or errno is Errno.BAD_PARAMS
    places = ["top"] * top + ["entry"] * (errno in action.entries)
    kept = ", the work is kept" if errno.outcome is Outcome.WARNING else ""
    return " and ".join(places) + kept


def _parameters(params: type[Params]) -> Iterator[str]:
    rows = []
    nested: list[tuple[str, type[Params]]] = []
    hints = get_type_hints(params)
    for slot in ParamsReader(params).fields:
        if slot.param.is_spelling:
            continue
        name, *others = slot.names
        nested += [(name, kind) for kind in _wires(hints[slot.attribute])]
        words = slot.param.description + (
            ", an empty value is an empty list" if slot.param.keeps_empty else ""
        )
        spelling = f"`{name}`" + "".join(f" or `{other}`" for other in others)
        need = "yes" if slot.required else "no"
        rows.append((spelling, need, words, _default(slot.default)))
    yield _table(("name", "required", "value", "default"), rows) if rows else "None.\n"
    if params.validate is not Params.validate:
        yield f"\nChecked together: {' '.join((params.validate.__doc__ or '').split())}\n"
    for name, kind in nested:
        yield f"\nEach entry of `{name}`:\n\n"
        yield from _parameters(kind)


def _wires(hint: object) -> Iterator[type[Params]]:
    """Find the parameter sets that a list holds."""
    if isinstance(hint, type) and issubclass(hint, Params):
        yield hint
    for part in get_args(hint):
        yield from _wires(part)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | str) else ""


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
            _shown(field.default),
            words[field.name],
        )
        for field in msgspec.structs.fields(Settings)
    )
    return (
        f"# Settings\n\n{NOTICE}"
        "What is typed wins over the environment, that over the file. `HOMEROOM_CONFIG` names the "
        "file, in TOML; [homeroom.sample.toml](../homeroom.sample.toml) has every default.\n\n"
        + _table(("setting", "environment", "`homeroom serve`", "default", "meaning"), rows)
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
        + _table(("key", "default", "meaning"), rows)
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


class _Reading(msgspec.Struct):
    title: str
    actions: list[str]
    text: str


def _readings() -> list[_Reading]:
    """Return the readings of docs/readings.md that name the actions they are about."""
    text = (DOCS / "readings.md").read_text()
    found = re.findall(r"^### (.+)\n\nActions: (.+)\n\n((?:.+\n)+)", text, re.MULTILINE)
    return [
        _Reading(title, re.findall(r"\w+", actions), " ".join(body.split()))
        for title, actions, body in found
    ]


def _slug(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def _words(kind: type) -> dict[str, str]:
    """Return the docstring below each field of a class; every field must have one."""
    body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101  for the type checker
    words = {}
    for node, below in zip(body.body, [*body.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    words[name] = " ".join(text.split())
                case _:
                    raise SystemExit(f"{kind.__name__}.{name} does not say what it means")
    return words


def _shown(default: object) -> str:
    if default is None:
        return "none"
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{shown}`"


def _table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    columns = list(head)
    lines: list[Iterable[object]] = [columns, ["---"] * len(columns), *rows]
    return "".join(
        "| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
