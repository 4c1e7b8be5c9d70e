"""The bodies of the messages about accounts and files of a school."""

from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType, field

from homeroom.base.clock import Moment
from homeroom.base.ids import FileId, UserId
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.kinds import MessageKind

CANCELLED = 255
"""`AccountStatus` of a cancelled account."""
CONVERTED = 2
"""`Result` of a file that can be used."""


class AccountCancelled(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """An account was cancelled; its UID cannot be used again."""

    kind: ClassVar[MessageKind] = MessageKind.ACCOUNT_CANCELLED

    user: UserId = field(name="UID")
    cancellation_time: Moment
    account_status: int = CANCELLED


class PhoneChanged(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """The telephone number of an account changed; its UID stays."""

    kind: ClassVar[MessageKind] = MessageKind.PHONE_CHANGED

    user: UserId = field(name="UID")
    replace_time: Moment
    telephone: str
    email: str | UnsetType = UNSET


class SubAccountSet(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A sub-account of the school was added or changed."""

    kind: ClassVar[MessageKind] = MessageKind.SUB_ACCOUNT_SET

    user: UserId = field(name="UID")
    telephone: str
    """Empty for an account with an e-mail address alone."""
    email: str | UnsetType = UNSET
    remark_name: str
    permission_list: str
    """Codes of pages, separated by commas."""
    set_time: Moment


class ConvertedFile(msgspec.Struct, frozen=True, rename="camel"):
    """A file that was uploaded."""

    add_time: Moment
    change_time: Moment
    file_name: str


class FileConverted(MessageBody, frozen=True, kw_only=True, rename="pascal"):
    """A file that the school uploaded can be used."""

    kind: ClassVar[MessageKind] = MessageKind.FILE_CONVERTED

    file: FileId = field(name="FileID")
    result: int = CONVERTED
    data: ConvertedFile
