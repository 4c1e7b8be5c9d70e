"""What travels over a class's WebSocket: single objects in, arrays of events out."""

from typing import Annotated

import msgspec

from homeroom.domain.chat import ChatRole

MOST = 2**53
"""Above this JavaScript counts no more."""
Id = Annotated[int, msgspec.Meta(ge=0, le=MOST)]
Nonce = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,32}\Z")]


# --- in ------------------------------------------------------------------------------------------


class Join(msgspec.Struct, frozen=True, tag_field="t", tag="join"):
    """Somebody comes in, or says anew who they are."""

    ticket: str | None = None
    after: Id = 0


class Say(msgspec.Struct, frozen=True, tag_field="t", tag="say"):
    """A message."""

    text: str
    nonce: Nonce


class Like(msgspec.Struct, frozen=True, tag_field="t", tag="like"):
    """Likes, counted by the page since its last frame of them."""

    n: Annotated[int, msgspec.Meta(ge=1, le=20)]


class Play(msgspec.Struct, frozen=True, tag_field="t", tag="play"):
    """Whether the picture runs."""

    on: bool


class AskState(msgspec.Struct, frozen=True, tag_field="t", tag="state"):
    """How the class stands is asked for."""


class Delete(msgspec.Struct, frozen=True, tag_field="t", tag="delete"):
    """A message is to go."""

    id: Id


class Pin(msgspec.Struct, frozen=True, tag_field="t", tag="pin"):
    """A message is to stay on top, or none any more."""

    id: Id | None


class Mute(msgspec.Struct, frozen=True, tag_field="t", tag="mute"):
    """A viewer may speak no more, or again."""

    viewer: Id
    on: bool


class Pause(msgspec.Struct, frozen=True, tag_field="t", tag="pause"):
    """Viewers may speak no more for now, or again."""

    on: bool


Moderation = Delete | Pin | Mute | Pause
Frame = Join | Say | Like | Play | AskState | Moderation
READER: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)


# --- out -----------------------------------------------------------------------------------------


class Message(msgspec.Struct, frozen=True, tag_field="t", tag="message"):
    """A message as everybody sees it."""

    id: int
    viewer: int | None
    name: str
    role: ChatRole
    text: str
    at: int
    nonce: str | None


class Deleted(msgspec.Struct, frozen=True, tag_field="t", tag="delete"):
    """A message has gone."""

    id: int
    target: int


class Pinned(msgspec.Struct, frozen=True, tag_field="t", tag="pin"):
    """A message stays on top."""

    id: int
    target: int
    message: Message


class Unpinned(msgspec.Struct, frozen=True, tag_field="t", tag="unpin"):
    """No message stays on top."""

    id: int


class Paused(msgspec.Struct, frozen=True, tag_field="t", tag="pause"):
    """Viewers may not speak for now."""

    id: int


class Resumed(msgspec.Struct, frozen=True, tag_field="t", tag="resume"):
    """Viewers may speak again."""

    id: int


class You(msgspec.Struct, frozen=True, tag_field="t", tag="you"):
    """Who the viewer is, and what stands between them and the chat."""

    viewer: int | None
    name: str
    role: ChatRole
    kind: str
    ticket: str | None
    chat: str
    """open, guest, login or muted."""


class Counts(msgspec.Struct, frozen=True, tag_field="t", tag="counts"):
    """How many are there, and how much they like it."""

    viewers: int
    likes: int


class No(msgspec.Struct, frozen=True, tag_field="t", tag="no"):
    """Something was not done."""

    about: str
    why: str
    nonce: str | None = None


class Present(msgspec.Struct, frozen=True):
    """A viewer with a name who is there."""

    viewer: int
    name: str
    kind: str
    muted: bool


class People(msgspec.Struct, frozen=True, tag_field="t", tag="people"):
    """The viewers with names who are there, as many as are shown, and how many more."""

    people: list[Present]
    more: int


EntryEvent = Message | Deleted | Pinned | Unpinned | Paused | Resumed
