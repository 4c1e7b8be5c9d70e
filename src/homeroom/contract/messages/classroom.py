"""Bodies of the messages about what is done in a classroom."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from homeroom.base.clock import Moment
from homeroom.base.ids import UserId
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import MessageKind

Flag = Annotated[int, msgspec.Meta(ge=0, le=1)]


class Area(msgspec.Struct, frozen=True):
    """A rectangle of the blackboard."""

    left: int = msgspec.field(default=0, name="X1")
    top: int = msgspec.field(default=0, name="Y1")
    right: int = msgspec.field(default=0, name="X2")
    bottom: int = msgspec.field(default=0, name="Y2")


class Point(msgspec.Struct, frozen=True):
    """A place on the blackboard."""

    x: int = msgspec.field(default=0, name="X")
    y: int = msgspec.field(default=0, name="Y")


class AnsweringPerson(msgspec.Struct, frozen=True, rename="pascal"):
    """A person in an answer."""

    show_name: str = ""
    uid: int = 0
    identity: int = 1


class HandRaise(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A student raises or lowers a hand."""

    kind: ClassVar[MessageKind] = MessageKind.HAND_RAISE

    color: str
    """`handsup` and the UID."""
    handsup: bool


class Award(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A trophy is given."""

    kind: ClassVar[MessageKind] = MessageKind.AWARD

    color: str
    """`award` and the UID."""
    times: int
    """Trophies of this person so far."""


class CameraPosition(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The picture of a camera is moved."""

    kind: ClassVar[MessageKind] = MessageKind.CAMERA_POSITION

    color: str
    """`webcamPosition` and the UID."""
    area: Area
    on_top: bool
    """True on the strip of seats."""
    channel: int
    """0 for the main camera, 1 for the second."""


class Authorize(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The rights on the blackboard are granted or withdrawn."""

    kind: ClassVar[MessageKind] = MessageKind.AUTHORIZE

    operation: bool


class Kick(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A person is removed from the classroom."""

    kind: ClassVar[MessageKind] = MessageKind.KICK

    target_uid: UserId = msgspec.field(name="TargetUID")
    duration: int
    """Seconds without a return."""
    operation: int = 1


class MuteOne(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A person is muted, or may speak again."""

    kind: ClassVar[MessageKind] = MessageKind.MUTE_ONE

    target_uid: UserId = msgspec.field(name="TargetUID")
    operation: Flag


class MuteAll(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """All are muted, or may speak again."""

    kind: ClassVar[MessageKind] = MessageKind.MUTE_ALL

    target_uid: UserId = msgspec.field(default=UserId(0), name="TargetUID")
    operation: Flag


class Stage(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A person goes on the stage or leaves it."""

    kind: ClassVar[MessageKind] = MessageKind.STAGE

    operation: Flag


class AnswerTool(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A question is sent or collected, or a student answers it."""

    kind: ClassVar[MessageKind] = MessageKind.ANSWER_TOOL

    area: Area
    color: str
    """`standaloneSelectorToolglobalData`, or `standaloneSelectorTool` and the UID."""
    q_sent_time: Moment
    cur_state: int
    """0 started, 1 sent, 2 collected."""
    q_collect_time: Moment
    correct_items: str
    commited: int
    """0 started, 1 answering, 2 submitted."""
    selected_item: str
    all_items: str
    participants: AnsweringPerson
    recv_question_time: Moment
    last_commit_time: Moment


class ResponderTool(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The race to answer is started, won or over."""

    kind: ClassVar[MessageKind] = MessageKind.RESPONDER_TOOL

    area: Area
    color: str
    """`standaloneResponderToolglobalData`, or `standaloneResponderTool` and the UID."""
    random_top_left: Point
    participants: AnsweringPerson
    end_time: Moment
    cur_state: int
    """0 started, 1 open, 2 grabbing, 3 waiting, 4 over."""
    fastest_uid: UserId = msgspec.field(name="nId")
    fastest_guy_time: Moment
    fastest_guy_name: str


class NetworkReport(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The network of a person in the last five minutes."""

    kind: ClassVar[MessageKind] = MessageKind.NETWORK_REPORT

    uid: UserId = msgspec.field(name="UID")
    data: dict[str, int | str]
    """Counters as numbers, averages and addresses as texts: see NETWORK_DEFAULTS."""


_QUALITIES = ("Good", "Normal", "Bad", "Poor", "NotReach", "Total")
_COUNTERS = (
    *("good", "normal", "bad", "poor", "notReach", "total", "loss", "udpTotalPkts"),
    *(f"tcp{quality}" for quality in _QUALITIES),
    *(f"gateway{quality}" for quality in (*_QUALITIES, "Loss")),
    *(f"gateway2{quality}" for quality in (*_QUALITIES, "Loss")),
    *("cpuLow", "cpuMedium", "cpuHigh", "cpuBusy", "cpuTotal"),
)
_AVERAGES = (
    *("avgDelay", "avgVariance", "tcpAvgDelay", "tcpAvgVariance"),
    *("gatewayAvgDelay", "gatewayAvgVariance", "gateway2AvgDelay", "gateway2AvgVariance"),
)
NETWORK_DEFAULTS: dict[str, int | str] = {
    "localIP": "192.168.1.*",
    "socket": "UDP",
    "mediaPort": 0,
    "reportTime": "0",
    "mediaDuration": 300,
    **dict.fromkeys(_COUNTERS, 0),
    **dict.fromkeys(_AVERAGES, "0"),
    "gatewayTtl": "0",
    "gatewayAddress": "",
    "gateway2Ttl": "0",
    "gateway2Address": "",
}
"""All fields of the data of a network report."""


class HelpCall(msgspec.Struct, frozen=True, rename="pascal"):
    """A call for help."""

    uid: int = msgspec.field(default=0, name="UID")
    message: str = ""
    user_list: list[int] = []


class HelpRequest(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A person asks the support for help."""

    kind: ClassVar[MessageKind] = MessageKind.HELP_REQUEST

    data: HelpCall


class BlackboardImage(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A picture of the blackboard."""

    kind: ClassVar[MessageKind] = MessageKind.BLACKBOARD_IMAGE

    url: str
    group_id: int = 0
    """0 for the main room."""


class Rating(msgspec.Struct, frozen=True, rename="pascal"):
    """Stars and a comment."""

    comment: str = ""
    score: int = 0


class StudentRatings(msgspec.Struct, frozen=True):
    """The ratings of and by one student."""

    account: str = msgspec.field(default="", name="Account")
    email: str | UnsetType = msgspec.field(default=UNSET, name="studentEmail")
    by_teacher: Rating | UnsetType = msgspec.field(default=UNSET, name="T2S")
    of_teacher: Rating | UnsetType = msgspec.field(default=UNSET, name="S2T")


class Ratings(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The ratings of the teacher, or of one student."""

    kind: ClassVar[MessageKind] = MessageKind.RATINGS

    teacher: UserId = msgspec.field(name="TUID")
    comments: dict[str, StudentRatings]
    """By the UID of the student."""
