"""Addresses of databases: names with characters that mean something in a URL, and libpq's forms."""

from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from homeroom.base.settings import Settings, SettingsError, parse_settings
from homeroom.folder import open_store
from homeroom.store import migrate as migrate_module
from homeroom.store.databases import find_database
from homeroom.store.engine import StoreError
from homeroom.store.migrate import is_current, migrate
from tests.support.postgres import Postgres
from tests.support.postgres_faults import Proxy
from tests.support.process import CommandFailed, typed

NAMES = [
    *(
        "a#b",
        "a?b=c",
        "a%41b",
        "a%b",
        "a b",
        "a&mode=memory",
        "教室",
        "é;'\"x",
        "file:x",
        ":memory:",
    ),
    *("a\\b", "[a]", "~a", "$HOME", "..a", "a\nb"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_may_have_any_characters(tmp_path: Path, name: str) -> None:
    """Case O8: each part of the server finds the same file, and none makes another one."""
    data = tmp_path / name
    with open_store(Settings(data=data)) as store:
        store.write(lambda uow: uow.server_state.save("name", name))

    assert is_current(data / "homeroom.db")
    assert find_database(data / "homeroom.db").find_problems() == []
    with open_store(Settings(data=data)) as store:
        assert store.read(lambda uow: uow.server_state.get("name")) == name
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_doctor_finds_the_data_of_such_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case O8, as an operator types it: with a relative path."""
    monkeypatch.chdir(tmp_path)
    typed("school", "create", "--name", "A", "--data", "x/a#b")

    assert "ok    tables" in examine("--data", "x/a#b")
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["a#b"]


def examine(*where: str) -> str:
    """Return what `homeroom doctor` prints."""
    try:
        return typed("doctor", *where)
    except CommandFailed as failure:  # no server runs
        return failure.stdout


def test_the_program_may_be_in_a_folder_with_a_percent_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "100%(here)s"
    folder.symlink_to(migrate_module.FOLDER)
    monkeypatch.setattr(migrate_module, "FOLDER", folder)

    migrate(tmp_path / "homeroom.db")

    assert is_current(tmp_path / "homeroom.db")


@pytest.mark.pg
def test_a_postgresql_name_may_have_any_characters(postgres: Postgres, tmp_path: Path) -> None:
    name, user, password = "a#b ?%/x", "u@#:/", "p@:/#?% ü"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} SUPERUSER LOGIN").format(sql.Identifier(user)))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    address = f"postgresql://{login}@/{quote(name, safe='')}?host={postgres.folder}"

    assert works(address, tmp_path)


@pytest.mark.pg
def test_a_key_value_address_works(postgres: Postgres, tmp_path: Path) -> None:
    assert works(psycopg.conninfo.make_conninfo(postgres.fresh()), tmp_path)


def works(address: str, data: Path) -> bool:
    """Migrate, write, read, inspect."""
    settings = parse_settings({}, {"data": data, "database": address})
    with open_store(settings) as store:
        store.write(lambda uow: uow.server_state.save("name", "value"))
        assert store.read(lambda uow: uow.server_state.get("name")) == "value"
    return is_current(address) and find_database(address).find_problems() == []


def test_an_address_of_another_kind_is_refused() -> None:
    for address in ("mysql://localhost/x?a=b", "localhost/homeroom", "sqlite:///x"):
        with pytest.raises(SettingsError, match="must begin with postgresql://"):
            parse_settings({}, {"database": address})


@pytest.mark.parametrize("address", ["postgresql://[::1", "hots=x", "postgresql:///x?mode=ro"])
def test_a_malformed_address_is_one_sentence(address: str) -> None:
    with pytest.raises(StoreError, match="the address of the database is wrong"):
        is_current(address)


@pytest.mark.pg
def test_an_address_may_have_several_hosts(postgres: Postgres, tmp_path: Path) -> None:
    """Case O7: the first host refuses connections; every command takes the second."""
    proxy = Proxy(postgres.folder / ".s.PGSQL.5432")
    name = psycopg.conninfo.conninfo_to_dict(postgres.fresh())["dbname"]
    address = (
        f"postgresql://postgres@127.0.0.1:1,127.0.0.1:{proxy.port}/{name}"
        "?target_session_attrs=read-write"
    )
    where = ("--data", str(tmp_path), "--database", address)
    try:
        typed("migrate", *where)
        assert is_current(address)
        typed("school", "create", "--name", "A", *where)
        assert "ok    tables" in examine(*where)
    finally:
        proxy.close()


@pytest.mark.pg
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_has_the_right_encoding(
    postgres: Postgres, tmp_path: Path, encoding: str
) -> None:
    """Case O5: one sentence that says what to do, and exit code 1."""
    name = f"in_{encoding}".lower()
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as admin:
        admin.execute(
            f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'".encode()
        )
    for command in (["serve"], ["migrate"], ["school", "list"], ["doctor"]):
        with pytest.raises(CommandFailed) as failure:
            typed(*command, "--data", str(tmp_path), "--database", postgres.url(name))

        sentence = f"the database has the encoding {encoding}: createdb -E UTF8 -T template0"
        assert failure.value.code == 1
        assert sentence in failure.value.stdout + failure.value.stderr
        assert "Traceback" not in failure.value.stderr
