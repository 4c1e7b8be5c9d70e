"""The chat of a class: what may be said, and what becomes of it."""

from enum import StrEnum

from homeroom.base.clock import Moment
from homeroom.base.errors import HomeroomError
from homeroom.base.ids import EntryId, LessonId, ViewerId
from homeroom.base.text import strip_invisible
from homeroom.base.values import Value

MAX_MESSAGE_LENGTH = 500
"""Characters of a message."""
MAX_RECENT_MESSAGES = 200
"""Recent messages that a new participant receives."""


class EntryKind(StrEnum):
    """The kind of a chat entry."""

    MESSAGE = "message"
    DELETE = "delete"
    PIN = "pin"
    UNPIN = "unpin"
    PAUSE = "pause"
    RESUME = "resume"
    MUTE = "mute"
    UNMUTE = "unmute"


class ChatRole(StrEnum):
    """The role of an author in a chat."""

    VIEWER = "viewer"
    TEACHER = "teacher"
    OPERATOR = "operator"


class ChatAccess(StrEnum):
    """The access of a participant to a chat."""

    OPEN = "open"
    GUEST = "guest"
    """They have to give a telephone number and a nickname first."""
    LOGIN = "login"
    """They have to log in first."""
    MUTED = "muted"


class ChatRefusal(StrEnum):
    """The reason for a refusal in a chat; pages have a text for each."""

    EMPTY = "empty"
    LONG = "long"
    OVER = "over"
    """The class is over."""
    GUEST = "guest"
    LOGIN = "login"
    MUTED = "muted"
    PAUSED = "paused"
    SLOW = "slow"
    """The participant writes, or likes, too often."""
    ROOM_SLOW = "room_slow"
    """All participants together write too often."""
    MISSING = "missing"
    """The message or the viewer does not exist, or not any more."""
    FAILED = "failed"
    """A fault of the server: the client may try again."""


class ChatRefusalError(HomeroomError):
    """A message may not be sent, for this reason."""

    def __init__(self, reason: ChatRefusal) -> None:
        super().__init__(reason)
        self.reason = reason


class Author(Value, frozen=True):
    """The author of a chat entry; teachers and operators have no viewer id."""

    name: str
    role: ChatRole = ChatRole.VIEWER
    viewer: ViewerId | None = None


class NewChatEntry(Value, frozen=True):
    """A chat entry to write: a message or an action."""

    lesson: LessonId
    kind: EntryKind
    author: Author
    text: str = ""
    target: int | None = None
    """The id of the message that is deleted or pinned, or of the viewer who is muted."""
    nonce: str | None = None
    """Idempotency key of the sender: a message that is sent again with it is written once."""


class ChatEntry(Value, frozen=True):
    """An entry in a chat; later entries have higher ids."""

    id: EntryId
    new: NewChatEntry
    sent_at: Moment
    is_deleted: bool


class ChatState(Value, frozen=True):
    """The current state of a chat."""

    is_paused: bool = False
    pinned: ChatEntry | None = None
    likes: int = 0


def normalize_message(text: str) -> str:
    """Return a message as it is kept: no hidden characters; raises `ChatRefusalError`."""
    message = strip_invisible(text, keep="\n").strip()
    if not message:
        raise ChatRefusalError(ChatRefusal.EMPTY)
    if len(message) > MAX_MESSAGE_LENGTH:
        raise ChatRefusalError(ChatRefusal.LONG)
    return message
