"""Migrations keep the rows of a database of an earlier version."""

from pathlib import Path
from typing import Final

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    delete,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError

from homeroom.base import keys
from homeroom.base.keys import md5_hex
from homeroom.store.databases import find_database
from homeroom.store.migrate import FOLDER, is_current, migrate
from homeroom.store.tables import activities, clips, lessons, metadata, server_state, units

PULL_KEY: Final = "the key of the first server"
BOUND_UNTIL: Final = 2_000_000_000
MANY: Final = 1003
"""More classes than the migration signs in one step."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Return the path or URL of an empty database."""
    if request.param == "sqlite":
        return tmp_path / "homeroom.db"
    address: str = request.getfixturevalue("postgres").fresh()
    return address


def open_engine(where: Path | str) -> Engine:
    return find_database(where).create_migration_engine()


def as_of(where: Path | str, version: str) -> None:
    """Create the tables of an earlier version."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    with open_engine(where).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def fill_first(connection: Connection) -> None:
    """Add classes of version 0.1, every second one with a bound stream, and a clip."""

    def whole(name: str, **facts: object) -> dict[str, object]:
        """Return a row of a table; columns without a value are 0 or empty."""
        return {
            column["name"]: facts.get(
                column["name"],
                None if column["nullable"] else ("" if column["type"].python_type is str else 0),
            )
            for column in inspect(connection).get_columns(name)
        }

    def add(name: str, rows: list[dict[str, object]]) -> None:
        names = ", ".join(rows[0])
        values = ", ".join(f":{column}" for column in rows[0])
        connection.execute(text(f"INSERT INTO {name} ({names}) VALUES ({values})"), rows)  # noqa: S608  names of our own

    add("users", [whole("users", id=1)])
    add("schools", [whole("schools", id=1, owner_id=1, plan="{}")])
    add("courses", [whole("courses", id=1, school_id=1, kind="standard")])
    add(
        "lessons",
        [
            whole(
                "lessons",
                id=number,
                school_id=1,
                course_id=1,
                teacher_id=1,
                origin="v1",
                key=f"{number:016x}",
                **(
                    {
                        "stream": f"stream {number}",
                        "stream_signature": "of the old name",
                        "stream_expires_at": BOUND_UNTIL + number,
                    }
                    if number % 2
                    else {}
                ),
            )
            for number in range(1, 2 * MANY)
        ],
    )
    add(
        "clips",
        [whole("clips", id=7, lesson_id=2, file_id="f", sha256="s", size=3, created_at=1234)],
    )
    connection.execute(insert(server_state).values(name="pull_key", value=PULL_KEY))


def test_bound_streams_are_signed_for_the_names_they_have_now(where: Path | str) -> None:
    as_of(where, "0001")
    database = open_engine(where)
    with database.begin() as connection:
        fill_first(connection)
    assert not is_current(where)

    migrate(where)

    assert is_current(where)
    columns = (lessons.c.id, lessons.c.stream_signature, lessons.c.stream_expires_at)
    with database.connect() as connection:
        kept = {number: tuple(rest) for number, *rest in connection.execute(select(*columns))}
    assert len(kept) == 2 * MANY - 1
    for number, bound in kept.items():
        until = BOUND_UNTIL + number
        signature = md5_hex(f"{PULL_KEY}{number:016x}{until:x}")
        assert bound == ((signature, until) if number % 2 else (None, None))


def test_a_database_without_a_key_gets_the_one_that_its_addresses_are_signed_with(
    where: Path | str,
) -> None:
    as_of(where, "0001")
    database = open_engine(where)
    with database.begin() as connection:
        fill_first(connection)
        connection.execute(delete(server_state))

    migrate(where)

    with database.connect() as connection:
        key = connection.scalar(select(server_state.c.value).filter_by(name="pull_key"))
        query = select(lessons.c.stream_signature).where(lessons.c.id == 1)
        assert connection.scalar(query) == md5_hex(f"{key}{1:016x}{BOUND_UNTIL + 1:x}")
    assert key not in (None, PULL_KEY)


def test_a_migration_that_is_broken_off_leaves_everything_as_it_was(where: Path | str) -> None:
    as_of(where, "0001")
    database = open_engine(where)
    with database.begin() as connection:
        fill_first(connection)
        before = inspect(connection).get_table_names()

    with pytest.MonkeyPatch.context() as patch:
        # URLs are signed again after the tables have been created.
        patch.setattr(keys, "md5_hex", fail)
        with pytest.raises(BrokenOffError):
            migrate(where)

    with database.connect() as connection:
        assert inspect(connection).get_table_names() == before
    assert not is_current(where)
    migrate(where)
    assert is_current(where)


def test_accounts_and_passwords_are_those_of_the_school_that_registered(where: Path | str) -> None:
    """Cases S2 and S5: what the database records is taken over; else nobody named an account."""
    as_of(where, "0004")
    database = open_engine(where)
    columns = "INSERT INTO users (id, nickname, password_hash, created_at) VALUES "
    with database.begin() as connection:
        for row in ("1, 'A', NULL", "2, 'B', NULL", "3, 'x', 'three'", "4, 'y', 'four'"):
            connection.execute(text(f"{columns} ({row}, 0)"))
        for school, owner in ((1, 1), (2, 2)):
            connection.execute(
                text(
                    "INSERT INTO schools (id, name, secret, plan, owner_id, created_at) "  # noqa: S608  values of our own
                    f"VALUES ({school}, '', '', '{{}}', {owner}, 0)"
                )
            )
        connection.execute(text("INSERT INTO registrations (user_id, school_id) VALUES (3, 2)"))

    migrate(where)

    with database.connect() as connection:
        named = connection.execute(text("SELECT school_id, user_id FROM named_accounts"))
        assert set(map(tuple, named)) == {(1, 1), (2, 2), (2, 3)}
        kept = connection.execute(text("SELECT * FROM school_passwords"))
        assert list(map(tuple, kept)) == [(2, 3, "three")]
        # The password that was set by nobody knows whom counts nowhere.
        left = connection.execute(text("SELECT count(*) FROM users WHERE password_hash <> ''"))
        assert left.scalar() == 0


class BrokenOffError(Exception):
    """An interruption in the middle of a migration."""


def fail(_text: str) -> str:
    raise BrokenOffError


def test_clips_of_before_are_finished_recordings_of_the_class(where: Path | str) -> None:
    as_of(where, "0001")
    database = open_engine(where)
    with database.begin() as connection:
        fill_first(connection)

    migrate(where)

    with database.connect() as connection:
        (clip,) = connection.execute(select(clips)).mappings()
    assert (clip["id"], clip["file_id"], clip["size"], clip["sha256"]) == (7, "f", 3, "s")
    assert (clip["kind"], clip["started_at"], clip["duration"]) == ("class", 1234, None)
    assert clip["is_finished"] == 1
    with database.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(text("UPDATE clips SET kind = 'other'"))


def test_a_filled_database_has_the_tables_of_this_version_in_the_end(where: Path | str) -> None:
    as_of(where, "0001")
    database = open_engine(where)
    with database.begin() as connection:
        fill_first(connection)

    migrate(where)

    fresh = create_engine("sqlite://")
    metadata.create_all(fresh)
    with database.connect() as connection, fresh.connect() as other:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert check_names(connection) == check_names(other)


def check_names(connection: Connection) -> set[str | None]:
    """Return the names of the CHECK constraints, which Alembic does not compare."""
    seen = inspect(connection)
    tables = (name for name in seen.get_table_names() if name in metadata.tables)
    return {check["name"] for name in tables for check in seen.get_check_constraints(name)}


def test_classes_and_courses_get_their_companions(where: Path | str) -> None:
    as_of(where, "0001")
    with open_engine(where).begin() as connection:
        fill_first(connection)
    migrate(where)
    count = select(func.count()).select_from
    with open_engine(where).begin() as connection:
        assert connection.execute(count(activities)).scalar_one() == 2 * MANY - 1
        assert connection.execute(select(units.c.name, units.c.is_default)).all() == [
            ("默认单元", 1)
        ]
        row = connection.execute(select(lessons).where(lessons.c.id == 1)).mappings().one()
        copied = {**row, "id": 2 * MANY, "key": "another"}
        connection.execute(insert(lessons).values(copied))
        added = connection.execute(
            select(activities.c.course_id, activities.c.unit_id, activities.c.kind)
            .join(lessons, lessons.c.id == activities.c.lesson_id)
            .where(lessons.c.key == "another")
        ).all()
    assert added == [(1, None, 1)]
