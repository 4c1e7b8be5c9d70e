"""Secrets at rest: encrypted with a key that a copied database does not contain (case S1)."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Final

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from homeroom import folder as folders
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.settings import Settings
from homeroom.domain.endpoints import EndpointFormat
from homeroom.domain.server_keys import ServerKey
from homeroom.folder import find_key_file, get_master_key, open_store, rotate_master_key
from homeroom.store.cipher import MasterKey, UnreadableSecretError
from homeroom.store.databases import find_database
from homeroom.store.engine import StoreError
from homeroom.store.key_file import KeyFileError
from homeroom.store.migrate import migrate
from homeroom.store.server_keys import KEY_CHECK
from homeroom.store.tables import endpoints as endpoints_table
from homeroom.store.tables import schools as schools_table
from homeroom.store.tables import server_state
from homeroom.store.unit_of_work import Store
from homeroom.usecases import endpoints, schools, secrets
from homeroom.usecases.dependencies import Dependencies
from tests.support.postgres import Postgres

MANY: Final = 40
"""Schools: enough that pages of the table were split."""
SID: Final = SchoolId(1_000_001)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Return the settings of a server on a new database."""
    database = None
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        database = postgres.fresh(postgres.template("tables", migrate))
    return Settings(data=tmp_path / "data", database=database)


@pytest.fixture
def local(tmp_path: Path) -> Settings:
    """Return the settings of a server on a new SQLite file."""
    return Settings(data=tmp_path / "data")


def fill(store: Store, count: int = 1) -> list[str]:
    """Create schools with two secrets each, and the server's keys; return all of them."""
    deps = Dependencies(KeyGenerator(), "", 0)
    values: list[str] = []
    for _ in range(count):
        sid = store.write(lambda uow: schools.create(uow, deps, "School")).id
        school = store.write(partial(schools.rotate_secret, deps=deps, school=sid))
        values += [school.secret, school.former_secret or ""]
    keys = store.write(secrets.load_or_create)
    return [*values, keys.pull, keys.push, keys.clips, keys.tickets, keys.hooks, keys.engine]


def read_all(store: Store) -> list[str]:
    """Return the secrets of all schools and of the server."""
    values: list[str] = []
    for school in store.read(schools.list_schools):
        values += [school.secret, school.former_secret or ""]
    keys = store.write(secrets.load_or_create)
    return [*values, keys.pull, keys.push, keys.clips, keys.tickets, keys.hooks, keys.engine]


def open_engine(settings: Settings) -> Engine:
    return find_database(folders.database_address(settings)).create_migration_engine()


def rows(settings: Settings) -> dict[str, str]:
    """Return what the database itself has of secrets, by place."""
    with open_engine(settings).connect() as connection:
        kept = {
            f"{sid}{name}": value
            for sid, *values in connection.execute(
                select(schools_table.c.id, schools_table.c.secret, schools_table.c.former_secret)
            )
            for name, value in zip(("", " former"), values, strict=True)
        }
        names = [name.value for name in ServerKey]
        query = select(server_state.c.name, server_state.c.value).where(
            server_state.c.name.in_(names)
        )
        return kept | {row[0]: row[1] for row in connection.execute(query)}


def make_earlier_version(settings: Settings, count: int = MANY) -> list[str]:
    """Make a database of an earlier version: all secrets in the clear, and no key file."""
    with open_store(settings) as store:
        values = fill(store, count)
    plain = iter(values)
    engine = open_engine(settings)
    for index in range(count):
        # One at a time and back again: pages keep what was freed.
        sid = SID + index
        change = {"secret": next(plain), "former_secret": next(plain)}
        with engine.begin() as connection:
            connection.execute(
                update(schools_table).where(schools_table.c.id == sid).values(**change)
            )
    with engine.begin() as connection:
        for name, value in zip(ServerKey, plain, strict=True):
            connection.execute(delete(server_state).where(server_state.c.name == name.value))
            connection.execute(insert(server_state).values(name=name.value, value=value))
        connection.execute(delete(server_state).where(server_state.c.name == KEY_CHECK))
    find_key_file(settings).path.unlink()
    assert set(values) == set(rows(settings).values())
    return values


