"""Courses have units and groups, classes are activities, and the drive has files."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DEFAULT_UNIT = "默认单元"
NEW_UNIT = (
    "INSERT INTO units"
    " (school_id, course_id, name, content, is_published, is_default, created_at)"
    " {values}"
)
NEW_ACTIVITY = (
    "INSERT INTO activities (school_id, course_id, lesson_id, kind, is_published, created_at)"
    " {values}"
)
ADD_UNITS = NEW_UNIT.format(
    values=f"SELECT school_id, id, '{DEFAULT_UNIT}', '', 1, 1, created_at FROM courses ORDER BY id"  # noqa: S608  a name of our own
)
ADD_ACTIVITIES = NEW_ACTIVITY.format(
    values="SELECT school_id, course_id, id, 1, 1, created_at FROM lessons ORDER BY id"
)
COMPANIONS = {
    # Of each row added to the first table, the statement that adds the row beside it.
    "courses": NEW_UNIT.format(
        values=f"VALUES (NEW.school_id, NEW.id, '{DEFAULT_UNIT}', '', 1, 1, NEW.created_at)"
    ),
    "lessons": NEW_ACTIVITY.format(
        values="VALUES (NEW.school_id, NEW.course_id, NEW.id, 1, 1, NEW.created_at)"
    ),
}


def upgrade() -> None:
    """Add the tables and columns, a default unit to each course, an activity to each class."""
    _add_units()
    _add_groupings()
    _add_parts_of_lessons()
    _add_files()
    _add_flag("schools", "allows_replay", 1)
    _add_flag("schools", "allows_replay_to_new_students", 1)
    op.execute(ADD_UNITS)
    op.execute(ADD_ACTIVITIES)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, statement in COMPANIONS.items():
        for trigger in (_sqlite_trigger if is_sqlite else _postgresql_trigger)(table, statement):
            op.get_bind().exec_driver_sql(trigger)


def _sqlite_trigger(table: str, statement: str) -> list[str]:
    return [f"CREATE TRIGGER {table}_companion AFTER INSERT ON {table} BEGIN {statement}; END"]


def _postgresql_trigger(table: str, statement: str) -> list[str]:
    return [
        (
            f"CREATE FUNCTION add_companion_of_{table}() RETURNS trigger LANGUAGE plpgsql AS $$"
            f" BEGIN {statement}; RETURN NULL; END $$"
        ),
        (
            f"CREATE TRIGGER {table}_companion AFTER INSERT ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION add_companion_of_{table}()"
        ),
    ]


def _add_units() -> None:
    _create(
        "units",
        *_id_of("units"),
        *_reference("units", "school_id", "schools.id"),
        *_reference("units", "course_id", "courses.id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        *_flag("units", "is_published"),
        *_flag("units", "is_default"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
    )
    _index("units", "course_id", "id")
    _index("units", "school_id", "id")
    _partial(
        "uq_units_name_live", "units", ["course_id", "name"], "deleted_at IS NULL", unique=True
    )
    _partial("uq_units_default", "units", ["course_id"], "is_default = 1", unique=True)
    _create(
        "activities",
        *_id_of("activities"),
        *_reference("activities", "school_id", "schools.id"),
        *_reference("activities", "course_id", "courses.id"),
        *_reference("activities", "unit_id", "units.id", nullable=True),
        *_reference("activities", "lesson_id", "lessons.id", nullable=True),
        *_small("activities", "kind", "1, 2, 3, 4, 5, 6, 7, 8"),
        sa.Column("name", sa.Text(), nullable=True),
        *_reference("activities", "teacher_id", "users.id", nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        *_flag("activities", "is_published"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.UniqueConstraint("lesson_id", name=op.f("uq_activities_lesson_id")),
    )
    _index("activities", "course_id", "id")
    _index("activities", "school_id", "id")
    for column in ("unit_id", "teacher_id"):
        _partial(f"ix_activities_{column}", "activities", [column], f"{column} IS NOT NULL")
    _create_pair("activity_absences", "activity_id", "activities.id")


def _add_groupings() -> None:
    _create(
        "groupings",
        *_id_of("groupings"),
        *_reference("groupings", "school_id", "schools.id"),
        *_reference("groupings", "course_id", "courses.id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("course_id", name=op.f("uq_groupings_course_id")),
        sqlite_autoincrement=True,
    )
    _index("groupings", "school_id", "id")
    _create_pair(
        "grouping_members",
        "grouping_id",
        "groupings.id",
        sa.Column("team", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        *_flag("grouping_members", "is_leader"),
    )


def _add_parts_of_lessons() -> None:
    op.add_column("lessons", sa.Column("main_lesson_id", Id, nullable=True))
    _partial(
        "ix_lessons_main_lesson_id", "lessons", ["main_lesson_id"], "main_lesson_id IS NOT NULL"
    )
    _add_flag("lessons", "uses_main_recording", 0)
    _add_flag("lessons", "allows_check", 1)
    _create_pair("lesson_absences", "lesson_id", "lessons.id")
    _create(
        "lesson_labels",
        *_reference("lesson_labels", "lesson_id", "lessons.id"),
        *_reference("lesson_labels", "label_id", "labels.id"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lesson_id", "label_id", name=op.f("pk_lesson_labels")),
    )
    _index("lesson_labels", "label_id", "lesson_id")
    _create(
        "comments",
        *_id_of("comments"),
        *_reference("comments", "school_id", "schools.id"),
        *_reference("comments", "lesson_id", "lessons.id"),
        *_reference("comments", "user_id", "users.id"),
        *_small("comments", "stars", "0, 1, 2, 3, 4, 5"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("lesson_id", "user_id", name=op.f("uq_comments_lesson_id_user_id")),
    )
    _index("comments", "school_id", "id")
    _index("comments", "user_id")


def _add_files() -> None:
    _create(
        "files",
        *_id_of("files"),
        *_reference("files", "school_id", "schools.id"),
        *_reference("files", "folder_id", "folders.id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("storage_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("folder_id", "name", name=op.f("uq_files_folder_id_name")),
        sqlite_autoincrement=True,
    )
    _index("files", "school_id", "id")


def _create(name: str, *parts: sa.schema.SchemaItem, **options: Any) -> None:  # noqa: ANN401  passed through to Table
    op.create_table(name, *parts, **options)


def _create_pair(name: str, column: str, target: str, *more: sa.schema.SchemaItem) -> None:
    """Create a table with one row for a thing and a user."""
    _create(
        name,
        *_reference(name, column, target),
        *_reference(name, "user_id", "users.id"),
        *more,
        sa.PrimaryKeyConstraint(column, "user_id", name=op.f(f"pk_{name}")),
    )
    _index(name, "user_id")


def _id_of(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _reference(
    table: str, name: str, target: str, *, nullable: bool = False
) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(name, Id, nullable=nullable),
        sa.ForeignKeyConstraint([name], [target], name=op.f(f"fk_{table}_{name}")),
    ]


def _flag(table: str, name: str) -> list[sa.schema.SchemaItem]:
    return _small(table, name, "0, 1")


def _small(table: str, name: str, allowed: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column(name, sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(f"{name} IN ({allowed})", name=op.f(f"ck_{table}_{name}")),
    ]


def _add_flag(table: str, name: str, default: int) -> None:
    check = f"CONSTRAINT ck_{table}_{name} CHECK ({name} IN (0, 1))"
    op.execute(f"ALTER TABLE {table} ADD COLUMN {name} SMALLINT NOT NULL DEFAULT {default} {check}")


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _partial(
    name: str, table: str, columns: list[str], condition: str, *, unique: bool = False
) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=unique, sqlite_where=where, postgresql_where=where)
