"""The body of the summary of a class (`End`): sums of what happened in its classroom (Q95).

Maps are keyed by UID. All times are seconds. A part is empty or 0 where nothing happened, but
`muteEnd` and `silenceEnd`, which are missing then.
"""

from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType, field

from homeroom.base.clock import Moment
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import MessageKind


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """Base of the parts of the summary: `UpCount` on the wire is `up_count` here."""


class StageSum(_Part, frozen=True):
    """The time of a person on and off the stage while inside."""

    down_count: int = 0
    down_total: int = 0
    up_count: int = 0
    up_total: int = 0


class HandSum(_Part, frozen=True):
    """The raised hands of a person."""

    c_time: int = 0
    """Seconds with a raised hand."""
    total: int = 0


class Passage(_Part, frozen=True):
    """One entering or leaving."""

    type: str
    """`In` or `Out`."""
    time: Moment
    device: int | UnsetType = UNSET
    """Only of `In`."""


class DeputySum(_Part, frozen=True):
    """The presence of a person by a further device."""

    client_id: int = field(name="clientID")
    """As in the sample of the documentation."""
    client_id_of_table: int = field(name="ClientID")
    """The same value: the table has another spelling (Q45)."""
    total: int
    details: list[Passage]


class PresenceSum(_Part, frozen=True):
    """The presence of a person."""

    total: int
    """Seconds present."""
    identity: int
    details: list[Passage]
    deputies: list[DeputySum] | UnsetType = UNSET


class Total(_Part, frozen=True):
    """A number of trophies, or of seconds."""

    total: int = 0


class Count(_Part, frozen=True):
    """A number of times."""

    count: int = 0


class CountAndTotal(_Part, frozen=True):
    """A number of times, and the seconds of all of them."""

    count: int = 0
    total: int = 0


class TimerSum(_Part, frozen=True):
    """Uses of the timer and of the stopwatch."""

    count: int = 0
    timing_count: int = field(default=0, name="Timing_Count")


class MuteSum(_Part, frozen=True):
    """Muting of sound; the totals of persons are seconds in which they could speak."""

    persons: dict[int, Total]
    mute_all: CountAndTotal


class BoardSum(_Part, frozen=True):
    """Uses of small boards or text boards: how long each, and how many were handed out."""

    count: int = 0
    total: int = 0
    period: list[int] = []
    d_count: int = 0


class PeriodSum(_Part, frozen=True):
    """Uses of a tool, and how long each was."""

    count: int = 0
    total: int = 0
    period: list[int] = []


class AnswerSum(_Part, frozen=True):
    """The questions of the quiz tool."""

    count: int = 0
    average_accuracy: float = 0.0
    answers: list[dict[str, Any]] = []
    """One for each question: the answer by UID, beside Participants, CorrectItems and Accuracy."""


class GrabSum(_Part, frozen=True):
    """How often a person grabbed, and how often as the first."""

    count: int = 0
    s_count: int = 0


class ResponderSum(_Part, frozen=True):
    """The rounds of the race to answer."""

    count: int = 0
    persons: dict[int, GrabSum] = {}


class Kickout(_Part, frozen=True):
    """One removal from the room."""

    duration: int
    time: Moment


class SharedFile(_Part, frozen=True):
    """A file while it was shared."""

    start_time: Moment
    end_time: Moment
    file_name: str


class ShareSum(_Part, frozen=True):
    """The files that were shared."""

    count: int = 0
    total: int = 0
    files: list[SharedFile] = []


class BoardFile(_Part, frozen=True):
    """A file that was opened on the blackboard."""

    file_key: str
    """`0` for a local one."""
    action_time: Moment
    file_source: int
    """0 local, 1 cloud."""
    file_name: str


class BoardFiles(_Part, frozen=True):
    """The files that were opened on the blackboard."""

    files: list[BoardFile] = []


class DeviceSum(_Part, frozen=True):
    """Seconds in which a microphone or camera was on."""

    total: int = 0
    """On stage only."""
    total_not_disabled: int = 0
    """On and off stage."""


