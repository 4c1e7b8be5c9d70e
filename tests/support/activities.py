"""Units and activities of courses, made by signed calls."""

from itertools import count
from typing import Final

from sqlalchemy import insert, update

from homeroom.base.ids import ActivityId, CourseId, LessonId, UnitId
from homeroom.store import tables
from homeroom.store.unit_of_work import UnitOfWork
from tests.support.given import Given
from tests.support.wire import Reply, Value

HOMEWORK: Final = 2
DISCUSSION: Final = 6
UNKNOWN_ID: Final = 10**9
"""An id that nothing has."""
_NUMBERS: Final = count(1)


class Syllabus:
    """A course with the units and activities that a test puts in."""

    def __init__(self, given: Given, course: CourseId | None = None) -> None:
        self.given = given
        self.course = given.course() if course is None else course

    def unit(self, name: str | None = None, **fields: Value) -> UnitId:
        """Add a unit, published unless said otherwise."""
        form = {"name": name or f"Unit {next(_NUMBERS)}", "publishFlag": 2, **fields}
        return UnitId(self.done("lms.unit.create", **form).data["unitId"])

    @property
    def default_unit(self) -> UnitId:
        """The unit that the course was made with."""
        return self.given.store.read(lambda uow: uow.units.get_default(self.course)).id

    def activity(self, unit: UnitId | None = None, kind: int = DISCUSSION) -> ActivityId:
        """Add a draft of an activity that is no class, by default to the default unit."""
        form = self.activity_form(unit if unit is not None else self.default_unit)
        reply = self.done("lms.activity.createActivityNoClass", **form | {"activityType": kind})
        return ActivityId(reply.data["activityId"])

    def activity_form(self, unit: UnitId, **fields: Value) -> dict[str, Value]:
        """Return the parameters of an activity that can be added."""
        form: dict[str, Value] = {"activityType": DISCUSSION, "name": "Activity", "unitId": unit}
        if "teacherUid" not in fields:
            form["teacherUid"] = self.given.teacher()
        return {**form, **fields}

    def lesson(self, unit: UnitId | None = None, **fields: Value) -> LessonId:
        """Add a class by the v1 wire, and put it into a unit if one is given."""
        lesson = self.given.lesson(self.course, **fields)
        if unit is not None:
            self.put(lesson, unit)
        return lesson

    def put(self, lesson: LessonId, unit: UnitId) -> None:
        """Put a class into a unit."""

        def move(uow: UnitOfWork) -> None:
            target = uow.units.get(unit)
            assert target is not None
            uow.activities.save_unit_of_lesson(lesson, target)

        self.given.store.write(move)

    def activity_of(self, lesson: LessonId) -> ActivityId:
        """Return the activity that a class is."""
        return self.given.store.read(lambda uow: uow.activities.get_of_lesson(lesson)).id

    def bind(self, lesson: LessonId, main: LessonId) -> LessonId:
        """Make a class a sub class of another one, as the dual-teacher calls do."""
        is_lesson = tables.lessons.c.id == lesson
        self.given.write(update(tables.lessons).where(is_lesson).values(main_lesson_id=main))
        return lesson

    def count(self, unit: UnitId) -> int:
        """Return the number of activities of a unit."""
        return self.given.store.read(lambda uow: uow.activities.count(unit))

    def fill(self, unit: UnitId, activities: int) -> UnitId:
        """Let a unit hold a number of activities more."""
        teacher = self.given.teacher()
        row = {
            "school_id": self.given.school.id,
            "course_id": self.course,
            "unit_id": unit,
            "kind": DISCUSSION,
            "name": "Activity",
            "teacher_id": teacher,
            "is_published": 0,
            "created_at": self.given.now,
        }
        self.given.write(insert(tables.activities).values([row] * activities))
        return unit

    def call(self, action: str, **fields: Value) -> Reply:
        """Call an action of the course."""
        return self.given.api.call(action, **{"courseId": self.course, **fields})

    def done(self, action: str, **fields: Value) -> Reply:
        """Call an action of the course; its code must be 1."""
        return self.given.done(action, **{"courseId": self.course, **fields})
