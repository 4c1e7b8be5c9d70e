"""Labels of schools, and the labels of each course and class."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

import msgspec
from sqlalchemy import Table, bindparam, delete, func, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LabelId, LessonId, SchoolId
from homeroom.domain.labels import Label
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import course_labels, labels, lesson_labels

T = TypeVar("T")
"""The id of a course or of a class."""
_COLUMNS = (labels.c.id, labels.c.school_id, labels.c.name)
_GET = Statement(select(*_COLUMNS).where(labels.c.id == bindparam("label")))
_FIND_BY_NAME = Statement(
    select(*_COLUMNS).where(
        labels.c.school_id == bindparam("school"), labels.c.name == bindparam("label_name")
    )
)
_COUNT = Statement(
    select(func.count()).select_from(labels).where(labels.c.school_id == bindparam("school"))
)
_label_ids = ListParameter("label_ids")
_FIND_SCHOOLS = Statement(
    select(labels.c.id, labels.c.school_id)
    .select_from(_label_ids.source)
    .join(labels, labels.c.id == _label_ids.integer())
)
_LIST_NAMES = Statement(
    select(labels.c.id, labels.c.name)
    .select_from(_label_ids.source)
    .join(labels, labels.c.id == _label_ids.integer())
)
_ADD = Statement(
    insert(labels)
    .values({column: bindparam(column.name) for column in labels.c if column.name != "id"})
    .returning(labels.c.id)
)
_RENAME = Statement(
    update(labels).where(labels.c.id == bindparam("label")).values(name=bindparam("new_name"))
)
_DELETE = Statement(delete(labels).where(labels.c.id == bindparam("label")))
_target_ids = ListParameter("target_ids")
_new_labels = ListParameter("new_labels")
_listed_lesson_ids = ListParameter("lesson_ids")
_LIST_OF_LESSONS = Statement(
    select(lesson_labels.c.lesson_id, lesson_labels.c.label_id)
    .select_from(_listed_lesson_ids.source)
    .join(lesson_labels, lesson_labels.c.lesson_id == _listed_lesson_ids.integer())
    .order_by(lesson_labels.c.lesson_id, lesson_labels.c.position)
)


class _Labelling(NamedTuple):
    """The statements that change the labels of courses, or of classes."""

    delete_label: Statement
    delete_all: Statement
    add: Statement


def _build_labelling(table: Table, target: str) -> _Labelling:
    return _Labelling(
        Statement(delete(table).where(table.c.label_id == bindparam("label"))),
        Statement(delete(table).where(_target_ids.contains(table.c[target]))),
        Statement(
            insert(table).from_select(
                [target, "label_id", "position"],
                select(
                    _new_labels.integer(0), _new_labels.integer(1), _new_labels.integer(2)
                ).select_from(_new_labels.source),
            )
        ),
    )


_OF_COURSES = _build_labelling(course_labels, "course_id")
_OF_LESSONS = _build_labelling(lesson_labels, "lesson_id")


def _read_label(row: Row) -> Label:
    number, school, name = row
    return Label(LabelId(number), SchoolId(school), name)


class Labels:
    """Repository of labels."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, label: LabelId) -> Label | None:
        """Return a label of any school, or None."""
        rows = self._tx.fetch_all(_GET, {"label": label})
        return _read_label(rows[0]) if rows else None

    def find_by_name(self, school: SchoolId, name: str) -> Label | None:
        """Return the label of the school with a name, or None."""
        rows = self._tx.fetch_all(_FIND_BY_NAME, {"school": school, "label_name": name})
        return _read_label(rows[0]) if rows else None

    def count(self, school: SchoolId) -> int:
        """Return the number of labels of the school."""
        return int(self._tx.fetch_all(_COUNT, {"school": school})[0][0])

    def find_schools(self, ids: Iterable[LabelId]) -> dict[LabelId, SchoolId]:
        """Return the school of each label; labels that do not exist are left out."""
        text = msgspec.json.encode(list(set(ids))).decode()
        rows = self._tx.fetch_all(_FIND_SCHOOLS, {"label_ids": text})
        return {LabelId(label): SchoolId(school) for label, school in rows}

    def list_names(self, ids: Iterable[LabelId]) -> dict[LabelId, str]:
        """Return the names of some labels; labels that do not exist are left out."""
        text = msgspec.json.encode(list(set(ids))).decode()
        return dict(self._tx.fetch_all(_LIST_NAMES, {"label_ids": text}))

    def add(self, school: SchoolId, name: str, colour: str, now: Moment) -> LabelId:
        """Add a label and return its id."""
        values = {"school_id": school, "name": name, "colour": colour, "created_at": now}
        return LabelId(self._tx.fetch_all(_ADD, values)[0][0])

    def rename(self, label: LabelId, name: str) -> None:
        """Save the name of a label."""
        self._tx.execute(_RENAME, {"label": label, "new_name": name})

    def delete(self, label: LabelId) -> None:
        """Delete a label, and remove it from all courses and classes."""
        self._tx.execute(_OF_COURSES.delete_label, {"label": label})
        self._tx.execute(_OF_LESSONS.delete_label, {"label": label})
        self._tx.execute(_DELETE, {"label": label})

    def save_of_courses(self, labels_of_courses: Mapping[CourseId, tuple[LabelId, ...]]) -> None:
        """Replace the labels of several courses, in two statements."""
        self._save(_OF_COURSES, labels_of_courses)

    def save_of_lessons(self, labels_of_lessons: Mapping[LessonId, tuple[LabelId, ...]]) -> None:
        """Replace the labels of several classes, in two statements."""
        self._save(_OF_LESSONS, labels_of_lessons)

    def list_of_lessons(self, lessons: Iterable[LessonId]) -> dict[LessonId, list[LabelId]]:
        """Return the labels of several classes, in their order."""
        result: dict[LessonId, list[LabelId]] = {lesson: [] for lesson in lessons}
        text = msgspec.json.encode(list(result)).decode()
        for lesson, label in self._tx.fetch_all(_LIST_OF_LESSONS, {"lesson_ids": text}):
            result[lesson].append(label)
        return result

    def _save(self, labelling: _Labelling, new: Mapping[T, tuple[LabelId, ...]]) -> None:
        if not new:
            return
        targets = msgspec.json.encode(list(new)).decode()
        self._tx.execute(labelling.delete_all, {"target_ids": targets})
        rows = [
            (target, label, place)
            for target, labels in new.items()
            for place, label in enumerate(labels)
        ]
        if rows:
            self._tx.execute(labelling.add, {"new_labels": msgspec.json.encode(rows).decode()})
