"""Fields of a message on request that its school, class, course, activity or person give it."""

from typing import Any

import msgspec

from homeroom.base.ids import SchoolId, UserId
from homeroom.base.values import Value
from homeroom.domain.activities import Activity
from homeroom.domain.courses import Course
from homeroom.domain.lessons import Lesson
from homeroom.store.unit_of_work import UnitOfWork

MOMENTS = (
    *("optime", "submissiontime", "correctiontime", "logintime", "reservetime", "settime"),
    *("addtime", "changetime", "cancellationtime", "packtime"),
)
"""Fields with the time at which something happened, in seconds."""


class MessageSubjects(Value, frozen=True):
    """The things that a message on request is about."""

    course: Course | None = None
    lesson: Lesson | None = None
    activity: Activity | None = None
    person: UserId | None = None


def build_subject_fields(
    uow: UnitOfWork, school: SchoolId, subjects: MessageSubjects
) -> dict[str, object]:
    """Return values by the names of fields, in lower case."""
    course, lesson, activity, person = msgspec.structs.astuple(subjects)
    fields: dict[str, object] = dict.fromkeys(MOMENTS, uow.now)
    teacher = None
    if course is not None:
        fields |= {"courseid": course.id, "coursename": course.name}
        teacher = course.head_teacher
    if lesson is not None:
        fields |= {"classid": lesson.id, "cid": lesson.id, "classname": lesson.name}
        teacher = lesson.teacher
    if activity is not None:
        fields |= {"activityid": activity.id, "activityname": activity.name}
        fields |= {"unitid": activity.unit or 0}
        teacher = activity.teacher
    if teacher is not None:
        fields["teacheruid"] = teacher
    if person is not None:
        # Of an account, only what the school says itself: the UID may be a stranger's.
        name = uow.accounts.find_students(school, [person]).get(person, "")
        fields |= {"uid": person, "studentuid": person}
        fields |= dict.fromkeys(("studentname", "nickname", "showname"), name)
    return fields


def fill_body(body: dict[str, Any], fields: dict[str, object]) -> dict[str, Any]:
    """Return a body whose empty fields have the values of these names, also inside of objects."""
    filled: dict[str, Any] = {}
    for name, value in body.items():
        new = fields.get(name.lower())
        if isinstance(value, dict):
            filled[name] = fill_body(value, fields)
        else:
            is_empty = value in ("", 0) and type(new) is type(value)
            filled[name] = new if is_empty else value
    return filled
