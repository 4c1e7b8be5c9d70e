"""State that all processes of a server share: recent calls, logins, and what the sandbox keeps.

The main process keeps it in memory. A worker process asks over its channel.
"""

from typing import Final, Protocol

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.contract.errno import Errno
from homeroom.domain.deliveries import AttemptOutcome
from homeroom.domain.refusal import OverloadedError
from homeroom.partner.duplicates import DuplicateGuard, Duplicates
from homeroom.partner.rate_limits import CallCounter, RateLimits
from homeroom.player.login_throttle import (
    MAX_DELAY_SECONDS,
    LoginAttempt,
    LoginLimits,
    LoginThrottle,
    LoginThrottledError,
)
from homeroom.web.faults import Fault, FaultInjector, FaultQueue
from homeroom.web.journal import Journal, JournalEntry, JournalWriter
from homeroom.workers.channel import Channel, ChannelError, Procedure, ProcedureTable

RETRY_SECONDS = 1
"""Wait before a request is tried again that met no main process."""
LOGIN_SECONDS = MAX_DELAY_SECONDS + 2.0


class SharedState(Protocol):
    """The shared state, as each process that serves HTTP uses it."""

    @property
    def duplicates(self) -> Duplicates:
        """The recent calls."""

    @property
    def rate_limits(self) -> RateLimits:
        """The calls of the last minute of actions that are limited."""

    @property
    def logins(self) -> LoginLimits:
        """The limits on logins."""

    @property
    def faults(self) -> FaultQueue | None:
        """The faults of the sandbox; None without one."""

    @property
    def journal(self) -> JournalWriter | None:
        """The journal of the sandbox; None without one."""


class LocalState:
    """The shared state itself."""

    def __init__(self, *, is_sandbox: bool) -> None:
        self.duplicates = DuplicateGuard()
        self.rate_limits = CallCounter()
        self.logins = LoginThrottle()
        self.faults = FaultInjector() if is_sandbox else None
        self.journal = Journal() if is_sandbox else None

    def take_fault(self, endpoint: EndpointId) -> AttemptOutcome | None:
        """Return the outcome that a fault gives the next attempt at an endpoint, if any."""
        return self.faults.take_outcome(endpoint) if self.faults is not None else None


# --- over a channel -----------------------------------------------------------------------------


class _DuplicateQuery(msgspec.Struct, frozen=True):
    school: SchoolId
    key: bytes
    now: Moment = 0


class _LimitedCall(msgspec.Struct, frozen=True):
    school: SchoolId
    action: str
    limit: int
    now: Moment


class _Login(msgspec.Struct, frozen=True):
    account: str
    network: str


class _LoginResult(msgspec.Struct, frozen=True):
    is_first: bool = False
    wait_seconds: float | None = None
    """The attempt is refused for so long."""


class _FaultQuery(msgspec.Struct, frozen=True):
    school: SchoolId
    action: str


class _Fault(msgspec.Struct, frozen=True):
    """A fault with the name of its errno, because no message can carry the errno itself."""

    id: int
    action: str
    school: SchoolId | None
    errno: str | None
    delay_ms: int
    drop: bool
    times: int
    after_commit: bool
    in_entries: bool
    entries: tuple[int, ...]


def _pack(fault: Fault) -> _Fault:
    errno = fault.errno.name if fault.errno is not None else None
    return _Fault(**{**msgspec.structs.asdict(fault), "errno": errno})


def _unpack(packed: _Fault) -> Fault:
    errno = Errno[packed.errno] if packed.errno is not None else None
    return Fault(**{**msgspec.structs.asdict(packed), "errno": errno})


_CHECK_DUPLICATE: Final[Procedure[_DuplicateQuery, bool]] = Procedure(
    "check_duplicate", _DuplicateQuery, bool
)
_DISCARD_DUPLICATE: Final[Procedure[_DuplicateQuery, None]] = Procedure(
    "discard_duplicate", _DuplicateQuery, None
)
_COUNT_CALL: Final[Procedure[_LimitedCall, bool]] = Procedure("count_call", _LimitedCall, bool)
_BEGIN_LOGIN: Final[Procedure[_Login, _LoginResult]] = Procedure(
    "begin_login", _Login, _LoginResult
)
_SUCCEED_LOGIN: Final[Procedure[LoginAttempt, None]] = Procedure(
    "succeed_login", LoginAttempt, None
)
_TAKE_FAULT: Final[Procedure[_FaultQuery, _Fault | None]] = Procedure(
    "take_fault", _FaultQuery, _Fault | None
)
_WRITE_JOURNAL: Final[Procedure[JournalEntry, None]] = Procedure(
    "write_journal", JournalEntry, None
)


