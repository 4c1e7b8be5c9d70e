"""Writes the page of all kinds of messages from the types of their bodies."""

import json
from collections.abc import Iterator
from typing import Final

import msgspec
from markdown import NOTICE, table
from meanings import read_meanings
from msgspec import inspect as types

from homeroom.contract.messages.body import FILE_ADDRESS, find_body_type
from homeroom.contract.messages.catalogue import build_default_body
from homeroom.contract.messages.kinds import KINDS, MessageKind, MessageSource

_SOURCES: Final = {
    MessageSource.NATURAL: "an ordinary act",
    MessageSource.CLASSROOM: "an act in a classroom, rehearsed by the sandbox",
    MessageSource.SANDBOX: "only on request",
}
_NAMES: Final[dict[type, str]] = {
    types.IntType: "int",
    types.FloatType: "float",
    types.StrType: "str",
    types.BoolType: "bool",
    types.NoneType: "null",
    types.AnyType: "any",
    types.StructType: "object",
    types.DictType: "object",
    types.ListType: "list",
}
_MARKS: Final = {FILE_ADDRESS: "https://...", "$uuid": "a UUID of the message"}


def message_page() -> str:
    """Return the page: the envelope, a table of all kinds, and the fields of each."""
    kinds = [
        (f"[{kind}](#{kind})", f"`{facts.command}`", facts.stream, _SOURCES[facts.source])
        for kind, facts in KINDS.items()
    ]
    return "".join(
        [
            f"# Messages\n\n{NOTICE}",
            (
                "What a school's [endpoints](../guides/messages.md) are sent: "
                f"{len(KINDS)} kinds of messages. Every message has the fields of its kind and "
                "those of the envelope:\n\n"
            ),
            table(
                ("field", "meaning"),
                (
                    ("`SID`", "the school"),
                    ("`Cmd`", "the command; five kinds share 67375105 and differ in `Color`"),
                    ("`CourseID`, `ClassID`", "where the message is about a course or a class"),
                    ("`ActionTime`", "when it happened, in seconds"),
                    ("`SourceUID`", "the acting person, 0 for the service; not of all kinds"),
                    (
                        "`TargetUID`",
                        "the other person, 0 for everybody in the room; not of all kinds",
                    ),
                    ("`TimeStamp`", "when this attempt was made, in seconds"),
                    ("`SafeKey`", "md5(SECRET + TimeStamp), in the format `classin`"),
                    ("`_id`", "the same at each attempt: skip a message that came before"),
                ),
            ),
            "\nThe order is kept within a stream; if an endpoint says so, in the school.\n\n",
            table(("kind", "`Cmd`", "stream", "sent after"), kinds),
            *(_describe(kind) for kind in KINDS),
        ]
    )


def _describe(kind: MessageKind) -> str:
    facts, body_type = KINDS[kind], find_body_type(kind)
    assert body_type is not None  # noqa: S101  for the type checker
    example = json.dumps({"Cmd": facts.command, **(build_default_body(kind) or {})}, indent=2)
    for mark, value in _MARKS.items():
        example = example.replace(mark, value)
    rows = _list_fields(types.type_info(body_type), "")
    return (
        f"\n## {kind}\n\nSent when {facts.description}. Cause here: {facts.cause}.\n\n"
        + table(("field", "type", "meaning"), rows)
        + f"\n```json\n{example}\n```\n"
    )


def _list_fields(info: types.Type, prefix: str) -> Iterator[tuple[str, str, str]]:
    """Yield the fields of a type, those of its parts behind their own."""
    match info:
        case types.Metadata():
            yield from _list_fields(info.type, prefix)
        case types.UnionType():
            for each in info.types:
                yield from _list_fields(each, prefix)
        case types.ListType():
            yield from _list_fields(info.item_type, f"{prefix.removesuffix('.')}[].")
        case types.DictType():
            yield from _list_fields(info.value_type, f"{prefix}*.")
        case types.StructType():
            meanings = read_meanings(info.cls)
            for field in info.fields:
                name = f"{prefix}{field.encode_name}"
                optional = ", may be missing" if field.default is msgspec.UNSET else ""
                meaning = meanings.get(field.name, "")
                yield f"`{name}`", f"{_name_type(field.type)}{optional}", meaning
                yield from _list_fields(field.type, f"{name}.")


def _name_type(info: types.Type) -> str:
    match info:
        case types.Metadata():
            return _name_type(info.type)
        case types.UnionType():
            names = [_name_type(each) for each in info.types]
            return " or ".join(dict.fromkeys(name for name in names if name))
        case types.EnumType():
            members = ", ".join(f"{each.value} {_spell(each.name)}" for each in info.cls)
            return f"{type(next(iter(info.cls)).value).__name__}: {members}"
        case types.ListType():
            return f"list of {_name_type(info.item_type)}"
    return _NAMES.get(type(info), "")


def _spell(name: str) -> str:
    return name.lower().replace("_", " ")
