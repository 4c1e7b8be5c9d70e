"""Handlers of accounts and school students."""

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import UNSET

from homeroom.base.ids import SchoolId, UserId
from homeroom.base.keys import KeyGenerator
from homeroom.base.passwords import hash_password
from homeroom.base.pictures import Picture, parse_picture
from homeroom.contract.accounts import (
    AccountParams,
    AddSchoolStudent,
    EditSchoolStudent,
    ModifyPassword,
    Register,
    RegisteredEntry,
    RegisteredUser,
    RegisteredUsers,
    RegisterMultiple,
    UserParams,
)
from homeroom.contract.errno import Errno
from homeroom.contract.results import EmptyResult
from homeroom.contract.upload import Upload
from homeroom.domain.accounts import (
    AccountName,
    check_password,
    parse_account_name,
    parse_email,
    parse_telephone,
)
from homeroom.domain.refusal import Refusal
from homeroom.partner.handlers.entries import note_reasons, refuse_faulty
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage, put_picture
from homeroom.usecases import accounts
from homeroom.usecases.accounts import NewAccountRequest, RegisteredAccount

AVATAR_PIXELS = 300
MAX_AVATAR_BYTES = 1024 * 1024
MAX_REGISTERED = 10


def get_lock_keys(_school: SchoolId, params: AccountParams) -> Iterable[str]:
    """Return the lock key of the account to register; accounts are one for all schools."""
    account = params.telephone or params.email
    return (get_account_lock_key(account),) if account is not None else ()


def get_all_lock_keys(school: SchoolId, params: RegisterMultiple) -> Iterable[str]:
    """Return the lock keys of all accounts to register."""
    return (key for user in params.users for key in get_lock_keys(school, user))


def get_account_lock_key(account: str) -> str:
    """Return the lock key of an account."""
    return f"account {account.lower()}"


def prepare_registration(storage: Storage, params: Register) -> NewAccountRequest:
    """Check a registration as far as that needs no database, and hash the password."""
    name = _parse_name(params)
    check_password(params.password)
    picture = _check_avatar(params.picture)
    if params.is_sent_message and params.add_to_school_member == 0:
        raise Refusal(Errno.NO_MESSAGE_POSSIBLE, "isSentMessage needs addToSchoolMember 1 or 2")
    avatar = put_picture(storage, picture) if picture is not None else None
    password, md5pass = params.password, params.md5pass
    if params.is_sent_message:
        password, md5pass = password or KeyGenerator().password(), None
    return NewAccountRequest(
        name,
        params.nickname,
        hash_password(password, md5pass),
        params.add_to_school_member,
        avatar,
        changes_registered=not params.is_sent_message,
    )


def parse_person(
    uid: UserId | None, account: str | None, malformed: Errno
) -> UserId | AccountName | Refusal:
    """Return a UID, or else parse an account; whatever is wrong with it has one errno."""
    if uid is not None:
        return uid
    try:
        return parse_account_name(account or "", malformed)
    except Refusal as refusal:
        return Refusal(malformed, refusal.reason)


def register(call: CallContext[NewAccountRequest], _params: Register) -> RegisteredUser:
    """Register a user and return the UID."""
    registered = accounts.register(call.uow, call.school, call.prepared)
    for errno in registered.warnings:
        call.uow.warn(errno)
    return RegisteredUser(data=registered.user)


def prepare_registrations(
    _storage: Storage, params: RegisterMultiple
) -> list[NewAccountRequest | Refusal]:
    """Check registrations as far as that needs no database, and hash the passwords."""
    if len(params.users) > MAX_REGISTERED:
        raise Refusal(Errno.TOO_MANY_ENTRIES, f"at most {MAX_REGISTERED} accounts a call")
    if params.picture is not None:
        raise Refusal(Errno.PICTURE_TYPE, "registerMultiple takes no picture")
    prepared: list[NewAccountRequest | Refusal] = []
    for user in params.users:
        try:
            name = _parse_name(user)
            check_password(user.password)
            password_hash = hash_password(user.password, user.md5pass)
            prepared.append(
                NewAccountRequest(name, user.nickname, password_hash, user.add_to_school_member)
            )
        except Refusal as refusal:
            prepared.append(refusal)
    return prepared


