"""Announcements: what one process commits is heard by the others."""

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Final

import psycopg
import pytest

from homeroom.base.ids import EntryId, LessonId, SchoolId
from homeroom.domain.chat import Author, ChatEntry, ChatRole, EntryKind, NewChatEntry
from homeroom.store import postgres_listener
from homeroom.store.announcements import CHAT_CHANNEL, MESSAGE_CHANNEL
from homeroom.store.migrate import migrate
from homeroom.store.postgres_listener import PostgresListener
from homeroom.store.unit_of_work import UnitOfWork
from tests.support.counting import opened
from tests.support.engine import until
from tests.support.postgres import Postgres
from tests.support.postgres_faults import PGBOUNCER, running_pgbouncer

pytestmark = pytest.mark.pg

PATIENCE: Final = 30
LISTENING: Final = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'"
)


@pytest.fixture(scope="module")
def address(postgres: Postgres) -> str:
    address = postgres.fresh()
    migrate(address)
    return address


class Hearing:
    """A listener, and what it has heard."""

    def __init__(self, address: str, channel: str = CHAT_CHANNEL) -> None:
        self.texts: SimpleQueue[str] = SimpleQueue()
        self.listener = PostgresListener(address, channel, self.texts.put)

    def next(self) -> str:
        return self.texts.get(timeout=PATIENCE)

    def wait(self) -> None:
        until(lambda: self.listener.is_listening)


@pytest.fixture
def hearing(address: str) -> Iterator[Hearing]:
    hearing = Hearing(address)
    yield hearing
    hearing.listener.close()
    assert not hearing.listener.is_running


def entry(lesson: int, number: int) -> ChatEntry:
    author = Author("Ms. Zhang", ChatRole.TEACHER)
    new = NewChatEntry(LessonId(lesson), EntryKind.MESSAGE, author, "hello")
    return ChatEntry(EntryId(number), new, 0, is_deleted=False)


def test_what_is_committed_is_announced_once_for_each_chat(address: str, hearing: Hearing) -> None:
    hearing.wait()

    def fail(uow: UnitOfWork) -> None:
        uow.chats.announce([entry(1, 1)])
        raise ValueError

    with opened(address) as store:
        with pytest.raises(ValueError):  # noqa: PT011  the one that is raised above
            store.write(fail)
        store.write(lambda uow: uow.chats.announce([]))
        store.write(lambda uow: uow.chats.announce([entry(7, 11), entry(8, 12), entry(7, 13)]))

    assert {hearing.next(), hearing.next()} == {"7 13", "8 12"}
    assert hearing.texts.empty()


def test_a_connection_that_is_lost_is_opened_again(
    address: str, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_listener, "FIRST_PAUSE_SECONDS", 0.01)
    former: list[int] = []
    with opened(address) as store, psycopg.connect(address, autocommit=True) as admin:

        def is_back() -> bool:
            return [pid for (pid,) in admin.execute(LISTENING) if pid not in former] != []

        for _ in range(3):
            until(is_back)
            store.write(lambda uow: uow.chats.announce([entry(7, 1)]))
            assert hearing.next() == "7 1"
            former += [pid for (pid,) in admin.execute(LISTENING)]
            admin.execute("SELECT pg_terminate_backend(%s)", (former[-1],))


def test_a_server_that_is_not_there_holds_nobody() -> None:
    listener = PostgresListener("postgresql://127.0.0.1:1/none", CHAT_CHANNEL, print)

    listener.close()

    assert not listener.is_listening
    until(lambda: not listener.is_running)


@pytest.mark.skipif(PGBOUNCER is None, reason="no PgBouncer here: install Debian's `pgbouncer`")
def test_behind_a_pooler_nothing_is_heard(
    postgres: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(postgres.fresh())["dbname"]
    caplog.set_level("INFO", "homeroom.store")
    with running_pgbouncer(postgres.folder) as port:
        hearing = Hearing(f"postgresql://postgres@127.0.0.1:{port}/{name}")
        until(lambda: not hearing.listener.is_running)
        assert not hearing.listener.is_listening
        assert "behind a pooler" in caplog.text
        hearing.listener.close()


def test_what_an_operator_changes_about_deliveries_is_announced(address: str) -> None:
    hearing = Hearing(address, MESSAGE_CHANNEL)
    hearing.wait()
    with opened(address) as store:
        store.write(lambda uow: uow.wake_outbox(SchoolId(7)))
    assert hearing.next() == "7"
    hearing.listener.close()
