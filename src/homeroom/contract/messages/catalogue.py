"""The bodies of all kinds of messages, with default values for a message on request (Q101)."""

from typing import Any

import msgspec
from msgspec import inspect

from homeroom.contract.messages import (
    classroom,
    lms,
    people,
    recordings,
    room,
    schedule,
    summary,
    viewers,
)
from homeroom.contract.messages.body import MessageBody, find_body_type
from homeroom.contract.messages.kinds import MessageKind

MODULES = (classroom, lms, people, recordings, room, schedule, summary, viewers)
"""The modules of bodies; importing them is what `find_body_type` needs."""
_EMPTY: dict[type, Any] = {
    inspect.IntType: 0,
    inspect.FloatType: 0.0,
    inspect.StrType: "",
    inspect.BoolType: False,
    inspect.NoneType: None,
}


def build_default_body(kind: MessageKind) -> dict[str, Any] | None:
    """Return a body of a kind with a plausible value in each field, None for an unknown kind.

    The keys are those of the wire. Fields that may be missing are.
    """
    body_type = find_body_type(kind)
    if body_type is None:
        return None
    body = _build(inspect.type_info(body_type))
    if kind is MessageKind.NETWORK_REPORT:
        body["Data"] = dict(classroom.NETWORK_DEFAULTS)
    return dict(body)


def parse_body(kind: MessageKind, fields: dict[str, Any]) -> MessageBody:
    """Return a body by its fields; raises `msgspec.ValidationError` where one has another type.

    Raises `LookupError` for a kind whose bodies have no type.
    """
    body_type = find_body_type(kind)
    if body_type is None:
        raise LookupError(kind)
    return msgspec.convert(fields, body_type)


def _build(info: inspect.Type) -> Any:  # noqa: ANN401  any JSON
    value: Any = _EMPTY.get(type(info))
    match info:
        case inspect.Metadata():
            value = _build(info.type)
        case inspect.StructType():
            value = {
                field.encode_name: _build_field(field)
                for field in info.fields
                if field.default is not msgspec.UNSET
            }
        case inspect.UnionType():
            value = _build(info.types[0])
        case inspect.ListType() | inspect.VarTupleType():
            value = []
        case inspect.DictType():
            value = {}
        case inspect.EnumType():
            value = next(iter(info.cls)).value
    return value


def _build_field(field: inspect.Field) -> Any:  # noqa: ANN401  any JSON
    if field.default is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.to_builtins(field.default_factory())
    return _build(field.type)
