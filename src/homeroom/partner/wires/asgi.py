"""The ASGI side that all wires of the partner API share: bodies, responses, the record of each."""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import count
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from homeroom.base.clock import Clock
from homeroom.base.errors import HomeroomError
from homeroom.base.ids import SchoolId
from homeroom.base.log import log_info
from homeroom.base.text import escape_non_ascii
from homeroom.contract.action import V2_CREDENTIAL_CHECKS, Action
from homeroom.contract.errno import Errno
from homeroom.contract.params import MAX_DIGITS
from homeroom.domain.refusal import OverloadedError, Refusal
from homeroom.partner.dispatcher import DroppedConnectionError
from homeroom.partner.response import (
    PartnerResponse,
    choose_failure_errno,
    make_overload_response,
    make_refusal_response,
)
from homeroom.partner.turns import QueueFullError
from homeroom.store.engine import find_outage
from homeroom.web import security_log
from homeroom.web.addresses import get_client_address
from homeroom.web.bodies import BodyError, BodyTooLargeError, Receive, SlowBodyError
from homeroom.web.connections import hold
from homeroom.web.draining import Draining
from homeroom.web.journal import JournalEntry, JournalWriter, mask_form
from homeroom.web.security_log import SecurityEvent

log = logging.getLogger("homeroom.partner")

Scope = dict[str, Any]
Send = Callable[[Any], Awaitable[None]]

MAX_LOGGED_ACTION = 50
BODY_STATUS = {BodyTooLargeError: 413, SlowBodyError: 408}
"""Statuses of bodies that were not read to their end."""
UNPROVEN = frozenset(
    {
        Errno.BAD_PARAMS,
        Errno.NOT_AUTHORISED,
        *(check.errno for check in V2_CREDENTIAL_CHECKS),
    }
)
"""Errnos of a request whose credentials are missing or wrong."""
CLAIMS = ("SID", "X-EEO-UID")
"""Fields in which a request names its school, on either wire."""
MAX_REASON = 500
"""Characters of the header `X-Homeroom-Reason`."""
MAX_IGNORED_CHARS = 1000
"""Characters of the header `X-Homeroom-Ignored`."""


class UnknownPathError(HomeroomError):
    """No action has the path of a request: the status is 404."""


class RequestRecord(msgspec.Struct):
    """One request, as far as it was read: for the log, the metrics and the journal."""

    request_id: str
    address: str
    """Address of the client."""
    action: str = ""
    is_known: bool = False
    """An action of this name exists; metrics count all others as `unknown`."""
    school: SchoolId | None = None
    """The school that signed the request."""
    fields: Mapping[str, object] = {}
    ignored: tuple[str, ...] = ()
    """Names of fields that the action does not know."""

    @property
    def claimed_school(self) -> int | None:
        """The SID that an unproven request names."""
        if self.school is not None:
            return None
        claimed = next((self.fields[name] for name in CLAIMS if name in self.fields), None)
        is_number = isinstance(claimed, str) and claimed.isascii() and claimed.isdigit()
        return int(str(claimed)) if is_number and len(str(claimed)) <= MAX_DIGITS else None


class CallLine(msgspec.Struct):
    """The fields of the log line of a call."""

    request_id: str
    address: str
    action: str
    sid: int | None
    """The school that signed the request."""
    claimed_sid: int | None
    """The SID that an unproven request names."""
    errno: int | None
    """None: the connection was dropped."""
    reason: str
    ms: float
    ignored: tuple[str, ...] | UnsetType = UNSET
    """Names of fields that the action does not know."""


class Observer(msgspec.Struct, frozen=True):
    """The metrics, and in the sandbox the journal, that each response is reported to."""

    count: Callable[[str, int, float], None]
    """Counts an action with its errno and its duration in seconds."""
    clock: Clock
    journal: JournalWriter | None = None

    def report(
        self, record: RequestRecord, response: PartnerResponse | None, reason: str, started: float
    ) -> None:
        """Count, log and journal a response; None stands for a dropped connection."""
        seconds = time.perf_counter() - started
        errno = response.errno.number if response is not None else None
        milliseconds = round(seconds * 1000, 2)
        action = record.action[:MAX_LOGGED_ACTION]
        claimed = record.claimed_school
        self.count(action if record.is_known else "unknown", errno or 0, seconds)
        if record.school is None and response is not None and response.errno in UNPROVEN:
            security_log.report(
                SecurityEvent.CALL_REFUSED,
                record.address,
                claimed=claimed,
                action=action,
                errno=errno,
                reason=reason,
            )
        line = CallLine(
            record.request_id,
            record.address,
            action,
            record.school,
            claimed,
            errno,
            reason,
            milliseconds,
            record.ignored or UNSET,
        )
        log_info(log, "call", line)
        if self.journal is not None:
            self.journal.write(
                JournalEntry(
                    record.request_id,
                    self.clock.now(),
                    action,
                    record.school,
                    claimed,
                    record.address,
                    mask_form(record.fields),
                    errno,
                    reason,
                    milliseconds,
                    record.ignored,
                )
            )


