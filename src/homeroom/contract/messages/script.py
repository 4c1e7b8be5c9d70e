"""The events of a rehearsed lesson, as a script names them (READINGS Q100)."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from homeroom.base.ids import UserId
from homeroom.contract.messages.classroom import Area

MAX_SECONDS = 366 * 24 * 3600
MAX_TEXT = 1000
MAX_TROPHIES = 99
MAX_LIST = 99
Person = Annotated[UserId, msgspec.Meta(ge=1)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_SECONDS)]
Client = Annotated[int, msgspec.Meta(ge=0, le=1)]
Code = Annotated[int, msgspec.Meta(ge=0, le=255)]
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
ToolName: TypeAlias = Literal[
    "smallboard",
    "textboard",
    "timer",
    "stopwatch",
    "dice",
    "screenshare",
    "mdscreen",
    "randomsel",
    "teachingcamera",
    "videowall",
]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """One event of a script."""

    at: Annotated[int, msgspec.Meta(ge=-MAX_SECONDS, le=MAX_SECONDS)]
    """Seconds from the start of the class, negative before it."""


class OwnStep(Step, frozen=True, kw_only=True):
    """An event of a person who acts."""

    uid: Person


class DoneStep(Step, frozen=True, kw_only=True):
    """An event that a person causes for all."""

    by: Annotated[UserId, msgspec.Meta(ge=0)] | None = None
    """Who does it: the teacher if left out, 0 for the service."""


class AimedStep(DoneStep, frozen=True, kw_only=True):
    """An event that one person causes for another."""

    uid: Person


class EnterStep(OwnStep, frozen=True, kw_only=True, tag="enter"):
    """A person enters."""

    device: Code = 0
    client: Client = 0


class LeaveStep(OwnStep, frozen=True, kw_only=True, tag="leave"):
    """A person leaves."""

    reason: Code = 1
    client: Client = 0


class HandStep(OwnStep, frozen=True, kw_only=True, tag="hand"):
    """A student raises or lowers a hand."""

    up: bool


class AwardStep(AimedStep, frozen=True, kw_only=True, tag="award"):
    """Trophies are given to a person."""

    times: Annotated[int, msgspec.Meta(ge=1, le=MAX_TROPHIES)] = 1


class CameraStep(AimedStep, frozen=True, kw_only=True, tag="camera"):
    """The picture of a camera is moved."""

    area: Area
    on_top: bool = msgspec.field(default=True, name="onTop")
    channel: Client = 0


class AuthorizeStep(AimedStep, frozen=True, kw_only=True, tag="authorize"):
    """The rights on the blackboard are granted or withdrawn."""

    on: bool


class StageStep(AimedStep, frozen=True, kw_only=True, tag="stage"):
    """A person comes to the stage or leaves it."""

    on: bool


class MuteStep(AimedStep, frozen=True, kw_only=True, tag="mute"):
    """A person is muted, or may speak again."""

    on: bool


class MuteAllStep(DoneStep, frozen=True, kw_only=True, tag="mute_all"):
    """All are muted, or may speak again."""

    on: bool


class SilenceStep(DoneStep, frozen=True, kw_only=True, tag="silence"):
    """A person, or everybody, is muted in the chat, or may write again."""

    uid: Person | None = None
    on: bool


class KickStep(AimedStep, frozen=True, kw_only=True, tag="kick"):
    """A person is removed, and may return after some seconds."""

    seconds: Seconds


class QuestionStep(DoneStep, frozen=True, kw_only=True, tag="question"):
    """A question is sent to all."""

    items: Annotated[str, msgspec.Meta(min_length=1, max_length=26)]
    correct: Annotated[str, msgspec.Meta(max_length=26)]


class AnswerStep(OwnStep, frozen=True, kw_only=True, tag="answer"):
    """A student answers the question."""

    item: Annotated[str, msgspec.Meta(min_length=1, max_length=26)]


class CollectStep(DoneStep, frozen=True, kw_only=True, tag="collect"):
    """The answers are collected."""


class RaceStep(DoneStep, frozen=True, kw_only=True, tag="race"):
    """A race to answer begins."""


class GrabStep(OwnStep, frozen=True, kw_only=True, tag="grab"):
    """A student grabs in the race."""


class RaceEndStep(DoneStep, frozen=True, kw_only=True, tag="race_end"):
    """The race is over."""


class NetworkStep(OwnStep, frozen=True, kw_only=True, tag="network"):
    """The network of a person in five minutes."""

    data: dict[str, int | str] = {}


class CheckStep(OwnStep, frozen=True, kw_only=True, tag="check"):
    """A device check of a person."""

    data: dict[str, Any] = {}


class DeviceStep(OwnStep, frozen=True, kw_only=True, tag="device"):
    """A microphone or camera is switched on or off."""

    what: Literal["microphone", "camera"]
    on: bool


class HelpStep(OwnStep, frozen=True, kw_only=True, tag="help"):
    """A person asks the support for help."""

    text: Text
    about: Annotated[list[Person], msgspec.Meta(max_length=MAX_LIST)] = []


class ExtendStep(DoneStep, frozen=True, kw_only=True, tag="extend"):
    """The class gets a new length."""

    seconds: Seconds


class BoardStep(DoneStep, frozen=True, kw_only=True, tag="board"):
    """The blackboard is cleared, and a picture of it saved."""

    group: Seconds = 0


class ToolStep(DoneStep, frozen=True, kw_only=True, tag="tool"):
    """A tool is opened or closed."""

    name: ToolName
    on: bool = True
    sent: Seconds = 0
    """Small boards that were handed out."""


class FileStep(DoneStep, frozen=True, kw_only=True, tag="file"):
    """A file is opened or closed."""

    name: Text
    on: bool = True
    kind: Literal["share", "edb"] = "share"


class ScriptedMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of a group."""

    uid: Person
    leader: bool = False


