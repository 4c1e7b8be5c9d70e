"""The list of comments of the read-back API."""

from sqlalchemy import bindparam

from homeroom.store.paging import ListDefinition
from homeroom.store.readback_records import CommentRecord
from homeroom.store.tables import comments, users

COMMENTS = ListDefinition(
    "comments",
    CommentRecord,
    (
        comments.c.school_id,
        comments.c.lesson_id,
        users.c.id,
        users.c.telephone,
        users.c.email,
        users.c.cancelled_at,
        comments.c.stars,
        comments.c.text,
        comments.c.created_at,
        comments.c.changed_at,
    ),
    comments.outerjoin(users, users.c.id == comments.c.user_id),
    school=comments.c.school_id,
    order=(comments.c.id,),
    filters={
        "lesson": comments.c.lesson_id == bindparam("lesson"),
        "student": comments.c.user_id == bindparam("student"),
    },
    selective_filters=frozenset({"lesson", "student"}),
)
