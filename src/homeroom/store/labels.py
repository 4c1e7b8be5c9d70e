"""Labels in the database."""

from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LabelId, SchoolId
from homeroom.domain.labels import Label
from homeroom.store.engine import Row, Tx
from homeroom.store.statement import Rows, Statement
from homeroom.store.tables import course_labels, labels

_COLUMNS = (labels.c.id, labels.c.school_id, labels.c.name)
_GET = Statement(select(*_COLUMNS).where(labels.c.id == bindparam("label")))
_NAMED = Statement(
    select(*_COLUMNS).where(
        labels.c.school_id == bindparam("school"), labels.c.name == bindparam("label_name")
    )
)
_COUNT = Statement(
    select(func.count()).select_from(labels).where(labels.c.school_id == bindparam("school"))
)
_asked = Rows("label_ids")
_OWNERS = Statement(
    select(labels.c.id, labels.c.school_id)
    .select_from(_asked.source)
    .join(labels, labels.c.id == _asked.whole())
)
_ADD = Statement(
    insert(labels)
    .values({column: bindparam(column.name) for column in labels.c if column.name != "id"})
    .returning(labels.c.id)
)
_RENAME = Statement(
    update(labels).where(labels.c.id == bindparam("label")).values(name=bindparam("new_name"))
)
_UNTIE = Statement(delete(course_labels).where(course_labels.c.label_id == bindparam("label")))
_DELETE = Statement(delete(labels).where(labels.c.id == bindparam("label")))
_cleared = Rows("cleared")
_CLEAR = Statement(delete(course_labels).where(_cleared.hold(course_labels.c.course_id)))
_tied = Rows("tied")
_TIE = Statement(
    insert(course_labels).from_select(
        ["course_id", "label_id", "position"],
        select(_tied.whole(0), _tied.whole(1), _tied.whole(2)).select_from(_tied.source),
    )
)


def _label(row: Row) -> Label:
    number, school, name = row
    return Label(LabelId(number), SchoolId(school), name)


class Labels:
    """Labels in one transaction."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    def get(self, label: LabelId) -> Label | None:
        """Return a label of any school, or none."""
        rows = self._tx.all(_GET, {"label": label})
        return _label(rows[0]) if rows else None

    def named(self, school: SchoolId, name: str) -> Label | None:
        """Return the school's label of a name, or none."""
        rows = self._tx.all(_NAMED, {"school": school, "label_name": name})
        return _label(rows[0]) if rows else None

    def count(self, school: SchoolId) -> int:
        """Return how many labels the school has."""
        return int(self._tx.all(_COUNT, {"school": school})[0][0])

    def owners(self, asked: Iterable[LabelId]) -> dict[LabelId, SchoolId]:
        """Return the schools of those of some labels that exist."""
        text = msgspec.json.encode(list(set(asked))).decode()
        rows = self._tx.all(_OWNERS, {"label_ids": text})
        return {LabelId(label): SchoolId(school) for label, school in rows}

    def add(self, school: SchoolId, name: str, colour: str, now: Moment) -> LabelId:
        """Write a label and return its id."""
        values = {"school_id": school, "name": name, "colour": colour, "created_at": now}
        return LabelId(self._tx.all(_ADD, values)[0][0])

    def rename(self, label: LabelId, name: str) -> None:
        """Write a label's name."""
        self._tx.run(_RENAME, {"label": label, "new_name": name})

    def delete(self, label: LabelId) -> None:
        """Delete a label, and take it off every course."""
        self._tx.run(_UNTIE, {"label": label})
        self._tx.run(_DELETE, {"label": label})

    def set_of_courses(self, wanted: Mapping[CourseId, tuple[LabelId, ...]]) -> None:
        """Make the labels of some courses what they shall be, in two statements."""
        if not wanted:
            return
        self._tx.run(_CLEAR, {"cleared": msgspec.json.encode(list(wanted)).decode()})
        rows = [
            (course, label, place)
            for course, chosen in wanted.items()
            for place, label in enumerate(chosen)
        ]
        if rows:
            self._tx.run(_TIE, {"tied": msgspec.json.encode(rows).decode()})
