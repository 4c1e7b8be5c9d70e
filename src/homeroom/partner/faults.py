"""Warnings that were asked for, made true: what they say was not done is not done."""

from typing import TypeVar

import msgspec

from homeroom.contract.errno import Errno
from homeroom.contract.params import Params

P = TypeVar("P", bound=Params)

RECORDING = frozenset({"record", "record_scene", "live", "replay"})
INTRODUCTION = frozenset({"class_introduce"})
UNSAVED = {
    Errno.ADDED_WITHOUT_RECORDING: RECORDING,
    Errno.ADDED_WITH_BAD_RECORDING: RECORDING,
    Errno.ADDED_WITHOUT_INTRODUCTION: INTRODUCTION,
    Errno.EDITED_WITHOUT_RECORDING: RECORDING,
    Errno.EDITED_WITH_BAD_RECORDING: RECORDING,
    Errno.EDITED_RECORDING_FROZEN: RECORDING,
    Errno.EDITED_WITHOUT_INTRODUCTION: INTRODUCTION,
    Errno.AVATAR_NOT_STORED: frozenset({"picture"}),
}
"""Parameters that count as not sent in a call that shall answer the warning."""


def drop_unsaved(asked: P, warning: Errno | None) -> P:
    """Return parameters without those that a warning says were not taken."""
    names = frozenset() if warning is None else UNSAVED.get(warning, frozenset())
    unsent = {
        field.name: field.default for field in msgspec.structs.fields(asked) if field.name in names
    }
    return msgspec.structs.replace(asked, **unsent) if unsent else asked
