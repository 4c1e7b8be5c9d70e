"""The messages that acts of a school cause, as the database keeps them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import func, select

from homeroom.base.ids import UserId
from homeroom.store.tables import messages
from homeroom.store.unit_of_work import UnitOfWork
from tests.support.given import Given

V1: Final = 6
CONSOLE: Final = 3
COURSE: Final = "course_changed"
CLASS: Final = "class_changed"
COURSE_STUDENTS: Final = "course_students_changed"
CLASS_STUDENTS: Final = "class_students_changed"


class Emitted(NamedTuple):
    """A message: its kind, and its body without what is made anew at each attempt."""

    kind: str
    body: dict[str, Any]


@contextmanager
def receiving(given: Given) -> Iterator[None]:
    """Write the messages of all schools of a server, as the sandbox does."""
    subscribed = given.store.subscribed
    before, subscribed.is_everybody = subscribed.is_everybody, True
    try:
        yield
    finally:
        subscribed.is_everybody = before


def last_id(given: Given) -> int:
    """Return the id of the newest message of a server; 0 if there is none."""
    return int(given.rows(select(func.coalesce(func.max(messages.c.id), 0)))[0][0])


def emitted(given: Given, after: int = 0) -> list[Emitted]:
    """Return the messages of the school after a message id, in their order."""
    query = (
        select(messages.c.kind, messages.c.body)
        .where(messages.c.school_id == given.school.id, messages.c.id > after)
        .order_by(messages.c.id)
    )
    return [Emitted(kind, msgspec.json.decode(body)) for kind, body in given.rows(query)]


class Watch:
    """The messages of a school from now on."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.after = last_id(given)

    def all(self) -> list[Emitted]:
        """Return the messages since the last look."""
        new = emitted(self.given, self.after)
        self.after = last_id(self.given)
        return new

    def changes(self) -> list[tuple[str, int, dict[str, Any]]]:
        """Return kind, opType and opData of the messages since the last look."""
        return [(kind, body["opType"], body["opData"]) for kind, body in self.all()]


def teacher_info(uid: UserId, name: str = "Teacher") -> dict[str, Any]:
    """Return a teacher as messages name them."""
    return {"teacherName": name, "teacherUid": uid, "teacherNo": ""}


def student_info(uid: UserId, name: str) -> dict[str, Any]:
    """Return a student as messages name them."""
    return {"studentName": name, "studentUid": uid, "studentNo": "", "labelInfos": []}


def name_of(given: Given, uid: UserId, *, is_teacher: bool = False) -> str:
    """Return the name of a person on a list of the school."""
    sid = given.school.id

    def read(uow: UnitOfWork) -> str:
        if is_teacher:
            return uow.teachers.list_names(sid, [uid])[uid]
        return uow.accounts.find_students(sid, [uid])[uid]

    return given.store.read(read)


def teachers(given: Given, *uids: UserId) -> list[dict[str, Any]]:
    """Return some teachers as messages name them."""
    return [teacher_info(uid, name_of(given, uid, is_teacher=True)) for uid in uids]
