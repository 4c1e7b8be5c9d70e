"""The enums that the server and the scripts of its pages share.

`python -m homeroom.player.wire` writes static/wire.js; a test fails when it is stale.
"""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from homeroom.base.stream_problems import StreamProblem
from homeroom.domain.chat import ChatAccess, ChatRefusal, ChatRole
from homeroom.domain.lifecycle import OVER_PHASES, Phase
from homeroom.domain.streams import PublishRefusal
from homeroom.player.login import LoginRefusal
from homeroom.player.protocol import ParticipantKind
from homeroom.player.views import TeacherView, View
from homeroom.web.close_codes import CloseCode

FILE = Path(__file__).with_name("static") / "wire.js"
ENUMS: tuple[type[Enum], ...] = (
    Phase,
    View,
    TeacherView,
    CloseCode,
    ChatRole,
    ChatAccess,
    ChatRefusal,
    ParticipantKind,
    LoginRefusal,
    PublishRefusal,
    StreamProblem,
)
LISTS = {"OVER_PHASES": [phase for phase in Phase if phase in OVER_PHASES]}


def render() -> str:
    """Return the module: each enum as a frozen object."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "/** The enums of the server, written by `python -m homeroom.player.wire`. */"
    for enum in ENUMS:
        yield ""
        yield f"export const {enum.__name__} = Object.freeze({{"
        for member in enum:
            value = f'"{member.value}"' if isinstance(member.value, str) else member.value
            yield f"  {member.name}: {value},"
        yield "});"
    for name, members in LISTS.items():
        places = ", ".join(f"{type(member).__name__}.{member.name}" for member in members)
        yield ""
        yield f"export const {name} = Object.freeze([{places}]);"
    yield ""


if __name__ == "__main__":
    FILE.write_text(render())
