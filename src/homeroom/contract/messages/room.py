"""Bodies of the messages about a class as such: who is in it, its length, and device checks."""

from typing import ClassVar

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import UserId
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import MessageKind


class EnterClass(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A person enters the classroom."""

    kind: ClassVar[MessageKind] = MessageKind.ENTER_CLASS

    nick_name: str
    uid: UserId = msgspec.field(name="UID")
    identity: int
    login_mobile: str
    login_email: str
    client_id: int = msgspec.field(default=0, name="ClientID")
    """0 for the first device of the person, 1 for the second."""
    allow_enter_time: Moment = 0
    """From when on a person who was kicked may return."""
    device: int


class LeaveClass(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A person leaves the classroom."""

    kind: ClassVar[MessageKind] = MessageKind.LEAVE_CLASS

    uid: UserId = msgspec.field(name="UID")
    identity: int
    client_id: int = msgspec.field(default=0, name="ClientID")
    reason: int


class ClassExtended(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The teacher lengthens the class."""

    kind: ClassVar[MessageKind] = MessageKind.CLASS_EXTENDED

    start_time: Moment
    prelect_time_length: int
    """Seconds: the new length."""
    close_class_delay: int
    """Seconds of overtime."""


class DeviceCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a device check; `Impersonal` is the program's verdict: 1 ok, 2 bad."""

    operating_system: str = msgspec.field(default="", name="OperatingSystem")
    cpu: str = msgspec.field(default="", name="CPU")
    network_delay: str = msgspec.field(default="", name="NetworkDelay")
    frame_loss: str = msgspec.field(default="", name="FrameLoss")
    microphone_arbitrary: int | None = msgspec.field(default=None, name="MicrophoneArbitrary")
    headphone_arbitrary: int | None = msgspec.field(default=None, name="HeadphoneArbitrary")
    camera_arbitrary: int | None = msgspec.field(default=None, name="CameraArbitrary")
    microphone_impersonal: int = msgspec.field(default=0, name="MicrophoneImpersonal")
    headphone_impersonal: int = msgspec.field(default=0, name="HeadphoneImpersonal")
    camera_impersonal: int = msgspec.field(default=0, name="CameraImpersonal")
    camera_name: str = msgspec.field(default="", name="EEO_VIDEO_DEVICE_NAME")
    microphone_name: str = msgspec.field(default="", name="EEO_AUDIO_DEVICE_NAME")
    speaker_name: str = msgspec.field(default="", name="EEO_AUDIO_OUTPUT_NAME")
    devices: str = msgspec.field(
        default='{"camera":[],"micphone":[],"speaker":[]}', name="EEO_DEVICE_LIST"
    )
    """JSON text, as in the sample: lists of names under camera, micphone and speaker."""
    microphone_attachment: str = msgspec.field(default="", name="MicrophoneAttachment")
    headphone_attachment: str = msgspec.field(default="", name="HeadphoneAttachment")
    camera_attachment: str = msgspec.field(default="", name="CameraAttachment")
    class_in_version: str = msgspec.field(default="", name="ClassInVersion")
    mac: str = msgspec.field(default="", name="Mac")
    add_time: Moment = msgspec.field(default=0, name="addTime")
    info_source: int = msgspec.field(default=3, name="InfoSource")
    """3: the check was finished."""
    device_type: int = msgspec.field(default=0, name="DeviceType")
    client_ip: str = msgspec.field(default="", name="ClientIP")
    """The last part is masked."""


class DeviceCheckInClass(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A device check of a person while the class is open."""

    kind: ClassVar[MessageKind] = MessageKind.DEVICE_CHECK_IN_CLASS

    uid: UserId = msgspec.field(name="UID")
    data: DeviceCheck


class DeviceCheckOutside(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A device check of a person outside of a class."""

    kind: ClassVar[MessageKind] = MessageKind.DEVICE_CHECK_OUTSIDE

    uid: UserId = msgspec.field(name="UID")
    data: DeviceCheck