def find_in_files(data: Path, values: list[str]) -> list[str]:
    """Return the values that stand in a file of the database."""
    content = b"".join(path.read_bytes() for path in data.glob("homeroom.db*"))
    return [value for value in values if value.encode() in content]


def test_no_secret_is_in_the_database(settings: Settings) -> None:
    with open_store(settings) as store:
        values = fill(store)
        stored = list(rows(settings).values())
        assert len(stored) == len(values) == 8
        assert all(re.fullmatch(r"enc1:[0-9a-f]{8}:[\w+/=]+", value) for value in stored)
        assert find_in_files(settings.data, values) == []
        assert read_all(store) == values


def test_a_copy_of_the_database_alone_opens_nothing(local: Settings, tmp_path: Path) -> None:
    with open_store(local) as store:
        values = fill(store)
    thief = Settings(data=tmp_path / "copy")
    thief.data.mkdir()
    shutil.copy(local.data / "homeroom.db", thief.data)

    message = r"the key file .*homeroom\.key is missing, and"
    with pytest.raises(KeyFileError, match=message), open_store(thief):
        pass

    assert find_in_files(thief.data, values) == []
    # A key of the thief's own is of no use.
    find_key_file(thief).load_or_create()
    message = "does not belong to this database"
    with pytest.raises(KeyFileError, match=message), open_store(thief):
        pass
    shutil.copy(local.data / "homeroom.key", thief.data)
    with open_store(thief) as store:
        assert read_all(store) == values


def test_a_database_of_an_earlier_version_is_encrypted_at_the_first_start(
    settings: Settings,
) -> None:
    values = make_earlier_version(settings)

    with open_store(settings) as store:
        assert read_all(store) == values
        assert all(value.startswith("enc1:") for value in rows(settings).values())
        # Neither in free pages nor in the -wal of this moment.
        assert find_in_files(settings.data, values) == []


def test_the_erasure_of_traces_is_made_good_at_the_next_start(
    local: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    values = make_earlier_version(local)

    def fail(_address: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(folders, "erase_traces", fail)
        with open_store(local) as store:
            assert read_all(store) == values
            assert "traces_remain" in caplog.text
            assert set(values) <= set(find_in_files(local.data, values))

    with open_store(local) as store:
        assert read_all(store) == values
        assert find_in_files(local.data, values) == []


def test_a_new_database_is_not_written_twice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "erase_traces", pytest.fail)
    for _ in range(2):
        with open_store(settings) as store:
            read_all(store)


def test_a_value_that_is_copied_to_another_place_is_refused(settings: Settings) -> None:
    with open_store(settings) as store:
        fill(store, 2)
        stored = rows(settings)
        with open_engine(settings).begin() as connection:
            connection.execute(
                update(schools_table)
                .where(schools_table.c.id == SID)
                .values(secret=stored[f"{SID + 1}"])
            )
            connection.execute(
                update(server_state)
                .where(server_state.c.name == ServerKey.PUSH.value)
                .values(value=stored[ServerKey.PULL.value])
            )

        with pytest.raises(UnreadableSecretError, match="was changed, or belongs to another"):
            store.read(lambda uow: uow.schools.get(SID))
        with pytest.raises(UnreadableSecretError, match="server_state:push_key"):
            store.write(secrets.load_or_create)


def test_a_secret_in_the_clear_is_refused(settings: Settings) -> None:
    with open_store(settings) as store:
        fill(store)
        with open_engine(settings).begin() as connection:
            connection.execute(update(schools_table).values(secret="a" * 40))

        with pytest.raises(UnreadableSecretError, match="is not encrypted"):
            store.read(lambda uow: uow.schools.get(SID))


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        ("", 0o600, "is not a key file"),
        ("homeroom-key-1:abcd\n", 0o600, "is not a key file"),
        (f"homeroom-key-1:{'a' * 64}\nhomeroom-key-1:abcd\n", 0o600, "was damaged"),
        (f"homeroom-key-1:{'a' * 64}\n", 0o640, "open to other users of this machine: chmod 600"),
        (f"homeroom-key-1:{'a' * 64}\n", 0o604, "open to other users of this machine"),
        (f"homeroom-key-1:{'a' * 64}\n", 0o600, "does not belong to this database"),
    ],
)
def test_a_wrong_key_file_is_refused_in_one_line(
    local: Settings, content: str, mode: int, message: str
) -> None:
    with open_store(local):
        pass
    path = find_key_file(local).path
    path.write_text(content)
    path.chmod(mode)

    with pytest.raises(KeyFileError, match=message) as refused, open_store(local):
        pass
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_key_file_may_be_apart_from_the_data(settings: Settings, tmp_path: Path) -> None:
    apart = Settings(
        data=settings.data, database=settings.database, key_file=tmp_path / "apart.key"
    )
    with open_store(apart) as store:
        values = fill(store)

    assert not (settings.data / "homeroom.key").exists()
    assert (tmp_path / "apart.key").stat().st_mode & 0o777 == 0o600
    with open_store(apart) as store:
        assert read_all(store) == values
    with pytest.raises(KeyFileError), open_store(settings):
        pass