class EquipmentSum(_Part, frozen=True):
    """The devices of a person."""

    microphone: DeviceSum = DeviceSum()
    camera: DeviceSum = DeviceSum()


class GroupMember(_Part, frozen=True):
    """A member of a group."""

    role: int
    """1 leader, 0 member."""
    uid: int = field(name="UID")


class GroupingItem(_Part, frozen=True):
    """One grouping: each of its groups is a map with the id as its only key."""

    start_time: Moment
    duration: int
    groups: list[dict[str, list[GroupMember]]]


class GroupingSum(_Part, frozen=True):
    """All groupings."""

    count: int = 0
    duration: int = 0
    items: list[GroupingItem] = []


class GroupSum(_Part, frozen=True):
    """The groupings of the class."""

    grouping: GroupingSum = GroupingSum()


class SeatValues(_Part, frozen=True):
    """A number for hidden seats and one for displayed seats."""

    hidden: int = 0
    display: int = 0


class SwitchDetail(_Part, frozen=True):
    """One switch to a state, as 1 for displayed seats or a full screen."""

    type: int
    time: Moment


class SeatSum(_Part, frozen=True):
    """How the seats of a group were hidden and displayed."""

    count: SeatValues
    total: SeatValues
    details: list[SwitchDetail]


class ClassSetSum(_Part, frozen=True):
    """The settings of the classroom: seats, keyed by `Group<id>`."""

    seat: dict[str, SeatSum] = {}


class SilenceSum(_Part, frozen=True):
    """Muting in the chat, in seconds."""

    persons: dict[int, Total]
    silence_all: CountAndTotal


class ScreenSum(_Part, frozen=True):
    """How the screen of a person was a window or full."""

    window_total: int = 0
    full_total: int = 0
    window_count: int = 0
    full_count: int = 0
    details: list[SwitchDetail] = []


class CameraDetails(_Part, frozen=True):
    """The teaching camera by its source."""

    local: int = 0
    net: int = 0
    video: int = 0


class CameraSum(_Part, frozen=True):
    """Uses of the teaching camera."""

    total: int = 0
    times: int = 0
    details: CameraDetails = CameraDetails()


class TimesSum(_Part, frozen=True):
    """Uses of a tool, and the seconds of all of them."""

    total: int = 0
    times: int = 0


class SummaryData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """All sums of a class: `stageEnd` on the wire is `stage_end` here."""

    stage_end: dict[int, StageSum] = {}
    handsup_end: dict[int, HandSum] = {}
    inout_end: dict[int, PresenceSum] = {}
    award_end: dict[int, Total] = {}
    timer_end: TimerSum = TimerSum()
    mute_end: MuteSum | UnsetType = UNSET
    smallboard_end: BoardSum = BoardSum()
    textboard_end: BoardSum = BoardSum()
    authorize_end: dict[int, CountAndTotal] = {}
    dice_end: Count = Count()
    answer_end: AnswerSum = AnswerSum()
    screenshare_end: PeriodSum = PeriodSum()
    responder_end: ResponderSum = ResponderSum()
    kickout_end: dict[int, list[Kickout]] = {}
    sharewidget_end: ShareSum = ShareSum()
    edb_end: BoardFiles = BoardFiles()
    equipments_end: dict[int, EquipmentSum] = {}
    mdscreen_end: CountAndTotal = CountAndTotal()
    randomsel_end: Count = Count()
    group_end: GroupSum = GroupSum()
    classset_end: ClassSetSum = ClassSetSum()
    silence_end: SilenceSum | UnsetType = UNSET
    screenchange_end: dict[int, ScreenSum] = {}
    teachingcamera_end: CameraSum = CameraSum()
    videowall_end: TimesSum = TimesSum()


class ClassSummary(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The summary of a class, sent once at its planned closing."""

    kind: ClassVar[MessageKind] = MessageKind.CLASS_SUMMARY

    start_time: Moment
    close_time: Moment
    """The planned end and the fixed overtime."""
    real_close_time: Moment
    """When the class was closed early, else 0."""
    data: SummaryData
