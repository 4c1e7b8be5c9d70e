"""Accounts and school students: wire to use case and back."""

from collections.abc import Iterable

from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.passwords import hash_password
from homeroom.base.pictures import Picture, parse_picture
from homeroom.contract.accounts import (
    AccountParams,
    AddSchoolStudent,
    Register,
    RegisterMultiple,
)
from homeroom.contract.errno import Errno
from homeroom.contract.upload import Upload
from homeroom.domain.accounts import (
    AccountName,
    check_password,
    parse_account_name,
    parse_email,
    parse_telephone,
)
from homeroom.domain.refusal import Refusal
from homeroom.partner.response import PartnerResponse, entry, summarize_refusals
from homeroom.partner.routes import CallContext
from homeroom.store.files import LocalStorage
from homeroom.usecases import accounts
from homeroom.usecases.accounts import NewAccountRequest, RegisteredAccount

AVATAR_SIDE = 300
AVATAR_BYTES = 1024 * 1024
MAX_REGISTERED = 10


def get_lock_keys(_school: SchoolId, params: AccountParams) -> Iterable[str]:
    """Name the account that is being registered; it is one for all schools."""
    given = params.telephone or params.email
    return () if given is None else (get_account_lock_key(given),)


def get_all_lock_keys(school: SchoolId, params: RegisterMultiple) -> Iterable[str]:
    """Name the accounts that are being registered."""
    return (key for user in params.users for key in get_lock_keys(school, user))


def get_account_lock_key(given: str) -> str:
    """Name an account for the turnstile."""
    return f"account {given.lower()}"


def prepare_registration(files: LocalStorage, params: Register) -> NewAccountRequest:
    """Check what needs no database, and hash the password."""
    name = _name(params)
    check_password(params.password)
    shown = _avatar(params.picture)
    if params.is_sent_message and params.add_to_school_member == 0:
        raise Refusal(Errno.NO_MESSAGE_POSSIBLE, "isSentMessage needs addToSchoolMember 1 or 2")
    avatar = None if shown is None else files.keep_picture(shown)
    password, md5pass = params.password, params.md5pass
    if params.is_sent_message:
        password, md5pass = password or KeyGenerator().password(), None
    return NewAccountRequest(
        name,
        params.nickname,
        hash_password(password, md5pass),
        params.add_to_school_member,
        avatar,
        joins_if_registered=not params.is_sent_message,
    )


def register(call: CallContext, _params: Register) -> PartnerResponse:
    """Serve register."""
    done = accounts.register(call.uow, call.school, call.prepared)
    for errno in done.warnings:
        call.uow.warn(errno)
    return PartnerResponse(data=done.user)


def prepare_registrations(
    _files: LocalStorage, params: RegisterMultiple
) -> list[NewAccountRequest | Refusal]:
    """Check what needs no database, and hash the passwords."""
    if len(params.users) > MAX_REGISTERED:
        raise Refusal(Errno.TOO_MANY_ENTRIES, f"at most {MAX_REGISTERED} accounts a call")
    if params.picture is not None:
        raise Refusal(Errno.PICTURE_TYPE, "registerMultiple takes no picture")
    prepared: list[NewAccountRequest | Refusal] = []
    for user in params.users:
        try:
            name = _name(user)
            check_password(user.password)
            password_hash = hash_password(user.password, user.md5pass)
            prepared.append(
                NewAccountRequest(name, user.nickname, password_hash, user.add_to_school_member)
            )
        except Refusal as refusal:
            prepared.append(refusal)
    return prepared


def register_multiple(call: CallContext, params: RegisterMultiple) -> PartnerResponse:
    """Serve registerMultiple."""
    wanted = [
        Refusal(Errno.REGISTRATION_FAILED, "another registration of the account is unfinished")
        if isinstance(prepared, NewAccountRequest)
        and call.busy_keys.intersection(get_lock_keys(call.school, user))
        else prepared
        for user, prepared in zip(params.users, call.prepared, strict=True)
    ]
    results = accounts.register_many(call.uow, call.school, wanted)
    entries = []
    for user, result in zip(params.users, results, strict=True):
        uid = result.user if isinstance(result, RegisteredAccount) else None
        verdict = result if isinstance(result, Refusal) else next(iter(result.warnings), None)
        entries.append(
            entry(
                verdict,
                data=uid,
                telephone=user.telephone or "",
                customColumn=user.custom_column,
            )
        )
    refusals = [result if isinstance(result, Refusal) else None for result in results]
    return PartnerResponse(data=entries, reason=summarize_refusals(refusals))


def add_school_student(call: CallContext, params: AddSchoolStudent) -> PartnerResponse:
    """Serve addSchoolStudent."""
    name = None
    if params.student_uid is None and params.student_account is not None:
        name = parse_account_name(params.student_account)
    accounts.add_school_student(
        call.uow, call.school, params.student_uid, name, params.student_name
    )
    return PartnerResponse()


def _name(params: AccountParams) -> AccountName:
    if params.telephone is not None:
        return parse_telephone(params.telephone)
    return parse_email(params.email or "", Errno.PHONE_MALFORMED)


def _avatar(given: Upload | None) -> Picture | None:
    if given is None:
        return None
    if len(given.content) > AVATAR_BYTES:
        raise Refusal(Errno.PICTURE_TOO_LARGE)
    shown = parse_picture(given.content)
    if shown is None:
        raise Refusal(Errno.PICTURE_TYPE, "the picture must be a jpg, png or gif")
    if (shown.width, shown.height) != (AVATAR_SIDE, AVATAR_SIDE):
        raise Refusal(Errno.PICTURE_DIMENSIONS, f"the picture is {shown.width}x{shown.height}")
    return shown
