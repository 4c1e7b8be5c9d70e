"""Read-back lists of the members of classes, and of the groupings of courses."""

import msgspec

from homeroom.base.values import Value, replace
from homeroom.domain.class_students import ClassMemberState
from homeroom.domain.classroom_events import Stay, list_stays
from homeroom.domain.groupings import Team
from homeroom.domain.lessons import Lesson
from homeroom.store.paging import SCHOOL, Filters, Page, PageRequest
from homeroom.store.readback_members import CLASS_GUESTS
from homeroom.store.readback_records import AttendanceRecord, ClassMemberRecord, GroupingRecord
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


class ListedStay(Value, frozen=True):
    """An entry of a person into a class, and how the stay ended."""

    entry: AttendanceRecord
    stay: Stay
    seconds: int
    """Until now, if the person is still inside."""


def list_attendance(
    uow: UnitOfWork, reader: Reader, lesson: Lesson, filters: Filters, request: PageRequest
) -> Page[ListedStay]:
    """Return a page of the stays in the classroom of a class, in the order of the entries."""
    by_class = {name: value for name, value in filters.items() if name != SCHOOL}
    page = mask_page(uow, reader, uow.member_lists.list_attendance(lesson.id, by_class, request))
    stays = {
        (stay.user, stay.client, stay.entered_at): stay
        for stay in list_stays(uow.classroom_events.list_passages(lesson.id))
    }
    until = min(uow.now, lesson.lifecycle.closes_at)
    rows = []
    for entry in page.rows:
        client = msgspec.json.decode(entry.details).get("client", 0)
        stay = stays.get((entry.uid, client, entry.entered_at))
        if stay is not None:
            rows.append(ListedStay(entry, stay, stay.seconds(until)))
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
