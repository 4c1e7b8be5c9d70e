"""Teachers of schools, and their states."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Text, and_, bindparam, func, insert, or_, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.domain.teachers import MemberRole, TeacherCandidate, TeacherState
from homeroom.store.course_roles import join_course_roles
from homeroom.store.engine import Row, Transaction
from homeroom.store.lifecycle import LIFECYCLE
from homeroom.store.plan_hints import hide_from_indexes
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import (
    co_teachers,
    course_members,
    course_teachers,
    courses,
    guests,
    lessons,
    teachers,
    users,
)

_CANDIDATE_COLUMNS = (
    users.c.id,
    users.c.cancelled_at,
    teachers.c.state,
    course_members.c.role,
    course_teachers.c.user_id,
    guests.c.user_id,
    teachers.c.name,
)
_uids = ListParameter("candidates")
_LIST_CANDIDATES = Statement(
    select(_uids.integer(1), *_CANDIDATE_COLUMNS)
    .select_from(join_course_roles(_uids.source.outerjoin(users, users.c.id == _uids.integer(1))))
    .outerjoin(
        teachers,
        and_(teachers.c.school_id == bindparam("school"), teachers.c.user_id == users.c.id),
    )
    .outerjoin(
        guests, and_(guests.c.lesson_id == bindparam("lesson"), guests.c.user_id == users.c.id)
    )
    .order_by(_uids.integer(0))
)
_places = ListParameter("places")
_LIST_CANDIDATES_OF_PLACES = Statement(
    select(_places.integer(1), *_CANDIDATE_COLUMNS)
    .select_from(
        join_course_roles(
            _places.source.outerjoin(users, users.c.id == _places.integer(1)), _places.integer(2)
        )
    )
    .outerjoin(
        teachers,
        and_(teachers.c.school_id == bindparam("school"), teachers.c.user_id == users.c.id),
    )
    .outerjoin(
        guests, and_(guests.c.lesson_id == _places.integer(3), guests.c.user_id == users.c.id)
    )
    .order_by(_places.integer(0))
)
_named_uids = ListParameter("named_uids")
_LIST_NAMES = Statement(
    select(users.c.id, func.coalesce(teachers.c.name, users.c.nickname))
    .select_from(_named_uids.source)
    .join(users, users.c.id == _named_uids.integer())
    .outerjoin(
        teachers,
        and_(teachers.c.school_id == bindparam("school"), teachers.c.user_id == users.c.id),
    )
)
_GET_STATE = Statement(
    select(teachers.c.state).where(
        teachers.c.school_id == bindparam("school"), teachers.c.user_id == bindparam("user")
    )
)
_SAVE_STATE = Statement(
    update(teachers)
    .where(teachers.c.school_id == bindparam("school"), teachers.c.user_id == bindparam("user"))
    .values(state=bindparam("new_state"))
)
_SAVE_NAME = Statement(
    update(teachers)
    .where(teachers.c.school_id == bindparam("school"), teachers.c.user_id == bindparam("user"))
    .values(
        name=bindparam("new_name"),
        photo=func.coalesce(bindparam("new_photo", type_=Text()), teachers.c.photo),
    )
)
_COUNT_ACTIVE = Statement(
    select(func.count())
    .select_from(teachers)
    .where(
        teachers.c.school_id == bindparam("school"), teachers.c.state != TeacherState.STOPPED.value
    )
)
_ADD = Statement(
    insert(teachers)
    .values({column: bindparam(column.name) for column in teachers.c if column.name != "id"})
    .returning(teachers.c.id)
)
_unfinished = and_(
    lessons.c.deleted_at.is_(None),
    LIFECYCLE.is_not_over(bindparam("now")),
    hide_from_indexes(lessons.c.school_id) == bindparam("school"),
)
_of_living_course = select(courses.c.id).where(
    courses.c.id == lessons.c.course_id, courses.c.deleted_at.is_(None)
)
_FIND_UNFINISHED_AS_TEACHER = Statement(
    select(lessons.c.id)
    .where(lessons.c.teacher_id == bindparam("user"), _unfinished, _of_living_course.exists())
    .limit(1)
)
_FIND_UNFINISHED_AS_CO_TEACHER = Statement(
    select(lessons.c.id)
    .join(co_teachers, co_teachers.c.lesson_id == lessons.c.id)
    .where(co_teachers.c.user_id == bindparam("user"), _unfinished, _of_living_course.exists())
    .limit(1)
)
_FIND_UNFINISHED_COURSE = Statement(
    select(courses.c.id)
    .where(
        courses.c.head_teacher_id == bindparam("user"),
        courses.c.school_id == bindparam("school"),
        courses.c.deleted_at.is_(None),
        courses.c.ended_at.is_(None),
        or_(courses.c.expires_at.is_(None), courses.c.expires_at > bindparam("now")),
    )
    .limit(1)
)


class CourseCandidate(Value, frozen=True):
    """A candidate, and whether the user is one of the teachers of the course already."""

    candidate: TeacherCandidate
    is_course_teacher: bool
    name: str
    """The name on the list of teachers of the school; empty for others."""


CandidatePlace = tuple[UserId, CourseId, LessonId | None]
"""A user, and the course and the class, if there is one, to teach there."""


def _read_candidate(row: Row) -> CourseCandidate:
    uid, user, cancelled_at, state, role, course_teacher, guest, name = row
    return CourseCandidate(
        TeacherCandidate(
            UserId(uid),
            exists=user is not None,
            is_cancelled=cancelled_at is not None,
            state=TeacherState(state) if state is not None else None,
            role=MemberRole(role) if role is not None else None,
            is_guest=guest is not None,
        ),
        is_course_teacher=course_teacher is not None,
        name=name or "",
    )


class Teachers:
    """Repository of teachers."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_candidates(
        self,
        school: SchoolId,
        uids: tuple[UserId, ...],
        course: CourseId | None = None,
        lesson: LessonId | None = None,
    ) -> list[CourseCandidate]:
        """Return candidates for teacher or co-teacher, in the order of the UIDs."""
        values = {
            "candidates": msgspec.json.encode(list(enumerate(uids))).decode(),
            "school": school,
            "course": course,
            "lesson": lesson,
        }
        return list(map(_read_candidate, self._tx.fetch_all(_LIST_CANDIDATES, values)))

    def list_candidates_of_places(
        self, school: SchoolId, places: Iterable[CandidatePlace]
    ) -> list[CourseCandidate]:
        """Return candidates for teacher or co-teacher in several courses, in their order."""
        rows = [(number, *place) for number, place in enumerate(places)]
        values = {"places": msgspec.json.encode(rows).decode(), "school": school}
        return list(map(_read_candidate, self._tx.fetch_all(_LIST_CANDIDATES_OF_PLACES, values)))

    def list_names(self, school: SchoolId, uids: Iterable[UserId]) -> dict[UserId, str]:
        """Return the names of some users on the school's list of teachers, or their nicknames."""
        values = {"school": school, "named_uids": msgspec.json.encode(list(uids)).decode()}
        return {UserId(uid): name for uid, name in self._tx.fetch_all(_LIST_NAMES, values)}

    def get_state(self, school: SchoolId, user: UserId) -> TeacherState | None:
        """Return the state of a teacher; None for a user who is no teacher of the school."""
        rows = self._tx.fetch_all(_GET_STATE, {"school": school, "user": user})
        return TeacherState(rows[0][0]) if rows else None

    def save_state(self, school: SchoolId, user: UserId, state: TeacherState) -> None:
        """Save the state of a teacher."""
        self._tx.execute(_SAVE_STATE, {"school": school, "user": user, "new_state": state.value})

    def save_name(self, school: SchoolId, user: UserId, name: str, photo: str | None) -> None:
        """Save the name of a teacher, and the photo if there is a new one."""
        values = {"school": school, "user": user, "new_name": name, "new_photo": photo}
        self._tx.execute(_SAVE_NAME, values)

    def count_active(self, school: SchoolId) -> int:
        """Return the number of teachers of the school that are not stopped."""
        return int(self._tx.fetch_all(_COUNT_ACTIVE, {"school": school})[0][0])

    def add(
        self, school: SchoolId, user: UserId, name: str, now: Moment, photo: str | None = None
    ) -> int:
        """Add a user to the teachers of the school; return the id of the row."""
        values = {
            "school_id": school,
            "user_id": user,
            "name": name,
            "state": TeacherState.ACTIVE.value,
            "photo": photo,
            "created_at": now,
        }
        return int(self._tx.fetch_all(_ADD, values)[0][0])

    def find_unfinished_lesson(
        self, school: SchoolId, user: UserId, now: Moment
    ) -> LessonId | None:
        """Return a class of the school that is not over and has a user as teacher or co-teacher."""
        values = {"school": school, "user": user, "now": now}
        rows = self._tx.fetch_all(_FIND_UNFINISHED_AS_TEACHER, values) or self._tx.fetch_all(
            _FIND_UNFINISHED_AS_CO_TEACHER, values
        )
        return LessonId(rows[0][0]) if rows else None

    def find_unfinished_course(
        self, school: SchoolId, user: UserId, now: Moment
    ) -> CourseId | None:
        """Return a course, neither ended nor expired, of which a user is the head teacher."""
        values = {"school": school, "user": user, "now": now}
        rows = self._tx.fetch_all(_FIND_UNFINISHED_COURSE, values)
        return CourseId(rows[0][0]) if rows else None
