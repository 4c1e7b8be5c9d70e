"""Endpoints: where a school's messages are sent, and what an operator does with them (Q89)."""

import re
from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from homeroom.base.clock import DAY
from homeroom.base.ids import EndpointId, SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.contract.messages.kinds import KINDS
from homeroom.domain.deliveries import AttemptOutcome, AttemptResult, DeliveryState
from homeroom.domain.endpoints import (
    DEFAULT_TIMEOUT_SECONDS,
    Endpoint,
    EndpointFormat,
    EndpointOrdering,
    EndpointState,
)
from homeroom.domain.refusal import OperatorError
from homeroom.store.deliveries import EndedDelivery
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import schools

MAX_ENDPOINTS: Final = 20
"""Endpoints of a school."""
MAX_URL: Final = 2000
MAX_ALERT_ADDRESSES: Final = 10
MAX_ADDRESS: Final = 200
MAIL_ADDRESS: Final = re.compile(r"[^@\s,;<>\x00-\x1f]+@[^@\s,;<>\x00-\x1f]+")
OVERLAP_SECONDS: Final = DAY
"""Seconds for which the former secret signs too after a rotation."""
ORDERINGS: Final = {
    EndpointFormat.CLASSIN: (EndpointOrdering.SCHOOL, EndpointOrdering.CLASS),
    EndpointFormat.STANDARD: (
        EndpointOrdering.CLASS,
        EndpointOrdering.SCHOOL,
        EndpointOrdering.NONE,
    ),
}
"""Orderings of each format; the first is its default (Q92)."""


def add(
    uow: UnitOfWork,
    keys: KeyGenerator,
    school: SchoolId,
    url: str,
    endpoint_format: EndpointFormat = EndpointFormat.CLASSIN,
    ordering: EndpointOrdering | None = None,
    kinds: Sequence[str] | None = None,
) -> Endpoint:
    """Add an endpoint, which waits for its test message; raise `OperatorError` for wrong values."""
    schools.get(uow, school)
    if len(uow.endpoints.list_of_school(school)) >= MAX_ENDPOINTS:
        raise OperatorError(f"a school has {MAX_ENDPOINTS} endpoints at most")
    allowed = ORDERINGS[endpoint_format]
    chosen = ordering or allowed[0]
    if chosen not in allowed:
        names = ", ".join(allowed)
        raise OperatorError(f"the format {endpoint_format} takes the ordering {names}")
    endpoint = Endpoint(
        id=EndpointId(0),
        school=school,
        url=check_url(url),
        new_url=None,
        format=endpoint_format,
        ordering=chosen,
        kinds=_check_kinds(kinds),
        state=EndpointState.PENDING,
        state_reason=None,
        secret=keys.webhook_secret() if endpoint_format is EndpointFormat.STANDARD else None,
        former_secret=None,
        former_until=None,
        timeout_seconds=DEFAULT_TIMEOUT_SECONDS,
        alert_addresses=(),
        start_after_id=None,
        activated_at=None,
        last_success_at=None,
        created_at=uow.now,
    )
    return msgspec.structs.replace(endpoint, id=uow.endpoints.add(endpoint))


def get(uow: UnitOfWork, endpoint: EndpointId) -> Endpoint:
    """Return an endpoint; raise `OperatorError` if there is none of this id."""
    if (present := uow.endpoints.get(endpoint)) is None:
        raise OperatorError(f"no endpoint has the id {endpoint}")
    return present


def list_endpoints(uow: UnitOfWork, school: SchoolId | None) -> list[Endpoint]:
    """Return the endpoints of a school, or of all schools, at most 1,000."""
    if school is None:
        return uow.endpoints.list_all()
    return uow.endpoints.list_of_school(school)


def open_endpoint(uow: UnitOfWork, endpoint_id: EndpointId, result: AttemptResult) -> Endpoint:
    """Open an endpoint whose test message was acknowledged: messages are written from now on.

    Run it without another unit of the school, so that the newest message is known. Raises
    `OperatorError` if the test message was not acknowledged.
    """
    endpoint = get(uow, endpoint_id)
    if result.outcome is not AttemptOutcome.ACKNOWLEDGED:
        raise OperatorError(describe_failure(endpoint, result))
    newest = uow.endpoints.find_newest_message(endpoint.school)
    opened = msgspec.structs.replace(endpoint, start_after_id=newest)
    uow.endpoints.save(opened)
    return opened


def activate(uow: UnitOfWork, endpoint_id: EndpointId) -> Endpoint:
    """Activate an opened endpoint; it gets nothing from before (Q89).

    An endpoint with a new address takes that one; what waited for it is sent there.
    """
    endpoint = get(uow, endpoint_id)
    is_first = endpoint.activated_at is None
    active = msgspec.structs.replace(
        endpoint,
        url=endpoint.new_url or endpoint.url,
        new_url=None,
        state=EndpointState.ACTIVE if is_first else endpoint.state,
        state_reason=None if is_first else endpoint.state_reason,
        start_after_id=uow.endpoints.find_newest_message(endpoint.school)
        if is_first
        else endpoint.start_after_id,
        activated_at=uow.now if is_first else endpoint.activated_at,
    )
    uow.endpoints.save(active)
    return active


def change_url(uow: UnitOfWork, endpoint_id: EndpointId, url: str) -> Endpoint:
    """Give an endpoint a new address, which a test message must be acknowledged at first."""
    endpoint = msgspec.structs.replace(get(uow, endpoint_id), new_url=check_url(url))
    uow.endpoints.save(endpoint)
    return endpoint


