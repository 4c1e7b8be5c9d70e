"""The audit trail: the acts of operators, and what is masked in them."""

from collections.abc import Mapping
from enum import StrEnum

from homeroom.base.clock import YEAR, Moment
from homeroom.base.ids import SchoolId, TokenId, UserId
from homeroom.base.masking import MASK, mask_accounts
from homeroom.base.values import Value

AUDIT_SECONDS = YEAR
"""Seconds for which an entry is kept; the database refuses to delete it earlier."""
MAX_ARGUMENT_LENGTH = 200
SECRET_WORDS = frozenset({"password", "secret", "token", "key", "address", "url"})
"""Words in the name of a text that may be a secret."""


class AuditKind(StrEnum):
    """The way in which an operator acted."""

    COMMAND = "command"
    REQUEST = "request"


class AuditOutcome(StrEnum):
    """The end of an act."""

    DONE = "done"
    REFUSED = "refused"


class AuditActor(Value, frozen=True):
    """The operator: a user of an operating system, or a bearer token; None is erased."""

    name: str | None = None
    """Name of the user of the operating system."""
    uid: int | None = None
    """Number of that user."""
    origin: str | None = None
    """Name of the machine, or the address of the client."""
    token: TokenId | None = None


class NewAuditEntry(Value, frozen=True):
    """An act of an operator."""

    at: Moment
    """By the machine's clock; that of a sandbox can be moved."""
    kind: AuditKind
    act: str
    """The command (`school set`) or the request (`POST /sandbox/clock`)."""
    actor: AuditActor
    arguments: str | None
    """JSON, with secrets and accounts masked; None is erased."""
    school: SchoolId | None = None
    user: UserId | None = None
    """The account that the act is about."""
    outcome: AuditOutcome = AuditOutcome.DONE
    reason: str | None = None


class AuditEntry(Value, frozen=True):
    """An act of an operator, and its number."""

    id: int
    entry: NewAuditEntry


def mask_arguments(arguments: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments of an act without secrets, with accounts masked and long text cut."""
    return {name: _mask_argument(name, value) for name, value in arguments.items()}


def _mask_argument(name: str, value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case list() | tuple():
            return [_mask_argument(name, item) for item in value]
        case dict():
            return mask_arguments(value)
    if SECRET_WORDS & set(name.lower().split("_")):
        return MASK
    return mask_text(str(value))


def mask_text(text: str) -> str:
    """Return a text that can be stored, with accounts masked."""
    # A lone surrogate, as of an argument that is not UTF-8, cannot be stored.
    storable = text.encode(errors="replace").decode().replace("\0", "?")
    return mask_accounts(storable)[:MAX_ARGUMENT_LENGTH]