def test_of_two_servers_with_keys_of_their_own_one_is_refused(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    postgres: Postgres = request.getfixturevalue("postgres")
    database = postgres.fresh(postgres.template("tables", migrate))
    both = [Settings(data=tmp_path / name, database=database) for name in ("first", "second")]
    barrier = Barrier(2)

    def start(settings: Settings) -> str:
        barrier.wait()
        try:
            with open_store(settings) as store:
                fill(store)
        except KeyFileError as refused:
            return str(refused)
        return ""

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(start, both))

    assert outcomes[0] == ""
    # The later server has made a key file of its own by then, or it has none yet.
    assert re.search("does not belong to this database|homeroom.key is missing", outcomes[1])
    assert "use the key file of the first server on this database" in outcomes[1].lower()


def test_the_master_key_is_rotated(settings: Settings) -> None:
    with open_store(settings) as store:
        values = fill(store)
        former = get_master_key(store)
        before = rows(settings)

        new = rotate_master_key(store, settings)

        assert read_all(store) == values
        after = rows(settings)
    assert new.id != former.id
    assert {value.split(":")[1] for value in after.values()} == {new.id}
    assert former.content.hex() not in find_key_file(settings).path.read_text()
    # With the former key, nothing that was encrypted with it can be found in a file.
    assert find_in_files(settings.data, list(before.values())) == []
    with open_store(settings) as store:
        assert read_all(store) == values


def test_the_secrets_of_endpoints_are_encrypted_with_the_new_key(settings: Settings) -> None:
    keys = KeyGenerator()
    with open_store(settings) as store:
        fill(store)
        sid = store.read(schools.list_schools)[0].id
        url, standard = "https://receiver.example/", EndpointFormat.STANDARD
        added = store.write(lambda uow: endpoints.add(uow, keys, sid, url, standard))
        rotated = store.write(lambda uow: endpoints.rotate(uow, keys, added.id))

        new = rotate_master_key(store, settings)

        present = store.read(lambda uow: endpoints.get(uow, added.id))
        assert (present.secret, present.former_secret) == (rotated.secret, added.secret)
        with open_engine(settings).connect() as connection:
            query = select(endpoints_table.c.secret, endpoints_table.c.former_secret)
            (values,) = connection.execute(query)
    assert {value.split(":")[1] for value in values} == {new.id}


def test_a_running_server_goes_on_after_a_rotation(settings: Settings) -> None:
    with open_store(settings) as server, open_store(settings) as command:
        values = fill(server)

        rotate_master_key(command, settings)

        assert read_all(server) == values
        more = fill(server)
    with open_store(settings) as store:
        assert set(more) <= set(read_all(store))


@pytest.mark.parametrize("step", ["before the change", "after the change"])
def test_a_rotation_that_is_broken_off_loses_nothing(settings: Settings, step: str) -> None:
    with open_store(settings) as store:
        values = fill(store)
        file = find_key_file(settings)
        former, new = get_master_key(store), MasterKey.generate()
        file.replace([former, new])
        if step == "after the change":
            store.keyring = file.load()
            store.write(lambda uow: uow.sealing.change_key(new))

    with open_store(settings) as store:
        assert read_all(store) == values
        rotate_master_key(store, settings)
        assert read_all(store) == values
    with open_store(settings) as store:
        assert read_all(store) == values
        assert [key.id for key in file.load()] == [get_master_key(store).id]
