"""Bodies of the messages about files of a class: recordings, uploads, chat archive (Q97)."""

from typing import ClassVar

import msgspec

from homeroom.base.clock import Moment
from homeroom.contract.messages.body import FILE_ADDRESS, MessageBody
from homeroom.contract.messages.kinds import MessageKind


class ClassChatArchive(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The chat of a class was packed; `TimeStamp` is the envelope's (Q90)."""

    kind: ClassVar[MessageKind] = MessageKind.CLASS_CHAT_ARCHIVE

    url: str = FILE_ADDRESS
    pack_time: Moment


class RecorderSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of the recorder, which the vendor's client has and this server has not (Q97)."""

    audio_mode: str = msgspec.field(default="ClassIn Audio", name="Audio mode")
    bit_rate: str = msgspec.field(default="Standard", name="HighBitRate")
    push_host: str = msgspec.field(name="IP")
    has_microphone: str = msgspec.field(default="Yes", name="Micphone is recorded")
    scope: str = msgspec.field(default="Classroom", name="Video Scope")
    size: str = msgspec.field(name="Video Size")


class RecordingStarted(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A push of a recorded class began, of its scene too."""

    kind: ClassVar[MessageKind] = MessageKind.RECORDING_STARTED

    data: RecorderSettings


class RecordingReady(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The flat file of a recording is ready, and its size is final."""

    kind: ClassVar[MessageKind] = MessageKind.RECORDING_FILE

    v_url: str = FILE_ADDRESS
    starts_at: Moment = msgspec.field(name="VST")
    ends_at: Moment = msgspec.field(name="VET")
    duration: int
    """Seconds."""
    file_id: str
    size: int
    """Bytes."""
    camera: str = msgspec.field(name="CIDExt")
    """`ClassRoom`, or `Camera.3` for the scene."""


class ReplayUploaded(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A clip was added by hand."""

    kind: ClassVar[MessageKind] = MessageKind.REPLAY_UPLOADED

    v_url: str = FILE_ADDRESS
    duration: int
    """Seconds."""
    file_id: str
    size: int
    """Bytes."""
