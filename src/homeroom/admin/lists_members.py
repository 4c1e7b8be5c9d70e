"""Handlers of the read-back of class members and groupings."""

from homeroom.admin.lists_classes import get_lesson_in_path
from homeroom.admin.request import (
    ReadBackRequest,
    get_account,
    is_cancelled,
    map_page,
    to_switch,
)
from homeroom.contract.readback_members import (
    AttendanceRow,
    ClassMemberRow,
    GroupRow,
    TeamMemberRow,
)
from homeroom.store.paging import Page
from homeroom.usecases import readback_members
from homeroom.usecases.readback_members import ListedGrouping


def list_class_members(request: ReadBackRequest) -> Page[ClassMemberRow]:
    """Return a page of the members of a class."""
    lesson = get_lesson_in_path(request)
    page = readback_members.list_class_members(
        request.uow, request.reader, lesson, request.build_filters(), request.page
    )
    return map_page(
        page,
        lambda record: ClassMemberRow(
            class_id=lesson.id,
            uid=record.uid,
            account=get_account(record),
            identity=record.role,
            state=record.state,
            name=record.name,
            nickname=record.nickname,
            is_cancelled=is_cancelled(record),
            joined_time=record.joined_at,
        ),
    )


def list_attendance(request: ReadBackRequest) -> Page[AttendanceRow]:
    """Return a page of the stays in the classroom of a class."""
    lesson = get_lesson_in_path(request)
    page = readback_members.list_attendance(
        request.uow, request.reader, lesson, request.build_filters(), request.page
    )
    return map_page(
        page,
        lambda listed: AttendanceRow(
            class_id=lesson.id,
            uid=listed.entry.uid,
            account=get_account(listed.entry),
            name=listed.entry.nickname,
            identity=listed.stay.identity,
            device=listed.stay.device,
            client_id=listed.stay.client,
            entered_time=listed.stay.entered_at,
            left_time=listed.stay.left_at,
            reason=listed.stay.reason,
            seconds=listed.seconds,
            is_simulated=to_switch(listed.entry.is_simulated),
        ),
    )


def list_groupings(request: ReadBackRequest) -> Page[GroupRow]:
    """Return a page of the groupings of courses."""
    page = readback_members.list_groupings(request.uow, request.build_filters(), request.page)
    return map_page(page, _to_group_row)


def _to_group_row(listed: ListedGrouping) -> GroupRow:
    grouping = listed.grouping
    return GroupRow(
        sid=grouping.school,
        course_id=grouping.course,
        group_id=grouping.id,
        group_name=grouping.name,
        group_list=[
            [
                TeamMemberRow(student_uid=member.user, is_leader=to_switch(member.is_leader))
                for member in team
            ]
            for team in listed.teams
        ],
        created_time=grouping.created_at,
    )
