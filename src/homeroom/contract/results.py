"""Results of actions: the values that an answer carries in addition to its errno.

A field of a result is a key of the answer on either wire. An optional field that is UNSET is left
out of the answer.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, UnsetType

TextId = Annotated[str, Meta(pattern="^[0-9]+$")]
"""An id that travels as text (READINGS Q34)."""
CustomColumn = Annotated[
    str | UnsetType, Meta(description="The caller's own tag; absent where none was sent.")
]
EntryErrno = Annotated[int, Meta(description="How the entry ended; 1 is done.")]
EntryError = Annotated[str, Meta(description="The label of the errno.")]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all results."""


class EmptyResult(Result, frozen=True, kw_only=True):
    """Result of an action that answers nothing but its errno."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of the entries of a batch: each has `errno` and `error`, on v2 `code` and `msg`."""


class PlainEntry(Entry, frozen=True, kw_only=True):
    """Entry of a batch that answers nothing but an errno."""

    errno: EntryErrno
    error: EntryError


class CodedEntry(Entry, frozen=True, kw_only=True):
    """Entry of a batch of the v2 wire."""

    code: EntryErrno
    msg: EntryError


class LiveInfo(msgspec.Struct, frozen=True, kw_only=True, rename="upper"):
    """Pull addresses of the live stream of a class; empty texts without a stream."""

    rtmp: str
    hls: str
    flv: str


class LiveAddresses(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses under which a class is watched, always in the same shape (READINGS Q9)."""

    live_url: Annotated[
        str, Meta(description="The page of the class; empty where it is not recorded.")
    ]
    live_info: Annotated[LiveInfo, Meta(description="The pull addresses of the live stream.")]
