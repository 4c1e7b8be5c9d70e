"""Lists of the read-back API about the public pages: viewers and chat messages."""

from sqlalchemy import bindparam, func

from homeroom.store.paging import ListDefinition, deletion_filter
from homeroom.store.readback_records import MessageRecord, ViewerRecord
from homeroom.store.tables import chat_entries, courses, lessons, users, viewers

_COLUMNS = (
    lessons.c.school_id,
    viewers.c.lesson_id,
    lessons.c.name,
    lessons.c.course_id,
    courses.c.name,
    lessons.c.begins_at,
    viewers.c.id,
    viewers.c.kind,
    viewers.c.identity,
    viewers.c.user_id,
    func.coalesce(users.c.telephone, users.c.email),
    viewers.c.name,
    viewers.c.telephone,
    viewers.c.watched,
    viewers.c.first_seen_at,
    viewers.c.last_seen_at,
    viewers.c.muted_at,
)
# With inner joins SQLite might begin with another table, and sort all rows for each page.
_joined_names = (
    lessons.join(viewers, viewers.c.lesson_id == lessons.c.id)
    .outerjoin(courses, courses.c.id == lessons.c.course_id)
    .outerjoin(users, users.c.id == viewers.c.user_id)
)
_has_telephone = viewers.c.telephone == bindparam("telephone")
VIEWERS = ListDefinition(
    "viewers",
    ViewerRecord,
    _COLUMNS,
    _joined_names,
    school=lessons.c.school_id,
    order=(lessons.c.begins_at, lessons.c.id, viewers.c.id),
    filters={
        "lesson": lessons.c.id == bindparam("lesson"),
        "course": lessons.c.course_id == bindparam("course"),
        "telephone": _has_telephone,
        "since": lessons.c.begins_at >= bindparam("since"),
        "until": lessons.c.begins_at < bindparam("until"),
    },
    selective_filters=frozenset({"lesson", "course", "telephone"}),
)
LESSON_VIEWERS = ListDefinition(
    "viewers of a class",
    ViewerRecord,
    _COLUMNS,
    _joined_names,
    # Listed by class: here the class takes the place of the school. So it does for messages.
    school=viewers.c.lesson_id,
    order=(viewers.c.id,),
    filters={"telephone": _has_telephone},
)
MESSAGES = ListDefinition(
    "messages",
    MessageRecord,
    (
        chat_entries.c.lesson_id,
        chat_entries.c.id,
        chat_entries.c.viewer_id,
        chat_entries.c.name,
        chat_entries.c.role,
        chat_entries.c.text,
        chat_entries.c.sent_at,
        chat_entries.c.deleted_at,
    ),
    chat_entries,
    school=chat_entries.c.lesson_id,
    order=(chat_entries.c.id,),
    filters={
        "kind": chat_entries.c.kind == bindparam("kind"),
        "deleted": deletion_filter(chat_entries.c.deleted_at),
    },
)
