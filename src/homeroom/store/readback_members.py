"""Lists of the read-back API about the members of classes and the groupings of courses."""

from sqlalchemy import ColumnElement, and_, bindparam, case, literal_column, null, select

from homeroom.base.ids import CourseId, LessonId
from homeroom.domain.class_students import ClassMemberState
from homeroom.domain.classroom_events import ClassroomEventKind
from homeroom.domain.teachers import MemberRole
from homeroom.store.engine import SQLValue, Transaction
from homeroom.store.paging import (
    SCHOOL,
    Filters,
    ListDefinition,
    Page,
    PageRequest,
    fetch_page,
    substring_filter,
)
from homeroom.store.readback import ACCOUNT_FILTERS, BY_ACCOUNT, PERSON_COLUMNS
from homeroom.store.readback_records import AttendanceRecord, ClassMemberRecord, GroupingRecord
from homeroom.store.tables import (
    classroom_events,
    course_members,
    groupings,
    guests,
    lesson_absences,
    lessons,
    students,
    users,
)

_state = case(
    (course_members.c.role == MemberRole.AUDITOR.value, ClassMemberState.AUDITOR.value),
    (lesson_absences.c.user_id.is_not(None), ClassMemberState.TRANSFERRED_OUT.value),
    else_=ClassMemberState.STUDENT.value,
)
CLASS_MEMBERS = ListDefinition(
    "members of a class",
    ClassMemberRecord,
    (
        *PERSON_COLUMNS,
        course_members.c.role,
        _state,
        course_members.c.name,
        course_members.c.nickname,
        course_members.c.joined_at,
    ),
    course_members.outerjoin(users, users.c.id == course_members.c.user_id).outerjoin(
        lesson_absences,
        and_(
            lesson_absences.c.lesson_id == bindparam("lesson"),
            lesson_absences.c.user_id == course_members.c.user_id,
        ),
    ),
    # Listed by course: here the course takes the place of the school. So does the class of guests.
    school=course_members.c.course_id,
    order=(course_members.c.user_id,),
    filters={
        **BY_ACCOUNT,
        "role": course_members.c.role == bindparam("role"),
        "state": _state == bindparam("state"),
    },
    selective_filters=ACCOUNT_FILTERS,
    parameters=frozenset({"lesson"}),
)
_is_in_course = select(course_members.c.user_id).where(
    course_members.c.course_id == bindparam("stranger_to"),
    course_members.c.user_id == guests.c.user_id,
)
_role_of_guests: ColumnElement[int] = literal_column(str(MemberRole.STUDENT.value))
CLASS_GUESTS = ListDefinition(
    "guests of a class",
    ClassMemberRecord,
    (
        *PERSON_COLUMNS,
        _role_of_guests,
        literal_column(f"'{ClassMemberState.GUEST}'"),
        null(),
        students.c.name,
        null(),
    ),
    guests.outerjoin(users, users.c.id == guests.c.user_id)
    .outerjoin(lessons, lessons.c.id == guests.c.lesson_id)
    .outerjoin(
        students,
        and_(
            students.c.school_id == lessons.c.school_id,
            students.c.user_id == guests.c.user_id,
        ),
    ),
    school=guests.c.lesson_id,
    order=(guests.c.user_id,),
    filters={
        **BY_ACCOUNT,
        "role": _role_of_guests == bindparam("role"),
        # Members of the course have the role that they have there.
        "stranger_to": ~_is_in_course.exists(),
    },
    selective_filters=ACCOUNT_FILTERS,
)
ATTENDANCE = ListDefinition(
    "attendance of a class",
    AttendanceRecord,
    (
        classroom_events.c.user_id,
        users.c.telephone,
        users.c.email,
        users.c.cancelled_at,
        users.c.nickname,
        classroom_events.c.at,
        classroom_events.c.details,
        classroom_events.c.is_simulated,
    ),
    classroom_events.outerjoin(users, users.c.id == classroom_events.c.user_id),
    # Listed by class: here the class takes the place of the school.
    school=classroom_events.c.lesson_id,
    order=(classroom_events.c.id,),
    filters={
        "kind": classroom_events.c.kind == bindparam("kind"),
        "uid": classroom_events.c.user_id == bindparam("uid"),
    },
)
GROUPINGS = ListDefinition(
    "groups",
    GroupingRecord,
    (
        groupings.c.school_id,
        groupings.c.id,
        groupings.c.course_id,
        groupings.c.name,
        groupings.c.created_at,
    ),
    groupings,
    school=groupings.c.school_id,
    order=(groupings.c.id,),
    filters={
        "course": groupings.c.course_id == bindparam("course"),
        "grouping": groupings.c.id == bindparam("grouping"),
        "name": substring_filter(groupings.c.name, "name"),
    },
    selective_filters=frozenset({"course", "grouping"}),
)


class MemberLists:
    """Repository of the lists of class members and groupings."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_members(
        self, course: CourseId, lesson: LessonId, filters: Filters, request: PageRequest
    ) -> Page[ClassMemberRecord]:
        """Return a page of the members of a course, with their states in one of its classes."""
        filters = {**filters, "school": course, "lesson": lesson}
        return fetch_page(self._tx, CLASS_MEMBERS, filters, request)

    def list_guests(
        self, course: CourseId, lesson: LessonId, filters: Filters, request: PageRequest
    ) -> Page[ClassMemberRecord]:
        """Return a page of the guests of a class who are no members of its course."""
        filters = {**filters, "school": lesson, "stranger_to": course}
        return fetch_page(self._tx, CLASS_GUESTS, filters, request)

    def list_groupings(self, filters: Filters, request: PageRequest) -> Page[GroupingRecord]:
        """Return a page of groupings."""
        return fetch_page(self._tx, GROUPINGS, filters, request)

    def list_attendance(
        self, lesson: LessonId, filters: Filters, request: PageRequest
    ) -> Page[AttendanceRecord]:
        """Return a page of those who entered a class, in the order of their entries."""
        kind: dict[str, SQLValue] = {"kind": ClassroomEventKind.ENTER.value, SCHOOL: lesson}
        return fetch_page(self._tx, ATTENDANCE, {**filters, **kind}, request)
