"""Add, replace and delete the groupings of courses (READINGS Q66)."""

from homeroom.base.ids import CourseId, GroupingId, SchoolId, UserId
from homeroom.contract.errno import Errno
from homeroom.domain.courses import GROUPING_RULE, NEW_GROUPING_RULE, Course
from homeroom.domain.groupings import (
    Grouping,
    Team,
    check_teams,
    check_whole_teams,
    list_users,
)
from homeroom.domain.refusal import Refusal
from homeroom.domain.teachers import MemberRole
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import people
from homeroom.usecases.accounts import get_current_school


def add(
    uow: UnitOfWork, school: SchoolId, course_id: CourseId, name: str, teams: tuple[Team, ...]
) -> tuple[GroupingId, list[UserId]]:
    """Add the grouping of a course; who is no student of the course is left out, with a warning.

    Returns the grouping, and those who were left out.
    """
    course = uow.courses.get_usable(school, course_id, uow.now, NEW_GROUPING_RULE)
    existing = uow.groupings.find(course.id)
    if existing is not None:
        raise Refusal(Errno.GROUPING_EXISTS, f"course {course.id} has group {existing.id} already")
    valid = check_teams(teams, *_find_students(uow, school, course, teams))
    users = list_users(valid)
    left_out = [user for user in list_users(teams) if user not in users]
    if left_out:
        uow.warn(Errno.SOME_STUDENTS_LEFT_OUT)
    return uow.groupings.add(school, course.id, name, valid, uow.now), left_out


def edit(
    uow: UnitOfWork,
    school: SchoolId,
    course_id: CourseId,
    grouping_id: GroupingId,
    name: str,
    teams: tuple[Team, ...],
) -> None:
    """Replace the name and the teams of a grouping."""
    course, grouping = _get_grouping(uow, school, course_id, grouping_id)
    if course.is_expired(uow.now):
        raise Refusal(Errno.GROUPING_NOT_STORED, "the course was ended, or has expired")
    check_whole_teams(teams, *_find_students(uow, school, course, teams))
    uow.groupings.save(grouping.id, name, teams)


def delete(uow: UnitOfWork, school: SchoolId, course_id: CourseId, grouping_id: GroupingId) -> None:
    """Delete a grouping, also one of a course that is over."""
    _, grouping = _get_grouping(uow, school, course_id, grouping_id)
    uow.groupings.delete(grouping.id)


def _get_grouping(
    uow: UnitOfWork, school: SchoolId, course_id: CourseId, grouping_id: GroupingId
) -> tuple[Course, Grouping]:
    course = uow.courses.get_usable(school, course_id, uow.now, GROUPING_RULE)
    grouping = uow.groupings.find(course.id)
    if grouping is None or grouping.id != grouping_id:
        raise Refusal(Errno.NO_SUCH_GROUPING, f"course {course.id} has no group {grouping_id}")
    return course, grouping


def _find_students(
    uow: UnitOfWork, school: SchoolId, course: Course, teams: tuple[Team, ...]
) -> tuple[set[UserId], set[UserId]]:
    """Return those in the teams who are students of the school, and those of the course.

    The school's own account counts as a student of the school.
    """
    owner = get_current_school(uow, school).owner
    persons = people.find_members(uow, school, course.id, list_users(teams)).values()
    of_school = {
        person.user for person in persons if person.school_name is not None or person.user == owner
    }
    of_course = {person.user for person in persons if person.role is MemberRole.STUDENT}
    return of_school, of_course
