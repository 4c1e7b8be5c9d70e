"""A class that tests edit, delete and let go by."""

from typing import Final

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.domain.lessons import Lesson
from tests.support.given import Given
from tests.support.wire import Reply, Value

TRIO: Final[dict[str, Value]] = {"record": 1, "live": 0, "replay": 0}
"""Recording and nothing more: the three switches count only together."""


class Scheduled:
    """A class of a course in a day from now, and what is needed to edit it."""

    def __init__(self, given: Given, **fields: Value) -> None:
        self.given = given
        self.course: CourseId = given.course()
        self.teacher: UserId = given.teacher()
        self.begin = given.now + DAY
        self.lesson: LessonId = given.lesson(self.course, teacherUid=self.teacher, **fields)

    def edit(self, **fields: Value) -> Reply:
        """Call editCourseClass."""
        ids = {"courseId": self.course, "classId": self.lesson}
        return self.given.api.call("editCourseClass", **{**ids, **fields})

    def move(self, seconds: int = HOUR, /, **fields: Value) -> Reply:
        """Move the class on, its length an hour unless said otherwise."""
        begin = self.begin + seconds
        return self.edit(**{"beginTime": begin, "endTime": begin + HOUR, **fields})

    def delete(self) -> Reply:
        """Call delCourseClass."""
        return self.given.api.call("delCourseClass", courseId=self.course, classId=self.lesson)

    def soon(self) -> "Scheduled":
        """Let time pass until ten minutes before the class."""
        self.given.until(self.begin - 10 * MINUTE)
        return self

    def running(self) -> "Scheduled":
        """Let time pass until the class has begun."""
        self.given.until(self.begin)
        return self

    def past_end(self) -> "Scheduled":
        """Let time pass until the class has ended, and its overtime has begun."""
        self.given.until(self.begin + HOUR)
        return self

    def over(self) -> "Scheduled":
        """Let time pass until the overtime has gone by, too."""
        self.given.until(self.begin + HOUR + 20 * MINUTE)
        return self

    @property
    def seen(self) -> Lesson:
        """The class as the store keeps it."""
        return self.given.seen(self.lesson)

    @property
    def co_teachers(self) -> list[UserId]:
        """The co-teachers of the class in order."""
        return list(
            self.given.store.read(lambda uow: uow.class_roles.list_co_teachers(self.lesson))
        )
