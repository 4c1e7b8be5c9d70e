"""Classroom activities that tests create and edit on the v2 wire."""

from typing import Any, Final

from homeroom.base.clock import DAY, HOUR
from homeroom.base.ids import ActivityId, CourseId, LessonId, UserId
from homeroom.domain.lessons import Lesson
from tests.support.activities import Syllabus
from tests.support.given import Given
from tests.support.wire import Reply, Value

CREATE: Final = "lms.activity.createClass"
UPDATE: Final = "lms.activity.updateClass"
RECORDED: Final[dict[str, Any]] = {
    "recordType": 0,
    "recordState": 1,
    "liveState": 0,
    "openState": 0,
}
"""The recording group of a class that is recorded, and neither live nor open."""


def class_form(given: Given, course: Value = None, **fields: Value) -> dict[str, Any]:
    """Return the parameters of a class that can be created: in a day, for an hour."""
    begin = given.now + DAY
    form: dict[str, Any] = {
        "courseId": course if course is not None else given.course(),
        "name": "Class",
        "startTime": begin,
        "endTime": begin + HOUR,
    }
    if "teacherUid" not in fields:
        form["teacherUid"] = given.teacher()
    return {**form, **fields}


def create_class(given: Given, course: Value = None, **fields: Value) -> Reply:
    """Call createClass for a class that can be created but for what is said."""
    return given.api.call(CREATE, **class_form(given, course, **fields))


class Classroom:
    """A class of the v2 wire in a day from now, and what is needed to edit it."""

    def __init__(self, given: Given, course: CourseId | None = None, **fields: Value) -> None:
        self.given = given
        self.syllabus = Syllabus(given, course)
        self.course = self.syllabus.course
        self.teacher: UserId = given.teacher()
        self.begin = given.now + DAY
        form = class_form(given, self.course, **{"teacherUid": self.teacher, **fields})
        data = given.done(CREATE, **form).data
        self.activity = ActivityId(data["activityId"])
        self.lesson = LessonId(data["classId"])

    def edit(self, **fields: Value) -> Reply:
        """Call updateClass."""
        ids = {"courseId": self.course, "activityId": self.activity}
        return self.given.api.call(UPDATE, **{**ids, **fields})

    def before(self, seconds: int) -> "Classroom":
        """Let time pass until some seconds before the class."""
        self.given.until(self.begin - seconds)
        return self

    def past_end(self) -> "Classroom":
        """Let time pass until the planned end; the overtime begins."""
        return self.before(-HOUR)

    def over(self) -> "Classroom":
        """Let time pass until the class is over."""
        return self.before(-2 * HOUR)

    @property
    def seen(self) -> Lesson:
        """The class as the store keeps it."""
        return self.given.seen(self.lesson)

    @property
    def co_teachers(self) -> list[UserId]:
        """The co-teachers of the class in order."""
        store = self.given.store
        return list(store.read(lambda uow: uow.class_roles.list_co_teachers(self.lesson)))
