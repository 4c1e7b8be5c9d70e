"""Bodies of the messages about the viewers of live pages and replays (Q96)."""

from typing import Annotated, ClassVar

import msgspec

from homeroom.base.clock import Moment
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import MessageKind

ClientType = Annotated[int, msgspec.Meta(ge=1, le=3)]
"""1 desktop browser, 2 mobile browser, 3 mini program."""


class LoginData(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A viewer who logged in; the telephone number or e-mail address that was used."""

    telephone: str = ""
    login_time: Moment = 0
    nickname: str = ""


class LiveLogin(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A viewer logs in on the live page."""

    kind: ClassVar[MessageKind] = MessageKind.LIVE_LOGIN

    data: LoginData


class ReserveData(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A viewer who wants to be reminded."""

    telephone: str = ""
    reserve_time: Moment = 0


class LiveReserve(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A viewer books the live stream before it starts."""

    kind: ClassVar[MessageKind] = MessageKind.LIVE_RESERVE

    data: ReserveData


class VisitData(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A visit of a page; the address of the viewer in both spellings (Q90)."""

    telephone: str = "yk_0000000000000000"
    """Of a guest, a name that begins with yk_."""
    nickname: str = ""
    intime: Moment = 0
    look_time: int = 0
    """Seconds on the page."""
    sample_ip: str = msgspec.field(default="", name="Ip")
    ip: str = msgspec.field(default="", name="IP")
    client_type: ClientType = 1


class LiveView(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A visit of the live page has ended."""

    kind: ClassVar[MessageKind] = MessageKind.LIVE_VIEW

    data: VisitData


class WebReplayView(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A visit of the replay has ended."""

    kind: ClassVar[MessageKind] = MessageKind.WEB_REPLAY_VIEW

    data: VisitData


class LikeData(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A viewer who likes the stream."""

    telephone: str = "yk_0000000000000000"
    time: Moment = 0


class LiveLike(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A viewer likes the stream."""

    kind: ClassVar[MessageKind] = MessageKind.LIVE_LIKE

    data: LikeData


class ChatExtension(msgspec.Struct, frozen=True, kw_only=True):
    """More of a message in the live chat."""

    role: int = 0
    roleid: str = ""
    message_id: str = msgspec.field(default="", name="messageID")
    mark: str = ""


class ChatDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the live chat."""

    msg: str = ""
    """Text, or the address of a picture."""
    type: int = 1
    """1 text, 2 picture."""
    ext: ChatExtension = ChatExtension()


class ChatData(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A viewer who writes in the live chat."""

    account: str = "yk_0000000000000000"
    nickname: str = ""
    time_stamp: Moment = 0
    ip: str = msgspec.field(default="", name="IP")
    msg_detail: ChatDetails = ChatDetails()


class LiveChat(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A viewer writes in the live chat."""

    kind: ClassVar[MessageKind] = MessageKind.LIVE_CHAT

    data: ChatData
