"""Authentication of the v1 wire: SID, timeStamp and safeKey (rules.yaml, auth_v1; READINGS Q16)."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock, Moment
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator, md5_hex, secrets_equal
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.contract.params import MAX_DIGITS
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.usecases import schools

WINDOW_SECONDS = 1200
MIN_MILLISECOND_SKEW_SECONDS = 10**11
"""A timeStamp this far ahead, about three thousand years, is taken for milliseconds."""
CACHE_SECONDS = 0.05
"""How long a school is cached: a change by the operator counts after that."""
REFRESH_SECONDS = 0.015
"""A school whose entry expires within this time is read again."""
MAX_CACHED = 10_000
DUMMY_SECRET = KeyGenerator().secret()
"""Digested in place of a secret that does not exist."""


class CachedSchool(Value, frozen=True):
    """The facts that decide about a signature, and until when they may be used."""

    school: School | None
    blocked_until: Moment | None
    """End of a maintenance window that blocks calls."""
    stale_at: float
    """On the monotonic clock."""


class Authenticator:
    """Finds the school that signed a request with a current secret."""

    def __init__(
        self, store: AsyncStore, clocks: tuple[Clock, ...], *, has_reasons: bool = False
    ) -> None:
        """Take the clocks that a timeStamp may agree with: the sandbox's and the real one.

        With reasons, as in the sandbox, a refusal says whether the SID or the safeKey is wrong.
        """
        self._has_reasons = has_reasons
        self._store = store
        self._clocks = clocks
        self._cache: dict[SchoolId, CachedSchool] = {}
        self._reads: dict[SchoolId, asyncio.Task[CachedSchool]] = {}
        """Reads on their way, which calls at the same time share."""

    async def authenticate(self, fields: Mapping[str, object]) -> School:
        """Return the school that signed a form; raises `Refusal`."""
        sid = _credential(fields, "SID")
        safe_key = _credential(fields, "safeKey")
        stamp = _credential(fields, "timeStamp")
        if not _is_number(sid):
            raise Refusal(Errno.NOT_AUTHORISED, "SID must be a number")
        number = SchoolId(int(sid))
        cached = self._find_fresh(number) or await self._read(number)
        school = cached.school
        if not _is_number(stamp):
            raise Refusal(
                Errno.NOT_AUTHORISED, "timeStamp must be digits: whole seconds since 1970"
            )
        skew = min([int(stamp) - clock.now() for clock in self._clocks], key=abs)
        if abs(skew) > WINDOW_SECONDS:
            raise Refusal(Errno.NOT_AUTHORISED, _describe_skew(skew))
        if not _is_signed(school, safe_key, stamp) or school is None:
            reason = self._explain_mismatch(school, number)
            raise Refusal(Errno.NOT_AUTHORISED, reason)
        if school.plan.suspended:
            raise Refusal(Errno.NOT_AUTHORISED, "the school is suspended")
        if cached.blocked_until is not None:
            raise Refusal(Errno.IN_MAINTENANCE, f"maintenance until {cached.blocked_until}")
        return school

    def forget(self) -> None:
        """Empty the cache, after something in this process changed a school."""
        self._cache.clear()
        self._reads.clear()

    def _explain_mismatch(self, school: School | None, sid: int) -> str:
        """Return the reason of a wrong SID or safeKey; outside the sandbox it is the same."""
        wrong_key = "safeKey is not md5(SECRET + timeStamp), 32 lowercase hexadecimal digits"
        if not self._has_reasons:
            return f"no school has this SID, or {wrong_key}"
        return f"no school has the SID {sid}" if school is None else wrong_key

    def _find_fresh(self, sid: SchoolId) -> CachedSchool | None:
        """Return a school from the cache, if it may still be used.

        It is read again a little before that ends, so that a busy school never waits for it.
        """
        cached = self._cache.get(sid)
        if cached is None:
            return None
        left = cached.stale_at - time.monotonic()
        if left < REFRESH_SECONDS and sid not in self._reads:
            self._start_read(sid)
        return cached if left > 0 else None

    async def _read(self, sid: SchoolId) -> CachedSchool:
        """Return a school from the database; calls at the same time share one read."""
        if sid not in self._reads:
            self._start_read(sid)
        return await asyncio.shield(self._reads[sid])

    def _start_read(self, sid: SchoolId) -> None:
        self._reads[sid] = asyncio.create_task(self._query(sid))
        self._reads[sid].add_done_callback(partial(self._end_read, sid))

    def _end_read(self, sid: SchoolId, reading: asyncio.Task[CachedSchool]) -> None:
        has_failed = reading.cancelled() or reading.exception() is not None
        if self._reads.get(sid) is not reading:
            return  # the school was changed meanwhile
        del self._reads[sid]
        if has_failed:
            return
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
        self._cache[sid] = reading.result()

    async def _query(self, sid: SchoolId) -> CachedSchool:
        stale_at = time.monotonic() + CACHE_SECONDS
        school, blocked_until = await self._store.read(partial(schools.find_caller, school=sid))
        return CachedSchool(school, blocked_until, stale_at)


def _is_signed(school: School | None, safe_key: str, stamp: str) -> bool:
    """Tell whether a safeKey is made with a secret of a school.

    It always takes two digests: the time tells neither whether there is such a school, nor
    whether it has a former secret.
    """
    secrets = (school.secret, school.former_secret) if school is not None else (None, None)
    matches = [
        secrets_equal(safe_key, md5_hex((secret or DUMMY_SECRET) + stamp)) and secret is not None
        for secret in secrets
    ]
    return any(matches)


def _credential(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(Errno.BAD_PARAMS, f"{name}: is missing or empty")
    return value


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


def _describe_skew(skew: int) -> str:
    """Return the reason for a timeStamp outside the window, with the skew in seconds."""
    side = "ahead of" if skew > 0 else "behind"
    if skew > MIN_MILLISECOND_SKEW_SECONDS:
        return "timeStamp must be in seconds; this one looks like milliseconds"
    return f"timeStamp is {abs(skew)} s {side} the server's clock; {WINDOW_SECONDS} s are allowed"
