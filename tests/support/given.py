"""Builders: a school with what a test needs; every fact not named is a default."""

from itertools import count
from typing import Any, Final

import msgspec

from homeroom.base.clock import DAY, HOUR, Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.keys import Keys
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.domain.schools import School
from homeroom.store.work import Store, Work
from homeroom.usecases import schools
from homeroom.usecases.means import Means
from homeroom.web.faults import Fault
from tests.support.serving import House
from tests.support.wire import Partner, Reply, Value

_NUMBERS: Final = count(1)
FIRST_TELEPHONE: Final = 13_000_000_000


class Given:
    """One fresh school of a running server."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clock = house.clock
        self._other: Given | None = None
        means = Means(Keys(), "", 0)
        self.school: School = self.store.work(lambda work: schools.create(work, means, "School"))
        self.api = Partner(house.url, self.school.id, self.school.secret, self.clock)

    @property
    def store(self) -> Store:
        """The server's own store, for facts that no partner call can bring about."""
        return self.house.running.server.desk.store

    @property
    def now(self) -> Moment:
        """The present moment."""
        return self.clock.now()

    def plan(self, **changes: Any) -> None:  # noqa: ANN401  as `homeroom school set` takes them
        """Change the school's plan, as an operator does."""
        sid = SchoolId(self.school.id)

        def change(work: Work) -> None:
            held = work.schools.get(sid)
            assert held is not None
            work.schools.set_plan(sid, msgspec.structs.replace(held.plan, **changes))

        self.store.work(change)
        self.house.running.server.doorkeeper.forget()

    def fault(self, action: str, errno: Errno | None = None, **more: Any) -> None:  # noqa: ANN401
        """Ask for a fault at the next call of an action of this school."""
        facts = {"delay_ms": 0, "drop": False, "times": 1, "after_commit": False, **more}
        faults = self.house.running.server.faults
        assert faults is not None
        faults.ask(
            Fault(id=0, action=action, school=SchoolId(self.school.id), errno=errno, **facts)
        )

    def telephone(self) -> str:
        """Return a telephone number that nobody has."""
        return str(FIRST_TELEPHONE + next(_NUMBERS))

    def user(self, **fields: Value) -> UserId:
        """Register somebody."""
        given = {"telephone": self.telephone(), "md5pass": "0" * 32, **fields}
        return UserId(self.done("register", **given).data)

    def teacher(self) -> UserId:
        """Register a teacher of the school."""
        return self.user(addToSchoolMember=2)

    def student(self) -> UserId:
        """Register a student of the school."""
        return self.user(addToSchoolMember=1)

    def course(self, **fields: Value) -> CourseId:
        """Make a course."""
        return CourseId(self.done("addCourse", **{"courseName": "Course", **fields}).data)

    def member(self, course: CourseId, identity: int = 1) -> UserId:
        """Make a student of the school a member of a course."""
        student = self.student()
        self.done("addCourseStudent", courseId=course, identity=identity, studentUid=student)
        return student

    def lesson(self, course: CourseId | None = None, **fields: Value) -> LessonId:
        """Make a class, beginning in a day and an hour long unless said otherwise."""
        return LessonId(self.done("addCourseClass", **self.lesson_form(course, **fields)).data)

    def lesson_form(self, course: CourseId | None = None, **fields: Value) -> dict[str, Value]:
        """Return the parameters of a class that can be added."""
        form: dict[str, Value] = {
            "courseId": self.course() if course is None else course,
            "className": "Class",
            "beginTime": self.now + DAY,
            "endTime": self.now + DAY + HOUR,
        }
        if "teacherUid" not in fields and "teacherAccount" not in fields:
            form["teacherUid"] = self.teacher()
        return {**form, **fields}

    def label(self, name: str | None = None) -> str:
        """Make a label of the school."""
        name = name or f"label {next(_NUMBERS)}"
        return str(self.done("addSchoolLabel", labelName=name).data["labelId"])

    def other(self) -> "Given":
        """Return another school of the same server, made at the first call."""
        if self._other is None:
            self._other = Given(self.house)
        return self._other

    def deleted_course(self) -> CourseId:
        """Make a course and delete it, as an operator does."""
        course = self.course()
        self.store.work(lambda work: work.courses.set(course, {"deleted_at": work.now}))
        return course

    def failing(self, action: Action[Any], errno: Errno) -> "Given":
        """Let the next call of an action fail with a number, by a fault."""
        self.fault(action.name, errno)
        return self

    def done(self, action: str, **fields: Value) -> Reply:
        """Make a call that must answer 1."""
        reply = self.api.call(action, **fields)
        assert reply.errno == 1, (action, fields, reply.body, reply.reason)
        return reply

    def close(self) -> None:
        """Let go of the connections."""
        self.api.close()
        if self._other is not None:
            self._other.close()
