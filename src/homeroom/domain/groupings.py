"""Groupings: the students of a course in teams, each with a leader (READINGS Q66)."""

from collections.abc import Collection

from homeroom.base.ids import CourseId, GroupingId, UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal


class TeamMember(Value, frozen=True):
    """A student in a team."""

    user: UserId
    is_leader: bool


Team = tuple[TeamMember, ...]


class Grouping(Value, frozen=True):
    """The grouping of a course; a course has one or none."""

    id: GroupingId
    course: CourseId
    name: str


def list_users(teams: tuple[Team, ...]) -> dict[UserId, None]:
    """Return all who are in some teams, in their order."""
    return {member.user: None for team in teams for member in team}


def check_teams(
    teams: tuple[Team, ...],
    school_students: Collection[UserId],
    course_students: Collection[UserId],
) -> tuple[Team, ...]:
    """Return the teams without those who are no students of the course; refuse a bad leader."""
    users = list_users(teams)
    if not any(user in school_students for user in users):
        raise Refusal(Errno.NO_STUDENTS_OF_SCHOOL)
    if not any(user in course_students for user in users):
        raise Refusal(Errno.NO_STUDENTS_OF_COURSE)
    for place, team in enumerate(teams, 1):
        leaders = [member.user for member in team if member.is_leader]
        if len(leaders) != 1:
            raise Refusal(Errno.LEADER_WRONG, f"team {place} has {len(leaders)} leaders")
        if leaders[0] not in course_students:
            raise Refusal(
                Errno.LEADER_WRONG,
                f"team {place}: UID {leaders[0]}, the leader, is no student of the course",
            )
    return tuple(
        tuple(member for member in team if member.user in course_students) for team in teams
    )


def check_whole_teams(
    teams: tuple[Team, ...],
    school_students: Collection[UserId],
    course_students: Collection[UserId],
) -> None:
    """Refuse teams in which anything is wrong: they replace others."""
    try:
        valid = check_teams(teams, school_students, course_students)
    except Refusal as refusal:
        raise Refusal(Errno.BAD_PARAMS, f"groupList: {refusal.reason}") from None
    if valid != teams:
        wrong = next(user for user in list_users(teams) if user not in course_students)
        raise Refusal(Errno.BAD_PARAMS, f"groupList: UID {wrong} is no student of the course")
