"""Labels of schools, and the labels of each course."""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LabelId, SchoolId
from homeroom.domain.labels import Label
from homeroom.store.engine import Row, Transaction
from homeroom.store.statement import ListParameter, Statement
from homeroom.store.tables import course_labels, labels

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
_ADD = Statement(
    insert(labels)
    .values({column: bindparam(column.name) for column in labels.c if column.name != "id"})
    .returning(labels.c.id)
)
_RENAME = Statement(
    update(labels).where(labels.c.id == bindparam("label")).values(name=bindparam("new_name"))
)
_DELETE_FROM_COURSES = Statement(
    delete(course_labels).where(course_labels.c.label_id == bindparam("label"))
)
_DELETE = Statement(delete(labels).where(labels.c.id == bindparam("label")))
_course_ids = ListParameter("course_ids")
_DELETE_OF_COURSES = Statement(
    delete(course_labels).where(_course_ids.contains(course_labels.c.course_id))
)
_new_course_labels = ListParameter("new_course_labels")
_ADD_TO_COURSES = Statement(
    insert(course_labels).from_select(
        ["course_id", "label_id", "position"],
        select(
            _new_course_labels.integer(0),
            _new_course_labels.integer(1),
            _new_course_labels.integer(2),
        ).select_from(_new_course_labels.source),
    )
)


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

    def add(self, school: SchoolId, name: str, colour: str, now: Moment) -> LabelId:
        """Add a label and return its id."""
        values = {"school_id": school, "name": name, "colour": colour, "created_at": now}
        return LabelId(self._tx.fetch_all(_ADD, values)[0][0])

    def rename(self, label: LabelId, name: str) -> None:
        """Save the name of a label."""
        self._tx.execute(_RENAME, {"label": label, "new_name": name})

    def delete(self, label: LabelId) -> None:
        """Delete a label, and remove it from all courses."""
        self._tx.execute(_DELETE_FROM_COURSES, {"label": label})
        self._tx.execute(_DELETE, {"label": label})

    def save_of_courses(self, labels_of_courses: Mapping[CourseId, tuple[LabelId, ...]]) -> None:
        """Replace the labels of several courses, in two statements."""
        if not labels_of_courses:
            return
        self._tx.execute(
            _DELETE_OF_COURSES,
            {"course_ids": msgspec.json.encode(list(labels_of_courses)).decode()},
        )
        rows = [
            (course, label, place)
            for course, labels in labels_of_courses.items()
            for place, label in enumerate(labels)
        ]
        if rows:
            self._tx.execute(
                _ADD_TO_COURSES, {"new_course_labels": msgspec.json.encode(rows).decode()}
            )
