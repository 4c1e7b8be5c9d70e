"""The base class of the bodies of messages: the fields of one kind, as they are sent."""

from typing import Any, ClassVar, Final

import msgspec

from homeroom.contract.messages.kinds import KINDS, MessageKind

FILE_ADDRESS: Final = "$file"
"""The value of a field that is sent as an address of the stored file of the message (Q97)."""
_types: Final[dict[MessageKind, type["MessageBody"]]] = {}


class MessageBody(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of one kind of message, without those of the envelope (Q45).

    A field is named as on the wire by `msgspec.field(name=...)`. One that may be missing has the
    type `... | msgspec.UnsetType` and the default `msgspec.UNSET`.
    """

    kind: ClassVar[MessageKind]

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401  passed through to Struct
        super().__init_subclass__(**options)
        if "kind" in cls.__dict__:
            _types[cls.kind] = cls

    @property
    def command(self) -> int | str:
        """The command of the message, `Cmd` on the wire."""
        return KINDS[self.kind].command


def find_body_type(kind: MessageKind) -> type[MessageBody] | None:
    """Return the type of the bodies of a kind, None if no imported module has it."""
    return _types.get(kind)
