"""Handlers of the read-back of units and activities."""

from homeroom.admin.request import ReadBackRequest, map_page, to_switch
from homeroom.contract.activity_rows import ActivityRow, UnitRow
from homeroom.contract.units import PUBLISHED
from homeroom.store.paging import Page
from homeroom.store.readback_records import UnitRecord
from homeroom.usecases import readback
from homeroom.usecases.readback import ListedActivity


def list_units(request: ReadBackRequest) -> Page[UnitRow]:
    """Return a page of units."""
    return map_page(
        readback.list_units(request.uow, request.build_filters(), request.page), _to_unit_row
    )


def _to_unit_row(record: UnitRecord) -> UnitRow:
    return UnitRow(
        sid=record.school,
        unit_id=record.id,
        course_id=record.course,
        name=record.name,
        content=record.content,
        publish_flag=PUBLISHED if record.is_published else 0,
        is_default=to_switch(record.is_default),
        created_time=record.created_at,
        deleted_time=record.deleted_at,
    )


def list_activities(request: ReadBackRequest) -> Page[ActivityRow]:
    """Return a page of activities."""
    return map_page(
        readback.list_activities(request.uow, request.build_filters(), request.page),
        _to_activity_row,
    )


def _to_activity_row(listed: ListedActivity) -> ActivityRow:
    record = listed.activity
    return ActivityRow(
        sid=record.school,
        activity_id=record.id,
        course_id=record.course,
        unit_id=record.unit,
        activity_type=record.kind,
        class_id=record.lesson,
        name=record.name,
        teacher_uid=record.teacher,
        start_time=record.begins_at,
        end_time=record.ends_at,
        publish_flag=PUBLISHED if record.is_published else 0,
        absent_uids=[*listed.absent],
        created_time=record.created_at,
        deleted_time=record.deleted_at,
    )