def register_multiple(
    call: CallContext[list[NewAccountRequest | Refusal]], params: RegisterMultiple
) -> RegisteredUsers:
    """Register users and return a result for each."""
    registrations = [
        Refusal(Errno.REGISTRATION_FAILED, "another registration of the account is unfinished")
        if isinstance(prepared, NewAccountRequest)
        and call.busy_keys.intersection(get_lock_keys(call.school, user))
        else prepared
        for user, prepared in zip(params.users, call.prepared, strict=True)
    ]
    outcomes = accounts.register_many(call.uow, call.school, refuse_faulty(call, registrations))
    results = []
    for user, outcome in zip(params.users, outcomes, strict=True):
        if isinstance(outcome, Refusal):
            errno = outcome.errno
        else:
            errno = next(iter(outcome.warnings), Errno.DONE)
        results.append(
            RegisteredEntry(
                data=outcome.user if isinstance(outcome, RegisteredAccount) else UNSET,
                telephone=user.telephone or "",
                custom_column=user.custom_column if user.custom_column is not None else UNSET,
                errno=errno.number,
                error=errno.zh,
            )
        )
    note_reasons(
        call.reasons, [outcome if isinstance(outcome, Refusal) else None for outcome in outcomes]
    )
    return RegisteredUsers(data=results)


def prepare_student(_storage: Storage, params: AddSchoolStudent) -> AccountName | None:
    """Parse the account where it counts."""
    if params.student_uid is not None or params.student_account is None:
        return None
    return parse_account_name(params.student_account)


def add_school_student(
    call: CallContext[AccountName | None], params: AddSchoolStudent
) -> EmptyResult:
    """Put a user on the school's list of students."""
    accounts.add_school_student(
        call.uow, call.school, params.student_uid, call.prepared, params.student_name
    )
    return EmptyResult()


def edit_school_student(call: CallContext[None], params: EditSchoolStudent) -> EmptyResult:
    """Rename a student of the school."""
    accounts.rename_school_student(call.uow, call.school, params.student_uid, params.student_name)
    return EmptyResult()


class PreparedPassword(NamedTuple):
    """The account whose password changes, where no UID was sent, and the hash of the new one."""

    account: AccountName | None
    password_hash: str


def prepare_password(_storage: Storage, params: ModifyPassword) -> PreparedPassword:
    """Parse the account, and hash the password."""
    account = parse_legacy_telephone(params)
    check_password(params.password)
    return PreparedPassword(account, hash_password(params.password, params.md5pass))


def modify_password(call: CallContext[PreparedPassword], params: ModifyPassword) -> EmptyResult:
    """Set the password of a user for the pages of the school."""
    account, password_hash = call.prepared
    accounts.change_password(call.uow, call.school, params.uid, account, password_hash)
    return EmptyResult()


def parse_legacy_telephone(params: UserParams) -> AccountName | None:
    """Parse the telephone number where no UID was sent; whatever is wrong has one errno."""
    if params.uid is not None or params.telephone is None:
        return None
    try:
        return parse_telephone(params.telephone)
    except Refusal as refusal:
        raise Refusal(Errno.PHONE_MALFORMED, refusal.reason) from None


def _parse_name(params: AccountParams) -> AccountName:
    if params.telephone is not None:
        return parse_telephone(params.telephone)
    return parse_email(params.email or "", Errno.PHONE_MALFORMED)


def _check_avatar(upload: Upload | None) -> Picture | None:
    if upload is None:
        return None
    if upload.size > MAX_AVATAR_BYTES:
        raise Refusal(Errno.PICTURE_TOO_LARGE)
    picture = parse_picture(upload.open())
    if picture is None:
        raise Refusal(Errno.PICTURE_TYPE, "the picture must be a jpg, png or gif")
    if (picture.width, picture.height) != (AVATAR_PIXELS, AVATAR_PIXELS):
        raise Refusal(Errno.PICTURE_DIMENSIONS, f"the picture is {picture.width}x{picture.height}")
    return picture
