"""What travels over a class's WebSocket: single objects in, arrays of events out."""

from typing import Annotated

import msgspec

from homeroom.domain.chat import ChatRole

MAX_JS_INTEGER = 2**53
"""Above this JavaScript counts no more."""
Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_JS_INTEGER)]
Nonce = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,32}\Z")]


# --- in ------------------------------------------------------------------------------------------


class JoinRoom(msgspec.Struct, frozen=True, tag_field="t", tag="join"):
    """Somebody comes in, or says anew who they are."""

    ticket: str | None = None
    after: Id = 0


class SendMessage(msgspec.Struct, frozen=True, tag_field="t", tag="say"):
    """A message."""

    text: str
    nonce: Nonce


class SendLikes(msgspec.Struct, frozen=True, tag_field="t", tag="like"):
    """Likes, counted by the page since its last frame of them."""

    n: Annotated[int, msgspec.Meta(ge=1, le=20)]


class SetPlaying(msgspec.Struct, frozen=True, tag_field="t", tag="play"):
    """Whether the picture runs."""

    on: bool


class RequestState(msgspec.Struct, frozen=True, tag_field="t", tag="state"):
    """How the class stands is asked for."""


class DeleteMessage(msgspec.Struct, frozen=True, tag_field="t", tag="delete"):
    """A message is to go."""

    id: Id


class PinMessage(msgspec.Struct, frozen=True, tag_field="t", tag="pin"):
    """A message is to stay on top, or none any more."""

    id: Id | None


class MuteViewer(msgspec.Struct, frozen=True, tag_field="t", tag="mute"):
    """A viewer may speak no more, or again."""

    viewer: Id
    on: bool


class PauseChat(msgspec.Struct, frozen=True, tag_field="t", tag="pause"):
    """Viewers may speak no more for now, or again."""

    on: bool


ModerationCommand = DeleteMessage | PinMessage | MuteViewer | PauseChat
Command = JoinRoom | SendMessage | SendLikes | SetPlaying | RequestState | ModerationCommand
COMMAND_DECODER: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


# --- out -----------------------------------------------------------------------------------------


class ChatMessage(msgspec.Struct, frozen=True, tag_field="t", tag="message"):
    """A message as everybody sees it."""

    id: int
    viewer: int | None
    name: str
    role: ChatRole
    text: str
    at: int
    nonce: str | None


class MessageDeleted(msgspec.Struct, frozen=True, tag_field="t", tag="delete"):
    """A message has gone."""

    id: int
    target: int


class MessagePinned(msgspec.Struct, frozen=True, tag_field="t", tag="pin"):
    """A message stays on top."""

    id: int
    target: int
    message: ChatMessage


class MessageUnpinned(msgspec.Struct, frozen=True, tag_field="t", tag="unpin"):
    """No message stays on top."""

    id: int


class ChatPaused(msgspec.Struct, frozen=True, tag_field="t", tag="pause"):
    """Viewers may not speak for now."""

    id: int


class ChatResumed(msgspec.Struct, frozen=True, tag_field="t", tag="resume"):
    """Viewers may speak again."""

    id: int


class ParticipantInfo(msgspec.Struct, frozen=True, tag_field="t", tag="you"):
    """Who the viewer is, and what stands between them and the chat."""

    viewer: int | None
    name: str
    role: ChatRole
    kind: str
    ticket: str | None
    chat: str
    """open, guest, login or muted."""


class RoomCounts(msgspec.Struct, frozen=True, tag_field="t", tag="counts"):
    """How many are there, and how much they like it."""

    viewers: int
    likes: int


class CommandRefused(msgspec.Struct, frozen=True, tag_field="t", tag="no"):
    """Something was not done."""

    about: str
    why: str
    nonce: str | None = None


class PresentViewer(msgspec.Struct, frozen=True):
    """A viewer with a name who is there."""

    viewer: int
    name: str
    kind: str
    muted: bool


class PresenceList(msgspec.Struct, frozen=True, tag_field="t", tag="people"):
    """The viewers with names who are there, as many as are shown, and how many more."""

    people: list[PresentViewer]
    more: int


ChatEvent = (
    ChatMessage | MessageDeleted | MessagePinned | MessageUnpinned | ChatPaused | ChatResumed
)
