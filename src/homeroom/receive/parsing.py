"""Parsing of messages: from the body of a request to its envelope and its typed fields."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

import msgspec

from homeroom.base.clock import Moment
from homeroom.contract import messages
from homeroom.contract.messages.body import MessageBody, find_body_type
from homeroom.contract.messages.kinds import KINDS, MessageKind
from homeroom.receive.verification import MessageFormatError

TEST_COMMAND: Final = "Test"


class _Envelope(msgspec.Struct):
    school: int = msgspec.field(name="SID")
    command: int | str = msgspec.field(name="Cmd")
    sent_at: int = msgspec.field(name="TimeStamp")
    id: str = msgspec.field(name="_id", default="")


class ReceivedMessage(msgspec.Struct, frozen=True):
    """A message as a receiver reads it."""

    id: str
    """The same at each attempt: skip a message whose id you have. Empty in the test message."""
    school: int
    command: int | str
    """`Cmd` on the wire."""
    sent_at: Moment
    is_test: bool
    """Whether it tests the address: acknowledge it, there is nothing else to do."""
    body: MessageBody | None
    """The typed fields; None if no known kind has this command and these fields."""
    fields: dict[str, Any]
    """All fields, by their names on the wire."""

    @property
    def kind(self) -> MessageKind | None:
        """The kind of the message, None if it is not known."""
        return self.body.kind if self.body is not None else None


def parse(content: bytes) -> ReceivedMessage:
    """Read a message; verify it first.

    A message of an unknown kind is no error: it has all its `fields`, and should be acknowledged.
    Raises `MessageFormatError` if the bytes are no message.
    """
    try:
        envelope = msgspec.json.decode(content, type=_Envelope)
        fields: dict[str, Any] = msgspec.json.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MessageFormatError(f"the body is no message: {error}") from error
    return ReceivedMessage(
        envelope.id,
        envelope.school,
        envelope.command,
        envelope.sent_at,
        envelope.command == TEST_COMMAND,
        _read_body(envelope.command, fields),
        fields,
    )


def _read_body(command: int | str, fields: dict[str, Any]) -> MessageBody | None:
    """Return the typed fields: of the kind whose type has most of them, if several share it."""
    bodies: list[MessageBody] = []
    for body_type in _list_body_types().get(command, ()):
        try:
            bodies.append(msgspec.convert(fields, body_type))
        except msgspec.ValidationError:
            continue
    return max(bodies, key=lambda body: len(body.__struct_fields__), default=None)


@cache
def _list_body_types() -> dict[int | str, list[type[MessageBody]]]:
    """Return the types of bodies by their command."""
    for module in iter_modules(messages.__path__):
        import_module(f"{messages.__name__}.{module.name}")
    types: dict[int | str, list[type[MessageBody]]] = {}
    for kind, facts in KINDS.items():
        body_type = find_body_type(kind)
        if body_type is not None:
            types.setdefault(facts.command, []).append(body_type)
    return types
