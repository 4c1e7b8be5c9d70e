"""A row in each table of messages, of classrooms and of page visits."""

from typing import Any

import msgspec
from sqlalchemy import Table, func, insert, select

from homeroom.base.ids import EndpointId, LessonId
from homeroom.store import tables
from tests.support.given import Given
from tests.support.outboxes import NEW


def add_endpoint(given: Given, **changes: Any) -> EndpointId:  # noqa: ANN401  fields of an endpoint
    """Add an active endpoint to the school; nothing listens at its address unless it is changed."""
    new = msgspec.structs.replace(NEW, school=given.school.id, **changes)
    return given.store.write(lambda uow: uow.endpoints.add(new))


def add_messages(given: Given, lesson: LessonId) -> None:
    """Put a row into each table of messages, and of what happens in classes and on pages."""
    school = {"school_id": given.school.id}

    def add(table: Table, **values: Any) -> int:  # noqa: ANN401  of any column
        given.write(insert(table).values(**values))
        if "id" not in table.c:
            return 0
        return int(given.rows(select(func.max(table.c.id)))[0][0])

    endpoint = add(
        tables.endpoints,
        **school,
        url="http://127.0.0.1/",
        format="classin",
        ordering="school",
        state="paused",
        timeout_seconds=10,
        alert_addresses="[]",
        created_at=0,
    )
    about = {
        "kind": "course_changed",
        "stream": "course:1",
        "is_simulated": 0,
        "created_at": given.now,
    }
    message = add(tables.messages, **school, body="{}", **about)
    times = {"failures": 0, "due_at": 0, "due_real_at": 0}
    lane = add(tables.lanes, **school, endpoint_id=endpoint, name="", **times)
    delivery = add(
        tables.deliveries,
        endpoint_id=endpoint,
        message_id=message,
        lane_id=lane,
        position=1,
        is_resend=0,
        state="waiting",
    )
    of_delivery = {"endpoint_id": endpoint, "delivery_id": delivery}
    add(tables.attempts, **of_delivery, at=given.now, outcome="timeout", duration_ms=1)
    event = {"kind": "enter", "details": "{}", "is_simulated": 0}
    add(tables.classroom_events, lesson_id=lesson, at=0, **event)
    add(tables.open_classrooms, lesson_id=lesson, is_closed=1)
    add(tables.classroom_signs, lesson_id=lesson, user_id=1, source="encoder", beat=1)
    add(tables.scripted_events, lesson_id=lesson, due_at=2**40, event="{}")
    visit = {"is_replay": 0, "client_type": 1, "address": "", "account": "", "nickname": ""}
    times = {"beat": 1, "started_at": 0, "last_seen_at": 0}
    add(tables.page_visits, lesson_id=lesson, visit_key="a", **visit, **times)
    viewer = given.viewer(lesson).id
    add(tables.reservations, lesson_id=lesson, viewer_id=viewer, reserved_at=0)