def add_state_procedures(table: ProcedureTable, state: LocalState) -> None:
    """Let the main process answer what its worker processes ask of the shared state."""
    _add_limit_procedures(table, state)
    _add_sandbox_procedures(table, state)


def _add_limit_procedures(table: ProcedureTable, state: LocalState) -> None:
    async def check_duplicate(request: _DuplicateQuery) -> bool:
        return await state.duplicates.check(request.school, request.key, request.now)

    async def discard_duplicate(request: _DuplicateQuery) -> None:
        state.duplicates.discard(request.school, request.key)

    async def count_call(call: _LimitedCall) -> bool:
        return state.rate_limits.add(call.school, call.action, call.limit, call.now)

    async def begin_login(login: _Login) -> _LoginResult:
        try:
            attempt = await state.logins.begin(login.account, login.network)
        except LoginThrottledError as error:
            return _LoginResult(wait_seconds=error.seconds)
        return _LoginResult(attempt.is_first)

    async def succeed_login(attempt: LoginAttempt) -> None:
        state.logins.succeed(attempt)

    table.add(_CHECK_DUPLICATE, check_duplicate)
    table.add(_DISCARD_DUPLICATE, discard_duplicate)
    table.add(_COUNT_CALL, count_call)
    table.add(_BEGIN_LOGIN, begin_login)
    table.add(_SUCCEED_LOGIN, succeed_login)


def _add_sandbox_procedures(table: ProcedureTable, state: LocalState) -> None:
    async def take_fault(call: _FaultQuery) -> _Fault | None:
        if state.faults is None:
            return None
        fault = await state.faults.take_next(call.school, call.action)
        return _pack(fault) if fault is not None else None

    async def write_journal(entry: JournalEntry) -> None:
        if state.journal is not None:
            state.journal.write(entry)

    table.add(_TAKE_FAULT, take_fault)
    table.add(_WRITE_JOURNAL, write_journal)


class RemoteState:
    """The shared state at the main process."""

    def __init__(self, channel: Channel, *, is_sandbox: bool) -> None:
        self.duplicates = _RemoteDuplicates(channel)
        self.rate_limits = _RemoteRateLimits(channel)
        self.logins = _RemoteLogins(channel)
        self.faults = _RemoteFaults(channel) if is_sandbox else None
        self.journal = _RemoteJournal(channel) if is_sandbox else None


class _RemoteDuplicates:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def check(self, school: SchoolId, key: bytes, now: Moment) -> bool:
        try:
            return await self._channel.call(_CHECK_DUPLICATE, _DuplicateQuery(school, key, now))
        except ChannelError as error:
            raise _unanswered(error) from error

    def discard(self, school: SchoolId, key: bytes) -> None:
        self._channel.notify(_DISCARD_DUPLICATE, _DuplicateQuery(school, key))


class _RemoteRateLimits:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def count_call(self, school: SchoolId, action: str, limit: int, now: Moment) -> bool:
        try:
            call = _LimitedCall(school, action, limit, now)
            return await self._channel.call(_COUNT_CALL, call)
        except ChannelError as error:
            raise _unanswered(error) from error


class _RemoteLogins:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def begin(self, account: str, network: str) -> LoginAttempt:
        try:
            result = await self._channel.call(_BEGIN_LOGIN, _Login(account, network), LOGIN_SECONDS)
        except ChannelError as error:
            raise LoginThrottledError(RETRY_SECONDS) from error
        if result.wait_seconds is not None:
            raise LoginThrottledError(result.wait_seconds)
        return LoginAttempt(account, network, result.is_first)

    def succeed(self, attempt: LoginAttempt) -> None:
        self._channel.notify(_SUCCEED_LOGIN, attempt)


class _RemoteFaults:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def take_next(self, school: SchoolId, action: str) -> Fault | None:
        try:
            taken = await self._channel.call(_TAKE_FAULT, _FaultQuery(school, action))
        except ChannelError as error:
            raise _unanswered(error) from error
        return _unpack(taken) if taken is not None else None


class _RemoteJournal:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def write(self, entry: JournalEntry) -> None:
        self._channel.notify(_WRITE_JOURNAL, entry)


def _unanswered(error: ChannelError) -> OverloadedError:
    return OverloadedError(RETRY_SECONDS, f"the main process of the server is away: {error}")
