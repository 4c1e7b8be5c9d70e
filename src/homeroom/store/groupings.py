"""Groupings of courses: teams of students."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, GroupingId, SchoolId, UserId
from homeroom.domain.groupings import Grouping, Team, TeamMember
from homeroom.store.engine import Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import grouping_members, groupings

_FIND = Statement(
    select(groupings.c.id, groupings.c.course_id, groupings.c.name).where(
        groupings.c.course_id == bindparam("course")
    )
)
_ADD = Statement(
    insert(groupings)
    .values({column: bindparam(column.name) for column in groupings.c if column.name != "id"})
    .returning(groupings.c.id)
)
_RENAME = Statement(
    update(groupings)
    .where(groupings.c.id == bindparam("grouping"))
    .values(name=bindparam("new_name"))
)
_DELETE = Statement(delete(groupings).where(groupings.c.id == bindparam("grouping")))
_DELETE_MEMBERS = Statement(
    delete(grouping_members).where(grouping_members.c.grouping_id == bindparam("grouping"))
)
_new_members = ListParameter("new_members")
_MEMBER_COLUMNS = ("grouping_id", "user_id", "team", "position", "is_leader")
_ADD_MEMBERS = Statement(
    insert(grouping_members).from_select(
        list(_MEMBER_COLUMNS),
        select(*(_new_members.integer(place) for place in range(len(_MEMBER_COLUMNS)))).select_from(
            _new_members.source
        ),
    )
)
_grouping_ids = ListParameter("grouping_ids")
_LIST_TEAMS = Statement(
    select(
        grouping_members.c.grouping_id,
        grouping_members.c.team,
        grouping_members.c.user_id,
        grouping_members.c.is_leader,
    )
    .where(_grouping_ids.contains(grouping_members.c.grouping_id))
    .order_by(grouping_members.c.grouping_id, grouping_members.c.team, grouping_members.c.position)
)


class Groupings:
    """Repository of groupings."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def find(self, course: CourseId) -> Grouping | None:
        """Return the grouping of a course, or None."""
        rows = self._tx.fetch_all(_FIND, {"course": course})
        return Grouping(*rows[0]) if rows else None

    def add(
        self, school: SchoolId, course: CourseId, name: str, teams: Iterable[Team], now: Moment
    ) -> GroupingId:
        """Add a grouping and return its id."""
        values = {"school_id": school, "course_id": course, "name": name, "created_at": now}
        grouping = GroupingId(self._tx.fetch_all(_ADD, values)[0][0])
        self._add_members(grouping, teams)
        return grouping

    def save(self, grouping: GroupingId, name: str, teams: Iterable[Team]) -> None:
        """Replace the name and the teams of a grouping."""
        self._tx.execute(_RENAME, {"grouping": grouping, "new_name": name})
        self._tx.execute(_DELETE_MEMBERS, {"grouping": grouping})
        self._add_members(grouping, teams)

    def delete(self, grouping: GroupingId) -> None:
        """Delete a grouping."""
        self._tx.execute(_DELETE_MEMBERS, {"grouping": grouping})
        self._tx.execute(_DELETE, {"grouping": grouping})

    def list_teams(self, groupings: Iterable[GroupingId]) -> dict[GroupingId, list[Team]]:
        """Return the teams of some groupings; teams that everybody has left are missing."""
        text = msgspec.json.encode(list(set(groupings))).decode()
        members: dict[GroupingId, dict[int, list[TeamMember]]] = {}
        for grouping, team, user, is_leader in self._tx.fetch_all(
            _LIST_TEAMS, {"grouping_ids": text}
        ):
            teams = members.setdefault(GroupingId(grouping), {})
            teams.setdefault(team, []).append(TeamMember(UserId(user), bool(is_leader)))
        return {
            grouping: [tuple(team) for team in teams.values()]
            for grouping, teams in members.items()
        }

    def _add_members(self, grouping: GroupingId, teams: Iterable[Team]) -> None:
        rows = [
            (grouping, member.user, team_place, place, int(member.is_leader))
            for team_place, team in enumerate(teams)
            for place, member in enumerate(team)
        ]
        self._tx.execute(_ADD_MEMBERS, {"new_members": msgspec.json.encode(rows).decode()})
