"""Chat protocol on the WebSocket of a class: commands in, arrays of events out, all JSON."""

from enum import StrEnum
from typing import Annotated

import msgspec

from homeroom.domain.chat import ChatAccess, ChatRefusal, ChatRole

MAX_JS_INTEGER = 2**53
"""Largest integer that JavaScript represents exactly."""
Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_JS_INTEGER)]
Nonce = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,32}\Z")]


class ParticipantKind(StrEnum):
    """Kinds of a participant's identity."""

    VISITOR = "visitor"
    """Without a name."""
    GUEST = "guest"
    """A visitor who gave a telephone number and a nickname."""
    LINK = "link"
    """By a login-free link of the school."""
    USER = "user"
    """By account and password."""
    STAFF = "staff"
    """By the address of the teacher's page."""


# --- commands ------------------------------------------------------------------------------------


class JoinRoom(msgspec.Struct, frozen=True, tag_field="t", tag="join"):
    """Join the room, or join again with another ticket."""

    ticket: str | None = None
    after: Id = 0
    visit: Nonce | None = None
    """A name that the page chose for its visit: a page that comes back continues its visit."""


class SendMessage(msgspec.Struct, frozen=True, tag_field="t", tag="say"):
    """Send a chat message; the nonce identifies it when it is sent again."""

    text: str
    nonce: Nonce


class SendLikes(msgspec.Struct, frozen=True, tag_field="t", tag="like"):
    """Add the likes that the page has counted since the last such command."""

    n: Annotated[int, msgspec.Meta(ge=1, le=20)]


class SetPlaying(msgspec.Struct, frozen=True, tag_field="t", tag="play"):
    """Report that the video plays or pauses."""

    on: bool


class RequestState(msgspec.Struct, frozen=True, tag_field="t", tag="state"):
    """Request the current state of the class."""


class BookReminder(msgspec.Struct, frozen=True, tag_field="t", tag="remind"):
    """Book a reminder of the class before it starts."""


class DeleteMessage(msgspec.Struct, frozen=True, tag_field="t", tag="delete"):
    """Delete a message."""

    id: Id


class PinMessage(msgspec.Struct, frozen=True, tag_field="t", tag="pin"):
    """Pin a message, or unpin with None."""

    id: Id | None


class MuteViewer(msgspec.Struct, frozen=True, tag_field="t", tag="mute"):
    """Mute or unmute a viewer."""

    viewer: Id
    on: bool


class PauseChat(msgspec.Struct, frozen=True, tag_field="t", tag="pause"):
    """Pause or resume the chat for viewers."""

    on: bool


ModerationCommand = DeleteMessage | PinMessage | MuteViewer | PauseChat
Command = (
    JoinRoom
    | SendMessage
    | SendLikes
    | SetPlaying
    | RequestState
    | BookReminder
    | ModerationCommand
)
COMMAND_DECODER: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


# --- events --------------------------------------------------------------------------------------


class ChatMessage(msgspec.Struct, frozen=True, tag_field="t", tag="message"):
    """A chat message."""

    id: int
    viewer: int | None
    name: str
    role: ChatRole
    text: str
    at: int
    nonce: str | None


class MessageDeleted(msgspec.Struct, frozen=True, tag_field="t", tag="delete"):
    """A message was deleted."""

    id: int
    target: int


class MessagePinned(msgspec.Struct, frozen=True, tag_field="t", tag="pin"):
    """A message was pinned."""

    id: int
    target: int
    message: ChatMessage


class MessageUnpinned(msgspec.Struct, frozen=True, tag_field="t", tag="unpin"):
    """The pinned message was unpinned."""

    id: int


class ChatPaused(msgspec.Struct, frozen=True, tag_field="t", tag="pause"):
    """The chat was paused for viewers."""

    id: int


class ChatResumed(msgspec.Struct, frozen=True, tag_field="t", tag="resume"):
    """The chat was resumed."""

    id: int


class ParticipantInfo(msgspec.Struct, frozen=True, tag_field="t", tag="you"):
    """Identity of the participant on this connection, and their permission to chat."""

    viewer: int | None
    name: str
    role: ChatRole
    kind: ParticipantKind
    ticket: str | None
    chat: ChatAccess


class RoomCounts(msgspec.Struct, frozen=True, tag_field="t", tag="counts"):
    """Numbers of viewers and likes."""

    viewers: int
    likes: int


class ReminderBooked(msgspec.Struct, frozen=True, tag_field="t", tag="remind"):
    """A reminder of the class is booked for the participant."""


class CommandRefused(msgspec.Struct, frozen=True, tag_field="t", tag="no"):
    """A command was refused; `about` is its tag, `why` the reason."""

    about: str
    why: ChatRefusal
    nonce: str | None = None


class PresentViewer(msgspec.Struct, frozen=True):
    """A viewer with a name who is present."""

    viewer: int
    name: str
    kind: ParticipantKind
    muted: bool


class PresenceList(msgspec.Struct, frozen=True, tag_field="t", tag="people"):
    """Presence: the viewers with names, up to a maximum, and the number of others."""

    people: list[PresentViewer]
    more: int


ChatEvent = (
    ChatMessage | MessageDeleted | MessagePinned | MessageUnpinned | ChatPaused | ChatResumed
)