class GroupsStep(DoneStep, frozen=True, kw_only=True, tag="groups"):
    """The class is divided into groups; no groups end the grouping."""

    groups: Annotated[list[list[ScriptedMember]], msgspec.Meta(max_length=MAX_LIST)]


class SeatsStep(DoneStep, frozen=True, kw_only=True, tag="seats"):
    """The seats are displayed or hidden."""

    shows: bool = msgspec.field(name="shown")
    group: Seconds = 0


class ScreenStep(OwnStep, frozen=True, kw_only=True, tag="screen"):
    """A person's screen becomes full or a window."""

    full: bool


class RateStep(OwnStep, frozen=True, kw_only=True, tag="rate"):
    """A student rates the teacher, or the teacher the student who is named."""

    student: Person | None = None
    score: Annotated[int, msgspec.Meta(ge=0, le=5)]
    comment: Text = ""


class CloseStep(DoneStep, frozen=True, kw_only=True, tag="close"):
    """The class is closed early."""


AnyStep: TypeAlias = (
    EnterStep
    | LeaveStep
    | HandStep
    | AwardStep
    | CameraStep
    | AuthorizeStep
    | StageStep
    | MuteStep
    | MuteAllStep
    | SilenceStep
    | KickStep
    | QuestionStep
    | AnswerStep
    | CollectStep
    | RaceStep
    | GrabStep
    | RaceEndStep
    | NetworkStep
    | CheckStep
    | DeviceStep
    | HelpStep
    | ExtendStep
    | BoardStep
    | ToolStep
    | FileStep
    | GroupsStep
    | SeatsStep
    | ScreenStep
    | RateStep
    | CloseStep
)
_decoder = msgspec.json.Decoder(AnyStep)


def parse_step(text: bytes | str | msgspec.Raw) -> AnyStep:
    """Return the event of a JSON object; raises `msgspec.MsgspecError`."""
    step: AnyStep = _decoder.decode(text)
    return step


def format_step(step: AnyStep) -> dict[str, Any]:
    """Return an event as a script has it."""
    fields: dict[str, Any] = msgspec.to_builtins(step)
    return fields
