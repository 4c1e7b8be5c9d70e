"""The ready script: a whole lesson of about 60 messages, scaled to the length of a class (Q100)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from homeroom.base.clock import MINUTE
from homeroom.base.ids import UserId
from homeroom.contract.messages.script import AnyStep
from homeroom.domain.classroom_events import ClassroomDevice
from homeroom.domain.lessons import MAX_LESSON_SECONDS

ACTIVE_STUDENTS: Final = 3
"""Students who do more than enter and leave."""
EXTENSION_SECONDS: Final = 5 * MINUTE
KICK_SECONDS: Final = MINUTE
AddStep = Callable[..., None]
"""Adds an event at a part of the class."""
_EARLY: Final = -5 * MINUTE
_ITEMS: Final = "ABCD"
_AREA: Final = {"X1": 16, "Y1": 16, "X2": 64, "Y2": 48}


def write_lesson(
    seconds: int,
    teacher: UserId,
    students: Sequence[UserId],
    others: Iterable[UserId] = (),
    *,
    allows_extension: bool = True,
) -> list[AnyStep]:
    """Return the script of a class of some seconds; it needs a student.

    `others` enter and leave, as do the students after the first `ACTIVE_STUDENTS`.
    """
    people = [*students, *others]
    active = students[:ACTIVE_STUDENTS]
    first, last = active[0], active[-1]
    steps: list[dict[str, Any]] = []

    def add(part: float, do: str, after: int = 0, **fields: object) -> None:
        """Add an event at a part of the class, and some seconds."""
        steps.append({"at": int(seconds * part) + after, "do": do, **fields})

    add(0, "enter", 2 * _EARLY, uid=teacher)
    for number, uid in enumerate(people):
        device = ClassroomDevice.WEB_PAGE if number == 1 else ClassroomDevice.PC
        add(0, "enter", _EARLY + number, uid=uid, device=int(device))
    _add_opening(add, teacher, active)
    add(0.02, "file", name="lesson.pdf")
    add(0.02, "file", name="board.edb", kind="edb")
    add(0.03, "screen", uid=first, full=True)
    add(0.05, "camera", uid=first, area=_AREA, onTop=False)
    add(0.08, "mute_all", on=True)
    add(0.1, "mute_all", on=False)
    _add_turns(add, first, last)
    _add_question(add, 0.3, active)
    _add_tools(add)
    add(0.4, "groups", groups=[[{"uid": uid, "leader": uid == first} for uid in active]])
    add(0.45, "groups", groups=[])
    add(0.46, "board")
    for number, uid in enumerate((teacher, *active)):
        add(0.47, "network", number, uid=uid)
    add(0.5, "race")
    add(0.5, "grab", 2, uid=first)
    add(0.5, "grab", 3, uid=last)
    add(0.5, "race_end", 10)
    add(0.5, "award", 12, uid=first)
    add(0.55, "help", uid=first, text="I cannot hear the teacher.", about=[teacher])
    add(0.6, "kick", uid=last, seconds=KICK_SECONDS)
    add(0.6, "enter", KICK_SECONDS, uid=last)
    _add_question(add, 0.75, active)
    add(0.8, "screen", uid=first, full=False)
    add(0.85, "silence", on=False)
    add(0.9, "file", name="lesson.pdf", on=False)
    add(0.95, "board")
    end = seconds
    if allows_extension and seconds + EXTENSION_SECONDS <= MAX_LESSON_SECONDS:
        end += EXTENSION_SECONDS
        add(1, "extend", -5 * MINUTE, seconds=end)
    for number, uid in enumerate((*people, teacher)):
        steps.append({"at": end + number, "do": "leave", "uid": uid})
    left = end + len(people) + 1
    for number, uid in enumerate(active):
        steps.append({"at": left + number, "do": "rate", "uid": uid, "score": 5 - number})
    rating = {"student": first, "score": 5, "comment": "Well done."}
    steps.append({"at": left + 5, "do": "rate", "uid": teacher, **rating})
    steps.append({"at": left + 60, "do": "close"})
    steps.sort(key=lambda step: int(step["at"]))
    return [msgspec.convert(step, AnyStep) for step in steps]


def _add_opening(add: AddStep, teacher: UserId, active: Sequence[UserId]) -> None:
    """Add what happens before the start: devices are checked and switched on."""
    for number, uid in enumerate(active):
        add(0, "check", _EARLY + 60 + number, uid=uid)
    for uid in (teacher, *active):
        add(0, "device", _EARLY + 90, uid=uid, what="microphone", on=True)
        add(0, "device", _EARLY + 90, uid=uid, what="camera", on=True)
    add(0, "silence", on=True)
    add(0, "seats", shown=True)


def _add_turns(add: AddStep, first: UserId, last: UserId) -> None:
    """Add what two students do in turn: one on the stage, one muted."""
    add(0.12, "hand", uid=first, up=True)
    add(0.13, "hand", uid=last, up=True)
    add(0.14, "stage", uid=first, on=False)
    add(0.14, "stage", 5, uid=first, on=True)
    add(0.15, "hand", uid=first, up=False)
    add(0.16, "authorize", uid=first, on=True)
    add(0.2, "authorize", uid=first, on=False)
    add(0.21, "award", uid=first)
    add(0.22, "hand", uid=last, up=False)
    add(0.23, "mute", uid=last, on=True)
    add(0.26, "mute", uid=last, on=False)
    add(0.27, "award", uid=last, times=2)


def _add_question(add: AddStep, part: float, active: Sequence[UserId]) -> None:
    """Add a question that all answer, the first of them right."""
    add(part, "question", items=_ITEMS, correct=_ITEMS[0])
    for number, uid in enumerate(active):
        add(part, "answer", 10 + number, uid=uid, item=_ITEMS[number])
    add(part, "collect", 20)


def _add_tools(add: AddStep) -> None:
    """Add one use of each tool."""
    names = "smallboard textboard timer stopwatch dice screenshare mdscreen randomsel"
    for number, name in enumerate((*names.split(), "teachingcamera", "videowall")):
        add(0.34, "tool", number, name=name)
        add(0.38, "tool", number, name=name, on=False)
