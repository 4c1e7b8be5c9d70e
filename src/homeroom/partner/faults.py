"""Injected warnings: a parameter that the warning says was not saved is treated as not sent.

Refusals of entries are injected by the handlers of batches (`handlers/entries.py`): an entry that
is refused has no effect.
"""

from typing import TypeVar

import msgspec

from homeroom.contract.errno import Errno, Outcome
from homeroom.contract.params import Params
from homeroom.contract.results import Entry
from homeroom.partner.response import PartnerResponse
from homeroom.web.faults import Fault

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


def warn_in_entries(response: PartnerResponse, fault: Fault) -> PartnerResponse:
    """Return a response in which the entries that were done carry the warning of a fault."""
    errno, batch, entries = fault.errno, response.result, response.entries
    if errno is None or errno.outcome is not Outcome.WARNING or batch is None or entries is None:
        return response
    warned: list[Entry] = [
        msgspec.structs.replace(entry, errno=errno.number, error=errno.zh)
        if fault.applies_to(place) and entry.errno == Errno.DONE.number
        else entry
        for place, entry in enumerate(entries, 1)
    ]
    result = msgspec.structs.replace(batch, data=warned)
    return msgspec.structs.replace(response, result=result)
