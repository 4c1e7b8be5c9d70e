"""Students of single classes: guests, and students of the course who were transferred out."""

from collections.abc import Collection, Iterable

import msgspec
from sqlalchemy import Table, bindparam, delete, func, literal_column, select, union_all
from sqlalchemy.sql import Select

from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.domain.class_students import ClassTie
from homeroom.domain.teachers import MemberRole
from homeroom.store.engine import SQLValue, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    co_teachers,
    course_members,
    guests,
    lesson_absences,
    lessons,
)

_TABLES = {
    ClassTie.GUEST: guests,
    ClassTie.TRANSFERRED_OUT: lesson_absences,
    ClassTie.CO_TEACHER: co_teachers,
}
_lesson_ids = ListParameter("lesson_ids")
_uids = ListParameter("uids")


def _select_ties(tie: ClassTie, table: Table) -> Select[tuple[int, int, str]]:
    return select(table.c.lesson_id, table.c.user_id, literal_column(f"'{tie}'")).where(
        _lesson_ids.contains(table.c.lesson_id), _uids.contains(table.c.user_id)
    )


_FIND_TIES = Statement(union_all(*(_select_ties(*item) for item in _TABLES.items())))
_LIST_ABSENCES = Statement(
    select(lesson_absences.c.lesson_id, lesson_absences.c.user_id).where(
        _lesson_ids.contains(lesson_absences.c.lesson_id)
    )
)
_pairs = ListParameter("pairs")


def _add_statement(table: Table) -> Statement:
    return Statement(
        lambda insert: (
            insert(table)
            .from_select(
                ["lesson_id", "user_id"],
                select(_pairs.integer(0), _pairs.integer(1))
                .select_from(_pairs.source)
                .order_by(_pairs.integer(0), _pairs.integer(1)),
            )
            .on_conflict_do_nothing()
        )
    )


def _delete_statement(table: Table) -> Statement:
    return Statement(
        delete(table).where(
            _lesson_ids.contains(table.c.lesson_id), _uids.contains(table.c.user_id)
        )
    )


_ADD_GUESTS = _add_statement(guests)
_ADD_ABSENCES = _add_statement(lesson_absences)
_DELETE_GUESTS = _delete_statement(guests)
_DELETE_ABSENCES = _delete_statement(lesson_absences)
_of_course = course_members.c.course_id == bindparam("course")
_course_students = (
    select(func.count())
    .select_from(course_members)
    .where(_of_course, course_members.c.role == MemberRole.STUDENT.value)
)
_absences = (
    select(func.count())
    .select_from(lesson_absences)
    .where(lesson_absences.c.lesson_id == lessons.c.id)
)
_strangers = (
    select(func.count())
    .select_from(guests)
    .where(
        guests.c.lesson_id == lessons.c.id,
        ~select(course_members.c.user_id)
        .where(_of_course, course_members.c.user_id == guests.c.user_id)
        .exists(),
    )
)
_COUNT = Statement(
    select(
        lessons.c.id,
        _course_students.scalar_subquery()
        - _absences.scalar_subquery()
        + _strangers.scalar_subquery(),
    )
    .select_from(_lesson_ids.source)
    .join(lessons, lessons.c.id == _lesson_ids.integer())
)


class ClassStudents:
    """Repository of guests and of students transferred out."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def find_ties(
        self, lesson_ids: Iterable[LessonId], uids: Iterable[UserId]
    ) -> dict[tuple[LessonId, UserId], frozenset[ClassTie]]:
        """Return what ties some users to some classes; pairs without a tie are missing."""
        ties: dict[tuple[LessonId, UserId], frozenset[ClassTie]] = {}
        for lesson, uid, tie in self._tx.fetch_all(_FIND_TIES, _encode_both(lesson_ids, uids)):
            pair = LessonId(lesson), UserId(uid)
            ties[pair] = ties.get(pair, frozenset()) | {ClassTie(tie)}
        return ties

    def list_absences(self, lesson_ids: Iterable[LessonId]) -> set[tuple[LessonId, UserId]]:
        """Return the students who were transferred out of some classes, each with the class."""
        rows = self._tx.fetch_all(_LIST_ABSENCES, {"lesson_ids": _encode(lesson_ids)})
        return {(LessonId(lesson), UserId(uid)) for lesson, uid in rows}

    def count(self, course: CourseId, lesson_ids: Iterable[LessonId]) -> dict[LessonId, int]:
        """Return the number of students, guests included, of some classes of a course."""
        values: dict[str, SQLValue] = {"course": course, "lesson_ids": _encode(lesson_ids)}
        return dict(self._tx.fetch_all(_COUNT, values))

    def add_guests(self, pairs: Collection[tuple[LessonId, UserId]]) -> int:
        """Add guests to classes; return how many were not there yet."""
        return self._add(_ADD_GUESTS, pairs)

    def add_absences(self, pairs: Collection[tuple[LessonId, UserId]]) -> None:
        """Transfer students of the course out of classes."""
        self._add(_ADD_ABSENCES, pairs)

    def delete_guests(self, lesson_ids: Iterable[LessonId], uids: Iterable[UserId]) -> int:
        """Remove guests from classes; return how many there were."""
        return self._tx.execute(_DELETE_GUESTS, _encode_both(lesson_ids, uids))

    def delete_absences(self, lesson_ids: Iterable[LessonId], uids: Iterable[UserId]) -> None:
        """Bring students of the course back into classes."""
        self._tx.execute(_DELETE_ABSENCES, _encode_both(lesson_ids, uids))

    def _add(self, statement: Statement, pairs: Collection[tuple[LessonId, UserId]]) -> int:
        if not pairs:
            return 0
        return self._tx.execute(statement, {"pairs": msgspec.json.encode(list(pairs)).decode()})


def _encode(ids: Iterable[int]) -> str:
    return msgspec.json.encode(list(set(ids))).decode()


def _encode_both(lesson_ids: Iterable[LessonId], uids: Iterable[UserId]) -> dict[str, SQLValue]:
    return {"lesson_ids": _encode(lesson_ids), "uids": _encode(uids)}
