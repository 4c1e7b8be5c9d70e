"""The cache of schools: a busy school is read again before its entry expires."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from homeroom.async_store import AsyncStore
from homeroom.base.keys import md5_hex
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal
from homeroom.partner.authenticator import Authenticator
from homeroom.partner.school_cache import CACHE_SECONDS, REFRESH_SECONDS
from homeroom.store.engine import UnavailableError
from homeroom.store.outages import OutageCause

NOW = 1_700_000_000


class Clock:
    """A clock that stands still."""

    def now(self) -> int:
        return NOW


class Reads:
    """A store in which each read waits until the test answers it."""

    def __init__(self) -> None:
        self.answers: list[asyncio.Future[Any]] = []

    async def read(self, _use_case: Callable[[Any], Any]) -> object:
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.answers.append(answer)
        return await answer


class Case:
    """An authenticator, its store, and the monotonic clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reads = Reads()
        self.seconds = 100.0
        monkeypatch.setattr(time, "monotonic", lambda: self.seconds)
        self.authenticator = Authenticator(cast("AsyncStore", self.reads), (Clock(),))

    def call(self) -> asyncio.Task[object]:
        """Begin a call of a school that does not exist."""
        form = {"SID": "7", "safeKey": md5_hex("x"), "timeStamp": str(NOW)}
        return asyncio.create_task(self.authenticator.authenticate_form(form))

    async def call_until_read(self) -> asyncio.Task[object]:
        """Begin a call, and let it run until its read waits for an answer."""
        call = self.call()
        for _ in range(2):
            await asyncio.sleep(0)
        return call

    async def check_refused(self, call: asyncio.Task[object]) -> None:
        with pytest.raises(Refusal) as refusal:
            await call
        assert refusal.value.errno is Errno.NOT_AUTHORISED

    async def answer(self, number: int) -> None:
        self.reads.answers[number].set_result((None, None))
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> Case:
    return Case(monkeypatch)


def test_calls_at_the_same_time_share_a_read(case: Case) -> None:
    async def scenario() -> None:
        calls = [case.call() for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        calls[0].cancel()
        await case.answer(0)
        for call in calls[1:]:
            await case.check_refused(call)
        await case.check_refused(case.call())
        assert len(case.reads.answers) == 1

    asyncio.run(scenario())


def test_a_busy_school_is_read_again_while_its_entry_is_used(case: Case) -> None:
    async def scenario() -> None:
        first = await case.call_until_read()
        await case.answer(0)
        await case.check_refused(first)
        case.seconds += CACHE_SECONDS - REFRESH_SECONDS / 2
        for _ in range(2):
            await case.check_refused(case.call())  # does not wait for the read it starts
        assert len(case.reads.answers) == 2
        await case.answer(1)
        case.seconds += CACHE_SECONDS - REFRESH_SECONDS * 2
        await case.check_refused(case.call())
        assert len(case.reads.answers) == 2

    asyncio.run(scenario())


def test_an_expired_entry_is_not_used(case: Case) -> None:
    async def scenario() -> None:
        first = await case.call_until_read()
        await case.answer(0)
        await case.check_refused(first)
        case.seconds += CACHE_SECONDS
        second = await case.call_until_read()
        assert not second.done()
        case.reads.answers[1].set_exception(UnavailableError(OutageCause.DISK_FULL))
        with pytest.raises(UnavailableError):
            await second

    asyncio.run(scenario())


def test_a_read_from_before_a_change_is_not_kept(case: Case) -> None:
    async def scenario() -> None:
        first = await case.call_until_read()
        case.authenticator.forget()
        await case.answer(0)
        await case.check_refused(first)
        second = await case.call_until_read()
        assert len(case.reads.answers) == 2
        await case.answer(1)
        await case.check_refused(second)

    asyncio.run(scenario())
