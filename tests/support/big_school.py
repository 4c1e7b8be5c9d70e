"""A school with many rows in every table, inserted by SQL, and a small neighbour."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from homeroom.store import tables

FIRST_TELEPHONE: Final = 13_000_000_000
NOW: Final = 1_800_000_000
_SCATTERED: Final = "CAST(n * 2654435761 % 4294967296 AS TEXT) || '/' || CAST(n AS TEXT)"
"""Keys that do not come sorted, as real ones do not."""
_NUMBERS: Final = (
    "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})"
)


@dataclass(frozen=True)
class Size:
    """Numbers of rows."""

    classes: int
    students: int = 1000
    members: int = 500
    """Of the first course; all are students of the school."""
    teachers: int = 10
    courses: int = 20
    labels: int = 20
    viewers: int = 500
    """Of the first class; the others have five."""
    messages: int = 500


def fill(run: Callable[[str], object], size: Size) -> None:
    """Fill an empty database; the big school has the SID 1, its neighbour the SID 2.

    UIDs begin with the two owners, then come the teachers, then the students.
    """

    def add(table: Any, count: int, **values: object) -> None:  # noqa: ANN401  a table of SQLAlchemy
        """Add rows with values in SQL of `n`, from 0; other columns are 0, empty or NULL."""
        if count <= 0:
            return
        columns: dict[str, str] = {}
        for column in table.c:
            if column.name in values:
                columns[column.name] = str(values[column.name])
            elif column.name == "id" or column.nullable:
                continue
            else:
                columns[column.name] = "0" if column.type.python_type is int else "''"
        run(
            f"INSERT INTO {table.name} ({', '.join(columns)}) "  # noqa: S608  names and numbers of our own
            f"{_NUMBERS.format(count - 1)} SELECT {', '.join(columns.values())} FROM numbers"
        )

    first_teacher = 3
    first_student = first_teacher + size.teachers
    add(
        tables.users,
        2 + size.teachers + size.students,
        telephone=f"CAST({FIRST_TELEPHONE} + n AS TEXT)",
        nickname="'Person'",
    )
    add(tables.schools, 2, name="'School'", secret="'x'", plan="'{}'", owner_id="n + 1")
    add(
        tables.teachers,
        size.teachers,
        school_id=1,
        user_id=f"{first_teacher} + n",
        name="'Teacher'",
        state="'active'",
    )
    for table in (tables.students, tables.named_accounts, tables.registrations):
        values: dict[str, object] = {"school_id": 1, "user_id": f"{first_student} + n"}
        add(table, size.students, **values)
    add(tables.folders, 1, school_id=1, name="'Top'")
    add(tables.folders, 1, school_id=2, name="'Top'")
    add(tables.folders, 50, school_id=1, name="CAST(n AS TEXT)", parent_id=1)
    place = "CAST(n AS TEXT)"
    add(tables.files, 3000, school_id=1, folder_id="n % 50 + 1", name=place, path=place)
    add(tables.labels, size.labels, school_id=1, name="CAST(n AS TEXT)")
    course: dict[str, object] = {"kind": "'standard'", "name": "'Course ' || CAST(n AS TEXT)"}
    add(
        tables.courses,
        size.courses,
        school_id=1,
        key="'c' || CAST(n AS TEXT)",
        unique_identity="'i' || CAST(n AS TEXT)",
        head_teacher_id=f"{first_teacher} + n % {size.teachers}",
        **course,
    )
    add(tables.courses, 1, school_id=2, key="'d'", **course)
    add(
        tables.course_labels,
        size.courses,
        course_id="n + 1",
        label_id=f"n % {size.labels} + 1",
        position="n",
    )
    add(
        tables.course_members,
        size.members,
        course_id=1,
        user_id=f"{first_student} + n",
        role=1,
        joined_at="n",
    )
    add(
        tables.groupings,
        size.courses,
        school_id=1,
        course_id="n + 1",
        name="'Group ' || CAST(n AS TEXT)",
    )
    add(
        tables.grouping_members,
        size.courses,
        grouping_id="n + 1",
        user_id=f"{first_student} + n",
        is_leader=1,
    )
    lesson: dict[str, object] = {
        "name": "'Class ' || CAST(n AS TEXT)",
        "begins_at": f"{NOW} + (n * 7919 % 10007 - 5000) * 900",
        "ends_at": f"{NOW} + (n * 7919 % 10007 - 5000) * 900 + 2700",
        "record": 1,
        "live": 1,
        "origin": "'v1'",
        "created_at": "n / 3",
    }
    for prefix, school, first_course, many, courses in (
        ("a", 1, 1, size.classes, size.courses),
        ("b", 2, size.courses + 1, 10, 1),
    ):
        add(
            tables.lessons,
            many,
            school_id=school,
            course_id=f"{first_course} + n % {courses}",
            teacher_id=f"{first_teacher} + n % {size.teachers}",
            key=f"'{prefix}' || {_SCATTERED}",
            unique_identity=_SCATTERED,
            **lesson,
        )
    add(
        tables.co_teachers,
        size.classes // 2,
        lesson_id="n * 2 + 1",
        user_id=f"{first_teacher} + (n + 1) % {size.teachers}",
    )
    for table, count in ((tables.guests, size.members), (tables.lesson_absences, 50)):
        add(table, count, lesson_id=1, user_id=f"{first_student} + n")
    add(
        tables.clips,
        size.classes // 2,
        lesson_id="n * 2 + 1",
        file_id="'f' || CAST(n AS TEXT)",
        path="'p' || CAST(n AS TEXT)",
        kind="'class'",
        is_finished=1,
    )
    add(
        tables.pushes,
        size.classes,
        lesson_id="n + 1",
        kind="'class'",
        engine="'engine'",
        started_at="n",
        ended_at="n + 1",
    )
    viewer: dict[str, object] = {
        "identity": "'v' || CAST(n AS TEXT)",
        "kind": "'visitor'",
        "telephone": f"CAST({FIRST_TELEPHONE} + n AS TEXT)",
    }
    add(tables.viewers, size.viewers, lesson_id=1, **viewer)
    add(tables.viewers, 5 * (size.classes - 1), lesson_id="n / 5 + 2", **viewer)
    message: dict[str, object] = {"kind": "'message'", "role": "'viewer'", "text": "'Hello'"}
    add(tables.chat_entries, size.messages, lesson_id=1, **message)
    add(tables.chat_entries, size.classes - 1, lesson_id="n + 2", **message)
    comment: dict[str, object] = {"school_id": 1, "stars": 5, "text": "'Good.'"}
    add(tables.comments, size.members, lesson_id=1, user_id=f"{first_student} + n", **comment)
    add(tables.comments, size.classes - 1, lesson_id="n + 2", user_id=first_student, **comment)
    _add_messages(add, size.classes)


def _add_messages(add: Callable[..., None], count: int) -> None:
    """Add an endpoint with messages, of which the last ones wait."""
    add(
        tables.endpoints,
        1,
        school_id=1,
        url="'http://127.0.0.1:9/'",
        format="'classin'",
        ordering="'class'",
        state="'active'",
        alert_addresses="'[]'",
    )
    add(tables.lanes, 20, endpoint_id=1, school_id=1, name="'class:' || CAST(n AS TEXT)")
    add(tables.messages, count, school_id=1, position="n + 1", kind="'class_changed'")
    waiting = f"CASE WHEN n < {count - 20} THEN NULL ELSE {count} - n END"
    add(
        tables.deliveries,
        count,
        endpoint_id=1,
        message_id="n + 1",
        lane_id=waiting,
        state=f"CASE WHEN n < {count - 20} THEN 'acknowledged' ELSE 'waiting' END",
    )
    add(tables.attempts, count, endpoint_id=1, delivery_id="n + 1", outcome="'timeout'")