def lock(uow: UnitOfWork, endpoint_id: EndpointId) -> Endpoint:
    """Lock the outbox of the school of an endpoint, and return the endpoint as it is then."""
    uow.outbox_leases.lock(get(uow, endpoint_id).school)
    return get(uow, endpoint_id)


def pause(uow: UnitOfWork, endpoint_id: EndpointId) -> Endpoint:
    """Stop sending to an endpoint; its messages wait."""
    endpoint = lock(uow, endpoint_id)
    if endpoint.state is not EndpointState.ACTIVE:
        raise OperatorError(f"endpoint {endpoint_id} is {endpoint.state}, not active")
    uow.endpoints.set_state(endpoint_id, EndpointState.PAUSED, "paused by an operator")
    return get(uow, endpoint_id)


def resume(uow: UnitOfWork, endpoint_id: EndpointId, *, from_now: bool = False) -> Endpoint:
    """Send again to an endpoint that was paused or disabled: in order, or only what comes now."""
    endpoint = lock(uow, endpoint_id)
    if endpoint.state not in (EndpointState.PAUSED, EndpointState.DISABLED):
        raise OperatorError(
            f"endpoint {endpoint_id} is {endpoint.state}: there is nothing to resume"
        )
    start = endpoint.start_after_id
    if from_now:
        uow.lane_commands.skip_all(endpoint_id, uow.now, "resumed from now")
        # Also those that have no position yet.
        start = uow.endpoints.find_newest_message(endpoint.school)
    uow.lane_commands.make_due(endpoint_id)
    # Five days without a success count from here.
    changed = msgspec.structs.replace(
        endpoint,
        state=EndpointState.ACTIVE,
        state_reason=None,
        start_after_id=start,
        last_success_at=uow.now,
    )
    uow.endpoints.save(changed)
    uow.wake_outbox(endpoint.school)
    return changed


def skip_head(uow: UnitOfWork, endpoint_id: EndpointId) -> int:
    """Skip the first message of each lane that fails; return how many there were (Q92)."""
    endpoint = lock(uow, endpoint_id)
    heads = uow.lane_commands.list_failing_heads(endpoint_id)
    if heads:
        ended = [
            EndedDelivery(delivery, DeliveryState.SKIPPED, "skipped by an operator")
            for delivery, _ in heads
        ]
        uow.deliveries.end(ended, [lane for _, lane in heads], uow.now)
        uow.lane_commands.make_due(endpoint.id)
        uow.wake_outbox(endpoint.school)
    return len(heads)


def set_alert_addresses(
    uow: UnitOfWork, endpoint_id: EndpointId, addresses: Sequence[str]
) -> Endpoint:
    """Set who gets a mail while an endpoint is stuck; raise `OperatorError` for a wrong address."""
    if len(addresses) > MAX_ALERT_ADDRESSES:
        raise OperatorError(f"an endpoint has {MAX_ALERT_ADDRESSES} mail addresses at most")
    for address in addresses:
        if len(address) > MAX_ADDRESS or not MAIL_ADDRESS.fullmatch(address):
            raise OperatorError(f"{address} is not a mail address")
    endpoint = lock(uow, endpoint_id)
    changed = msgspec.structs.replace(endpoint, alert_addresses=tuple(addresses))
    uow.endpoints.save(changed)
    return changed


def rotate(uow: UnitOfWork, keys: KeyGenerator, endpoint_id: EndpointId) -> Endpoint:
    """Give an endpoint a new secret; the former one signs too for a day (Q89)."""
    endpoint = get(uow, endpoint_id)
    if endpoint.format is not EndpointFormat.STANDARD:
        raise OperatorError(
            "the format classin is signed with the secret of the school:"
            f" homeroom school rotate-secret {endpoint.school}"
        )
    rotated = msgspec.structs.replace(
        endpoint,
        secret=keys.webhook_secret(),
        former_secret=endpoint.secret,
        former_until=uow.now + OVERLAP_SECONDS,
    )
    uow.endpoints.save(rotated)
    return rotated


def remove(uow: UnitOfWork, endpoint_id: EndpointId) -> Endpoint:
    """Remove an endpoint, and drop what waits for it."""
    endpoint = lock(uow, endpoint_id)
    uow.endpoints.remove(endpoint_id)
    return endpoint


def check_url(url: str) -> str:
    """Return an address that messages can be sent to; raise `OperatorError` for another text."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > MAX_URL:
        raise OperatorError(
            "an endpoint is an http or https address, as https://school.example/hook"
        )
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise OperatorError("the address of an endpoint has no user, password or fragment")
    return url


def describe_failure(endpoint: Endpoint, result: AttemptResult) -> str:
    """Return why a test message was not acknowledged."""
    status = f", HTTP status {result.status}" if result.status is not None else ""
    answer = f", answer {result.answer!r}" if result.answer else ""
    url = endpoint.new_url or endpoint.url
    return f"{url} did not acknowledge the test message: {result.outcome}{status}{answer}"


def _check_kinds(kinds: Collection[str] | None) -> tuple[str, ...] | None:
    if not kinds:
        return None
    allowed = {name for kind, facts in KINDS.items() for name in (kind.value, str(facts.command))}
    for name in kinds:
        if name not in allowed:
            raise OperatorError(f"no message has the name or command {name!r}")
    return tuple(kinds)
