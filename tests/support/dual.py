"""A dual-teacher main class with its sub classes, and the calls that change them."""

from typing import Any

from sqlalchemy import insert, select

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import CourseId, LessonId
from homeroom.store.tables import lessons
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.wire import Reply, Value

RECORDING_OFF: dict[str, Any] = {
    "recordState": 0,
    "recordType": 0,
    "liveState": 0,
    "openState": 0,
}
"""The four recording fields, which count only together."""


class Dual:
    """A main class in a day from now; sub classes are added as a test needs them."""

    def __init__(self, given: Given, **fields: Value) -> None:
        self.given = given
        self.main = Scheduled(given, **fields)

    def entry(self, course: CourseId | None = None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON value
        """Return a sub class that can be added, in a course of its own unless one is named."""
        course = course if course is not None else self.given.course()
        return {"courseId": course, "className": "Sub class", **fields}

    def add(self, *entries: object, **fields: Value) -> Reply:
        """Call addClass with some entries."""
        main = {"mainCourseId": self.main.course, "mainClassId": self.main.lesson}
        return self.given.api.call(
            "lms.onlineDoubleTeacher.addClass",
            **{**main, "subClassJson": list(entries), **fields},
        )

    def add_one(self, course: CourseId | None = None, **fields: Any) -> Reply:  # noqa: ANN401  any JSON value
        """Call addClass with one entry."""
        return self.add(self.entry(course, **fields))

    def sub(self, course: CourseId | None = None, **fields: Any) -> LessonId:  # noqa: ANN401  any JSON value
        """Add a sub class and return its id."""
        reply = self.add_one(course, **fields)
        assert reply.errnos == [1], (reply.body, reply.reason)
        return LessonId(reply.entries[0]["classId"])

    def fill(self) -> None:
        """Give the main class more sub classes than it may have, by copies of one."""
        self.sub()
        for doubling in range(7):
            columns = [
                column + f"{doubling}" if column is lessons.c.key else column
                for column in lessons.c
                if column is not lessons.c.id
            ]
            names = [column.name for column in lessons.c if column is not lessons.c.id]
            copied = select(*columns).where(lessons.c.main_lesson_id == self.main.lesson)
            self.given.write(insert(lessons).from_select(names, copied))

    def edit(self, lesson: LessonId | None = None, **fields: Any) -> Reply:  # noqa: ANN401  any JSON value
        """Call editClass for the main class, or for another one."""
        return self._call("editClass", lesson, fields)

    def delete(self, lesson: LessonId | None = None, **fields: Any) -> Reply:  # noqa: ANN401  any JSON value
        """Call deleteClass for the main class, or for another one."""
        return self._call("deleteClass", lesson, fields)

    def move(self, seconds: int = DAY) -> Reply:
        """Move the main class on, its length an hour."""
        begin = self.main.begin + seconds
        return self.edit(startTime=begin, endTime=begin + HOUR)

    def before(self, seconds: int) -> "Dual":
        """Let time pass until some seconds before the start."""
        self.given.until(self.main.begin - seconds)
        return self

    def soon(self) -> "Dual":
        """Let time pass until ten minutes before the start."""
        return self.before(10 * MINUTE)

    def running(self) -> "Dual":
        """Let time pass until the class has begun."""
        self.main.running()
        return self

    def past_end(self) -> "Dual":
        """Let time pass until the class has ended, and its overtime has begun."""
        self.main.past_end()
        return self

    def over(self) -> "Dual":
        """Let time pass until the overtime has gone by, too."""
        self.main.over()
        return self

    def _call(self, name: str, lesson: LessonId | None, fields: dict[str, Value]) -> Reply:
        number = lesson if lesson is not None else self.main.lesson
        ids = {"courseId": self.given.seen(number).course, "classId": number}
        return self.given.api.call(f"lms.onlineDoubleTeacher.{name}", **{**ids, **fields})
