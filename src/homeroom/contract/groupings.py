"""Groupings of courses on the wire: teams of students."""

from typing import Annotated

from msgspec import Meta

from homeroom.base.ids import CourseId, GroupingId, UserId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.errno import Errno
from homeroom.contract.lists import MAX_ENTRIES, read_json_list, read_object
from homeroom.contract.params import (
    ID,
    STRICT_FLAG,
    InvalidValueError,
    ParamError,
    Params,
    ParamsReader,
    ParamType,
    read_text_cut_to,
)
from homeroom.contract.results import EmptyResult, Result

GROUP_NAME = ParamType(read_text_cut_to(20), "text, cut to 20 characters")


class TeamMemberEntry(Params, frozen=True, kw_only=True):
    """A student in a team."""

    student_uid: Annotated[UserId, ID]
    is_leader: Annotated[bool, STRICT_FLAG]


TeamEntries = tuple[tuple[TeamMemberEntry, ...], ...]


class TeamsReader:
    """Reads a list of teams, each a list of members; a UID may be in it once."""

    def __init__(self) -> None:
        self.reader = ParamsReader(TeamMemberEntry)
        """The reader of one member."""

    def __call__(self, raw: object) -> TeamEntries:
        """Return the teams; raises `ParamError` for the first invalid member, with its place."""
        teams = tuple(
            self._read_team(f"[{place}]", team) for place, team in enumerate(read_json_list(raw), 1)
        )
        _check_members([member.student_uid for team in teams for member in team])
        return teams

    def _read_team(self, place: str, raw: object) -> tuple[TeamMemberEntry, ...]:
        if not isinstance(raw, list) or not raw:
            raise ParamError(place, "must be a list of members, and not empty")
        return tuple(
            self._read_member(f"{place}[{number}]", member) for number, member in enumerate(raw, 1)
        )

    def _read_member(self, place: str, raw: object) -> TeamMemberEntry:
        try:
            return self.reader.read(read_object(raw, self.reader))
        except InvalidValueError as error:
            raise ParamError(place, str(error)) from None
        except ParamError as error:
            raise ParamError(f"{place}.{error.name}", error.reason) from None


def _check_members(uids: list[UserId]) -> None:
    """Refuse a UID that is named twice, and more members than a list may have."""
    named: set[UserId] = set()
    for uid in uids:
        if uid in named:
            raise InvalidValueError(f"UID {uid} is named twice")
        named.add(uid)
    if len(named) > MAX_ENTRIES:
        raise InvalidValueError(f"must not have more than {MAX_ENTRIES} members")


TEAMS = ParamType(
    TeamsReader(),
    "JSON list of teams, each a list of members; up to 1,000 members in all",
)


class AddCourseGroup(Params, frozen=True, kw_only=True):
    """The parameters of addCourseGroup."""

    course_id: Annotated[CourseId, ID]
    group_list: Annotated[TeamEntries, TEAMS]
    group_name: Annotated[str, GROUP_NAME]


class EditCourseGroup(Params, frozen=True, kw_only=True):
    """The parameters of editCourseGroup."""

    course_id: Annotated[CourseId, ID]
    group_id: Annotated[GroupingId, ID]
    group_list: Annotated[TeamEntries, TEAMS]
    group_name: Annotated[str, GROUP_NAME]


class DelCourseGroup(Params, frozen=True, kw_only=True):
    """The parameters of delCourseGroup."""

    course_id: Annotated[CourseId, ID]
    group_id: Annotated[GroupingId, ID]


class AddedGrouping(Result, frozen=True, kw_only=True):
    """Result of addCourseGroup."""

    data: Annotated[int, Meta(description="The id of the grouping.")]


UNKNOWN_GROUPING = Check(
    Errno.NO_SUCH_GROUPING, "the course has no such grouping, was deleted or is not a standard one"
)

ADD_COURSE_GROUP = Action(
    name="addCourseGroup",
    title="Create the grouping of a course",
    params=AddCourseGroup,
    result=AddedGrouping,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        Check(Errno.BAD_PARAMS, "the school has no such course"),
        Check(
            Errno.GROUPING_NOT_STORED,
            "the course was deleted or ended, has expired, or is not a standard one",
        ),
        Check(Errno.GROUPING_EXISTS, "the course has a grouping already"),
        Check(Errno.NO_STUDENTS_OF_SCHOOL, "none in the teams is a student of the school"),
        Check(Errno.NO_STUDENTS_OF_COURSE, "none in the teams is a student of the course"),
        Check(
            Errno.LEADER_WRONG,
            "a team has not exactly one leader, or its leader is no student of the course",
        ),
    ),
    warnings=(
        Check(
            Errno.SOME_STUDENTS_LEFT_OUT,
            "some in the teams are no students of the course, and are left out",
        ),
    ),
    faults=(Errno.FAILED,),
)

EDIT_COURSE_GROUP = Action(
    name="editCourseGroup",
    title="Replace the grouping of a course",
    params=EditCourseGroup,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        UNKNOWN_GROUPING,
        Check(Errno.GROUPING_NOT_STORED, "the course was ended, or has expired"),
        Check(
            Errno.BAD_PARAMS,
            "a member of a team is no student of the course, or a team has not exactly one leader",
        ),
    ),
    faults=(Errno.FAILED,),
)

DEL_COURSE_GROUP = Action(
    name="delCourseGroup",
    title="Delete the grouping of a course",
    params=DelCourseGroup,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(UNKNOWN_GROUPING,),
    faults=(Errno.FAILED, Errno.GROUPING_NOT_DELETED),
)
