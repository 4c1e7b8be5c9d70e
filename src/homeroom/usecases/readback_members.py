"""Read-back lists of the members of classes, and of the groupings of courses."""

from homeroom.base.values import Value, replace
from homeroom.domain.class_students import ClassMemberState
from homeroom.domain.groupings import Team
from homeroom.domain.lessons import Lesson
from homeroom.store.paging import Filters, Page, PageRequest
from homeroom.store.readback_members import CLASS_GUESTS
from homeroom.store.readback_records import ClassMemberRecord, GroupingRecord
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.masking import Reader, mask_page


class ListedGrouping(Value, frozen=True):
    """A grouping with its teams."""

    grouping: GroupingRecord
    teams: list[Team]


def list_groupings(uow: UnitOfWork, filters: Filters, request: PageRequest) -> Page[ListedGrouping]:
    """Return a page of groupings with their teams, read in one statement."""
    page = uow.member_lists.list_groupings(filters, request)
    teams = uow.groupings.list_teams(row.id for row in page.rows)
    rows = [ListedGrouping(row, teams.get(row.id, [])) for row in page.rows]
    return Page(rows, page.next, page.order)


def list_class_members(
    uow: UnitOfWork, reader: Reader, lesson: Lesson, filters: Filters, request: PageRequest
) -> Page[ClassMemberRecord]:
    """Return a page of the members of a class: those of its course and guests, by UID."""
    state = filters.get("state")
    if state == ClassMemberState.GUEST:
        filters = {name: value for name, value in filters.items() if name != "state"}
        guests = uow.member_lists.list_guests(lesson.course, lesson.id, filters, request)
        return mask_page(uow, reader, guests)
    members = uow.member_lists.list_members(lesson.course, lesson.id, filters, request)
    if state is not None:
        return mask_page(uow, reader, members)
    order = CLASS_GUESTS.name if request.after is not None else None
    guests = uow.member_lists.list_guests(
        lesson.course, lesson.id, filters, replace(request, order=order)
    )
    rows = sorted((*members.rows, *guests.rows), key=lambda person: person.uid)
    has_more = len(rows) > request.limit or members.next is not None or guests.next is not None
    visible = rows[: request.limit]
    next_key = (visible[-1].uid,) if has_more else None
    return mask_page(uow, reader, Page(visible, next_key, members.order))
