"""Read-back of the live pages: viewers and chat entries."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.contract.paged import DELETED, SID, SINCE, UNTIL, PageQuery, ReadBack
from homeroom.contract.params import ID, TEXT, ParamType, read_word
from homeroom.contract.rows import IdNumber, ReadBackRow, Switch, Timestamp, describe_choice

CSV = "csv"
TELEPHONE = ParamType(TEXT.read, "the telephone number that a visitor gave")
FORMAT = ParamType(
    read_word("json", CSV),
    "json, or csv: all of it as one table for a spreadsheet, whatever the limit",
)


class LessonViewersQuery(PageQuery, frozen=True, kw_only=True):
    """Which viewers of a class."""

    telephone: Annotated[str | None, TELEPHONE] = None
    format: Annotated[str, FORMAT] = "json"


class ViewersQuery(LessonViewersQuery, frozen=True, kw_only=True):
    """Which viewers."""

    sid: Annotated[SchoolId | None, SID] = None
    class_id: Annotated[LessonId | None, ID] = None
    course_id: Annotated[CourseId | None, ID] = None
    since: Annotated[Moment | None, SINCE] = None
    until: Annotated[Moment | None, UNTIL] = None


class MessagesQuery(PageQuery, frozen=True, kw_only=True):
    """Which messages of a class."""

    deleted: Annotated[bool | None, DELETED] = None


class ViewerRow(ReadBackRow, frozen=True, kw_only=True):
    """A viewer of a class: one with a name, or one who watched for ten seconds or more."""

    sid: IdNumber = msgspec.field(name="SID")
    class_id: IdNumber
    class_name: str
    course_id: IdNumber
    course_name: str
    begin_time: Annotated[Timestamp, Meta(description="When the class begins.")]
    viewer_id: IdNumber
    kind: Annotated[
        str,
        describe_choice(
            "visitor: on the page; link: by a login-free link; user: logged in.",
            *("visitor", "link", "user"),
        ),
    ]
    uid: Annotated[int | None, Meta(description="Of a user.")]
    account: Annotated[
        str | None,
        Meta(
            description="Of a user, masked where the school neither registered nor named it; or as "
            "the link says it."
        ),
    ]
    nickname: Annotated[str, Meta(description="Empty: they never said it.")]
    telephone: Annotated[str | None, Meta(description="As a visitor gave it.")]
    watched_seconds: Annotated[int, Meta(description="For how long the picture ran.")]
    first_seen: Timestamp
    last_seen: Timestamp
    is_muted: Annotated[Switch, Meta(description="1: may not chat in the class.")]


class MessageRow(ReadBackRow, frozen=True, kw_only=True):
    """A message of the chat of a class."""

    class_id: IdNumber
    message_id: IdNumber
    viewer_id: Annotated[
        int | None, Meta(description="null: of the school's people, or of a viewer no longer kept.")
    ]
    nickname: str
    role: Annotated[str, describe_choice("As what they speak.", "viewer", "teacher", "operator")]
    text: str
    sent_time: Timestamp
    deleted_time: Annotated[Timestamp | None, Meta(description="null: it is shown.")]


VIEWERS = ReadBack(
    "listViewers",
    "/viewers",
    "Viewers of the live pages",
    ViewersQuery,
    ViewerRow,
    "by the start of their classes, then in the order of their coming",
)
LESSON_VIEWERS = ReadBack(
    "listClassViewers",
    "/classes/{classId}/viewers",
    "Viewers of a class",
    LessonViewersQuery,
    ViewerRow,
    "in the order of their coming",
)
MESSAGES = ReadBack(
    "listMessages",
    "/classes/{classId}/chat",
    "The chat of a class, deleted messages too",
    MessagesQuery,
    MessageRow,
    "as they were sent",
)
