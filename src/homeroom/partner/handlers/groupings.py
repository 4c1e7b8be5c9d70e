"""Handlers of groupings."""

from homeroom.contract.groupings import (
    AddCourseGroup,
    AddedGrouping,
    DelCourseGroup,
    EditCourseGroup,
    TeamEntries,
)
from homeroom.contract.results import EmptyResult
from homeroom.domain.groupings import Team, TeamMember
from homeroom.partner.routes import CallContext
from homeroom.usecases import groupings


def add_course_group(call: CallContext[None], params: AddCourseGroup) -> AddedGrouping:
    """Add the grouping of a course and return its id."""
    teams = _make_teams(params.group_list)
    grouping, left_out = groupings.add(
        call.uow, call.school, params.course_id, params.group_name, teams
    )
    call.reasons.extend(f"UID {user} is no student of the course" for user in left_out)
    return AddedGrouping(data=grouping)


def edit_course_group(call: CallContext[None], params: EditCourseGroup) -> EmptyResult:
    """Replace the grouping of a course."""
    groupings.edit(
        call.uow,
        call.school,
        params.course_id,
        params.group_id,
        params.group_name,
        _make_teams(params.group_list),
    )
    return EmptyResult()


def del_course_group(call: CallContext[None], params: DelCourseGroup) -> EmptyResult:
    """Delete the grouping of a course."""
    groupings.delete(call.uow, call.school, params.course_id, params.group_id)
    return EmptyResult()


def _make_teams(entries: TeamEntries) -> tuple[Team, ...]:
    return tuple(
        tuple(TeamMember(member.student_uid, member.is_leader) for member in team)
        for team in entries
    )
