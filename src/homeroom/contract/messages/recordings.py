"""Bodies of the messages about files of a class: recordings, uploads, chat archive (Q97)."""

from typing import ClassVar

from homeroom.base.clock import Moment
from homeroom.contract.messages.body import FILE_ADDRESS, MessageBody
from homeroom.contract.messages.kinds import MessageKind


class ClassChatArchive(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The chat of a class was packed; `TimeStamp` is the envelope's (Q90)."""

    kind: ClassVar[MessageKind] = MessageKind.CLASS_CHAT_ARCHIVE

    url: str = FILE_ADDRESS
    pack_time: Moment
