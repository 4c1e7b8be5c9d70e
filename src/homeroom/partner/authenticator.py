"""Authentication of both wires: the school that signed a request with a current secret.

The v1 wire has SID, timeStamp and safeKey in the form (rules.yaml, auth_v1; READINGS Q16), the v2
wire has X-EEO headers, whose signature covers the body (auth_v2; READINGS Q11, Q75).
"""

import asyncio
from collections.abc import Mapping

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Clock
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator, md5_hex, secrets_equal
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.contract.params import MAX_DIGITS
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.partner.school_cache import CachedSchool, SchoolCache
from homeroom.partner.signatures import Scalar, SignedBody

FORM_WINDOW_SECONDS = 1200
HEADERS_WINDOW_SECONDS = 300
MIN_MILLISECOND_SKEW_SECONDS = 10**11
"""A timestamp this far ahead, about three thousand years, is taken for milliseconds."""
MAX_QUICK_MEMBERS = 50
"""Members of a body whose signature is checked on the event loop."""
DUMMY_SECRET = KeyGenerator().secret()
"""Digested in place of a secret that does not exist."""


class SignatureHeaders(Value, frozen=True):
    """The headers of a request of the v2 wire that sign it; empty where they are missing."""

    sign: str
    uid: str
    stamp: str


class Authenticator:
    """Finds the school that signed a request with a current secret."""

    def __init__(
        self, store: AsyncStore, clocks: tuple[Clock, ...], *, has_reasons: bool = False
    ) -> None:
        """Take the clocks that a timestamp may agree with: the sandbox's and the real one.

        With reasons, as in the sandbox, a refusal says whether the school or the signature is
        wrong.
        """
        self._has_reasons = has_reasons
        self._clocks = clocks
        self._cache = SchoolCache(store)

    async def authenticate_form(self, fields: Mapping[str, object]) -> School:
        """Return the school that signed a form; raises `Refusal`."""
        sid = _credential(fields, "SID")
        safe_key = _credential(fields, "safeKey")
        stamp = _credential(fields, "timeStamp")
        if not _is_number(sid):
            raise Refusal(Errno.NOT_AUTHORISED, "SID must be a number")
        cached = await self._cache.find(SchoolId(int(sid)))
        if not _is_number(stamp):
            raise Refusal(
                Errno.NOT_AUTHORISED, "timeStamp must be digits: whole seconds since 1970"
            )
        self._check_time("timeStamp", stamp, FORM_WINDOW_SECONDS, Errno.NOT_AUTHORISED)
        # It always takes two digests: the time tells neither whether there is such a school, nor
        # whether it has a former secret.
        matches = [
            secrets_equal(safe_key, md5_hex(secret + stamp))
            for secret in _list_secrets(cached.school)
        ]
        if not any(matches) or cached.school is None:
            wrong = "safeKey is not md5(SECRET + timeStamp), 32 lowercase hexadecimal digits"
            reason = self._explain_mismatch(cached, "SID", sid, wrong)
            raise Refusal(Errno.NOT_AUTHORISED, reason)
        if cached.school.plan.arrears:
            raise Refusal(Errno.NOT_AUTHORISED, "the school is in arrears")
        return _check_state(cached.school, cached, Errno.NOT_AUTHORISED)

    async def authenticate_body(
        self, headers: SignatureHeaders, scalars: Mapping[str, Scalar]
    ) -> School:
        """Return the school that signed a JSON body; raises `Refusal`."""
        if not headers.stamp:
            raise Refusal(Errno.NO_TIMESTAMP, "X-EEO-TS: is missing or empty")
        if not _is_number(headers.stamp):
            reason = "X-EEO-TS must be digits: whole seconds since 1970"
            raise Refusal(Errno.TIMESTAMP_EXPIRED, reason)
        self._check_time("X-EEO-TS", headers.stamp, HEADERS_WINDOW_SECONDS, Errno.TIMESTAMP_EXPIRED)
        for name, value in (("X-EEO-UID", headers.uid), ("X-EEO-SIGN", headers.sign)):
            if not value:
                raise Refusal(Errno.BAD_SIGNATURE, f"{name}: is missing or empty")
        if not _is_number(headers.uid):
            raise Refusal(Errno.BAD_SIGNATURE, "X-EEO-UID must be a number, the SID of the school")
        cached = await self._cache.find(SchoolId(int(headers.uid)))
        signed = SignedBody(scalars, headers.uid, headers.stamp)
        secrets = _list_secrets(cached.school)
        if len(scalars) > MAX_QUICK_MEMBERS:
            matches = await asyncio.to_thread(signed.matches, headers.sign, secrets)
        else:
            matches = signed.matches(headers.sign, secrets)
        if not matches or cached.school is None:
            wrong = (
                "X-EEO-SIGN is not the md5 of the sorted members, sid and timeStamp, joined by &, "
                "and &key=SECRET, 32 lowercase hexadecimal digits"
            )
            reason = self._explain_mismatch(cached, "X-EEO-UID", headers.uid, wrong)
            raise Refusal(Errno.BAD_SIGNATURE, reason)
        return _check_state(cached.school, cached, Errno.BAD_SIGNATURE)

    def forget(self) -> None:
        """Empty the cache, after something in this process changed a school."""
        self._cache.forget()

    def _check_time(self, name: str, stamp: str, window_seconds: int, errno: Errno) -> None:
        """Refuse a timestamp outside the window, with the skew in seconds."""
        skew = min([int(stamp) - clock.now() for clock in self._clocks], key=abs)
        if abs(skew) <= window_seconds:
            return
        if skew > MIN_MILLISECOND_SKEW_SECONDS:
            reason = f"{name} must be in seconds; this one looks like milliseconds"
        else:
            side = "ahead of" if skew > 0 else "behind"
            reason = (
                f"{name} is {abs(skew)} s {side} the server's clock; {window_seconds} s are allowed"
            )
        raise Refusal(errno, reason)

    def _explain_mismatch(self, cached: CachedSchool, name: str, sid: str, wrong: str) -> str:
        """Return the reason of a wrong SID or signature; outside the sandbox it is the same."""
        if not self._has_reasons:
            return f"no school has this {name}, or {wrong}"
        return f"no school has the {name} {sid}" if cached.school is None else wrong


def _list_secrets(school: School | None) -> tuple[str, str]:
    """Return the secrets that a school signs with, always two: without a former one, one twice.

    A random one stands for those of a school that does not exist; the call is refused anyway.
    """
    if school is None:
        return DUMMY_SECRET, DUMMY_SECRET
    return school.secret, school.former_secret or school.secret


def _check_state(school: School, cached: CachedSchool, errno: Errno) -> School:
    """Return the school that signed a request; raises `Refusal` if it may not call now."""
    if school.plan.suspended:
        raise Refusal(errno, "the school is suspended")
    if cached.blocked_until is not None:
        raise Refusal(Errno.IN_MAINTENANCE, f"maintenance until {cached.blocked_until}")
    return school


def _credential(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Refusal(Errno.BAD_PARAMS, f"{name}: is missing or empty")
    return value


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