class WireApp(ABC):
    """One wire of the partner API as an ASGI application.

    A wire implements `respond`, from the request to the dispatcher, `encode`, its envelope, and
    which errno a body has that cannot be read.
    """

    def __init__(
        self,
        observer: Observer,
        id_prefix: str,
        actions: Iterable[Action[Any, Any]],
        draining: Draining | None = None,
    ) -> None:
        self._observer = observer
        self.draining = draining or Draining()
        self._actions = {action.name: action for action in actions}
        self._ids = map(f"{id_prefix}-{{}}".format, count(1))

    @abstractmethod
    async def respond(
        self, scope: Scope, receive: Receive, record: RequestRecord
    ) -> PartnerResponse:
        """Return the response to a request, and note in `record` what is read of it.

        Raises `Refusal`, `OverloadedError`, `BodyError`, `UnknownPathError` and
        `DroppedConnectionError`.
        """

    @abstractmethod
    def encode(self, response: PartnerResponse) -> bytes:
        """Return the JSON body of a response."""

    @abstractmethod
    def get_malformed_errno(self, action: Action[Any, Any] | None) -> Errno:
        """Return the errno of a request that cannot be read; the action may be unknown."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request; the text of an unexpected exception goes to the log alone."""
        started = time.perf_counter()
        record = RequestRecord(next(self._ids), get_client_address(scope))
        try:
            status, response = await self._respond_or_refuse(scope, receive, record)
        except asyncio.CancelledError:
            if not self.draining.is_active:
                raise
            # The server stops, and the call has taken too long for that.
            status = 503
            action = self._actions.get(record.action)
            response = make_overload_response(self.draining.error(), action)
        except DroppedConnectionError:
            self._observer.report(record, None, "dropped by a fault", started)
            await _drop_connection(scope, receive)
            return
        except Exception as failure:
            # With an outage for an exception, the log names it without a traceback.
            outage = find_outage(failure)
            log.exception(
                "call failed", exc_info=outage or failure, extra={"request_id": record.request_id}
            )
            action = self._actions.get(record.action)
            if outage is not None:
                status = 503
                response = make_overload_response(outage, action)
            else:
                status = 200
                response = PartnerResponse(
                    choose_failure_errno(action), reason="the server failed; see its log"
                )
        body = self.encode(response)
        await _send(send, status, body, response, record)
        self._observer.report(record, response, response.reason, started)

    async def _respond_or_refuse(
        self, scope: Scope, receive: Receive, record: RequestRecord
    ) -> tuple[int, PartnerResponse]:
        """Return the status and the response of a request, also of one that is refused."""
        try:
            return 200, await self.respond(scope, receive, record)
        except Refusal as refusal:
            return 200, make_refusal_response(refusal)
        except OverloadedError as error:
            if isinstance(error, QueueFullError):
                hold(scope, error.retry_after_seconds)
            return 503, make_overload_response(error, self._actions.get(record.action))
        except BodyError as error:
            errno = self.get_malformed_errno(self._actions.get(record.action))
            status = BODY_STATUS.get(type(error), 200)
            return status, PartnerResponse(errno, reason=str(error))
        except UnknownPathError as error:
            return 404, PartnerResponse(self.get_malformed_errno(None), reason=str(error))


async def _send(
    send: Send, status: int, body: bytes, response: PartnerResponse, record: RequestRecord
) -> None:
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"x-request-id", record.request_id.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    if response.reason:
        reason = escape_non_ascii(response.reason)[:MAX_REASON]
        headers.append((b"x-homeroom-reason", reason.encode()))
    if record.ignored:
        ignored = escape_non_ascii(", ".join(record.ignored))[:MAX_IGNORED_CHARS]
        headers.append((b"x-homeroom-ignored", ignored.encode()))
    if status == BODY_STATUS[SlowBodyError]:
        headers.append((b"connection", b"close"))
    if response.retry_after_seconds is not None:
        headers.append((b"retry-after", str(response.retry_after_seconds).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drop_connection(scope: Scope, receive: Receive) -> None:
    """End the connection without a response, as a server that crashed would."""
    scope["extensions"]["homeroom.abort"]()
    # uvicorn would send a response of its own, 500, until it knows that the client is gone.
    while (await receive())["type"] != "http.disconnect":
        pass
