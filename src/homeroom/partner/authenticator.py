"""Who calls: the credentials of the v1 wire (rules.yaml, auth_v1; READINGS Q16)."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock, Moment
from homeroom.base.ids import SchoolId
from homeroom.base.keys import digest, same
from homeroom.contract.errno import Errno
from homeroom.contract.params import MAX_DIGITS
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.store.unit_of_work import UnitOfWork

WINDOW_SECONDS = 1200
MIN_MILLISECOND_SKEW = 10**11
"""A skew of more seconds than this, some three thousand years, is none."""
CACHE_SECONDS = 0.05
"""How long a school is remembered: an operator's change counts for the call after it."""
MAX_CACHED = 10_000
DUMMY_SECRET = "-" * 40


@dataclass(frozen=True, slots=True)
class CachedSchool:
    """What the door knows of a school, and until when."""

    school: School | None
    blocked_until: Moment | None
    stale_at: float


class Authenticator:
    """Lets in who signs with a live secret of a school."""

    def __init__(self, store: AsyncStore, clocks: tuple[Clock, ...]) -> None:
        """Take the clocks a timeStamp may be right by: the sandbox's and the real one."""
        self._store = store
        self._clocks = clocks
        self._cache: dict[SchoolId, asyncio.Future[CachedSchool]] = {}

    async def authenticate(self, fields: Mapping[str, object]) -> School:
        """Return the school that signed a form, or refuse it."""
        sid, safe_key, stamp = (
            _credential(fields, name) for name in ("SID", "safeKey", "timeStamp")
        )
        if not _is_number(sid):
            raise Refusal(Errno.NOT_AUTHORISED, "SID must be a number")
        known = await self._lookup(SchoolId(int(sid)))
        school = known.school
        secrets = (DUMMY_SECRET,) if school is None else (school.secret, school.former_secret)
        matches = [same(safe_key, digest(secret + stamp)) for secret in secrets if secret]
        if school is None:
            raise Refusal(Errno.NOT_AUTHORISED, f"no school has the SID {int(sid)}")
        if not _is_number(stamp):
            raise Refusal(
                Errno.NOT_AUTHORISED, "timeStamp must be digits: whole seconds since 1970"
            )
        skews = [int(stamp) - clock.now() for clock in self._clocks]
        if all(abs(skew) > WINDOW_SECONDS for skew in skews):
            raise Refusal(Errno.NOT_AUTHORISED, _describe_skew(min(skews, key=abs)))
        if not any(matches):
            wrong = "safeKey is not md5(SECRET + timeStamp), 32 lowercase hexadecimal digits"
            raise Refusal(Errno.NOT_AUTHORISED, wrong)
        if school.plan.suspended:
            raise Refusal(Errno.NOT_AUTHORISED, "the school is suspended")
        if known.blocked_until is not None:
            raise Refusal(Errno.IN_MAINTENANCE, f"maintenance until {known.blocked_until}")
        return school

    def forget(self) -> None:
        """Forget what is remembered of schools: something in this process changed them."""
        self._cache.clear()

    async def _lookup(self, sid: SchoolId) -> CachedSchool:
        remembered = self._cache.get(sid)
        if remembered is not None:
            known = (
                await asyncio.shield(remembered) if not remembered.done() else remembered.result()
            )
            if known.stale_at > time.monotonic():
                return known
        if len(self._cache) >= MAX_CACHED:
            self._cache.clear()
        asked = asyncio.ensure_future(self._read(sid))
        self._cache[sid] = asked
        try:
            return await asyncio.shield(asked)
        except BaseException:
            self._cache.pop(sid, None)
            raise

    async def _read(self, sid: SchoolId) -> CachedSchool:
        def facts(uow: UnitOfWork) -> tuple[School | None, Moment | None]:
            return uow.schools.get(sid), uow.schools.blocked_until(uow.now)

        stale_at = time.monotonic() + CACHE_SECONDS
        school, blocked_until = await self._store.read(facts)
        return CachedSchool(school, blocked_until, stale_at)


def _credential(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(Errno.BAD_PARAMS, f"{name}: is missing or empty")
    return value


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS


def _describe_skew(skew: int) -> str:
    side = "ahead of" if skew > 0 else "behind"
    if skew > MIN_MILLISECOND_SKEW:
        return "timeStamp must be in seconds; this one looks like milliseconds"
    return f"timeStamp is {abs(skew)} s {side} the server's clock; {WINDOW_SECONDS} s are allowed"
