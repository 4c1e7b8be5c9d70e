"""Injected warnings: a parameter that the warning says was not saved is treated as not sent."""

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
"""The parameters that each warning says were not saved."""


def drop_unsaved(params: P, warning: Errno | None) -> P:
    """Return the parameters without those that a warning says were not saved."""
    names = UNSAVED.get(warning, frozenset()) if warning is not None else frozenset()
    defaults = {
        field.name: field.default for field in msgspec.structs.fields(params) if field.name in names
    }
    return msgspec.structs.replace(params, **defaults) if defaults else params
