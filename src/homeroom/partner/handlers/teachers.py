"""Handlers of teachers."""

from collections.abc import Iterable
from typing import NamedTuple

from homeroom.base.ids import SchoolId
from homeroom.base.pictures import parse_picture
from homeroom.contract.errno import Errno
from homeroom.contract.results import EmptyResult
from homeroom.contract.teachers import AddedTeacher, AddTeacher, EditTeacher, TeacherParams
from homeroom.contract.upload import Upload
from homeroom.domain.accounts import AccountName, parse_account_name
from homeroom.domain.refusal import Refusal
from homeroom.partner.handlers.accounts import get_account_lock_key
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage, put_picture
from homeroom.usecases import teachers


def get_account_lock_keys(_school: SchoolId, params: TeacherParams) -> Iterable[str]:
    """Return the lock key of the account, whose registration must be finished."""
    account = params.teacher_account
    if account is None or params.teacher_uid is not None:
        return ()
    return (get_account_lock_key(account),)


class PreparedTeacher(NamedTuple):
    """The account of a new teacher, where it counts, and the name of the stored photo."""

    account: AccountName | None
    photo: str | None


def prepare_teacher(storage: Storage, params: AddTeacher) -> PreparedTeacher:
    """Parse the account, then save the photo."""
    account = prepare_account(storage, params)
    return PreparedTeacher(account, save_picture(storage, params.picture))


def save_picture(storage: Storage, upload: Upload | None) -> str | None:
    """Save a picture and return its path; raises `Refusal` for what is no picture."""
    if upload is None:
        return None
    picture = parse_picture(upload.open())
    if picture is None:
        raise Refusal(Errno.PICTURE_NOT_STORED, "Filedata must be a jpg, png or gif")
    return put_picture(storage, picture)


def try_to_save_picture(storage: Storage, upload: Upload | None) -> str | Refusal | None:
    """Save a picture and return its path, or the refusal of it, which is due after other checks."""
    try:
        return save_picture(storage, upload)
    except Refusal as refusal:
        return refusal


def add_teacher(call: CallContext[PreparedTeacher], params: AddTeacher) -> AddedTeacher:
    """Put a user on the school's list of teachers and return the id of that entry."""
    relation = teachers.add(
        call.uow,
        call.school,
        params.teacher_uid,
        call.prepared.account,
        params.teacher_name,
        call.prepared.photo,
    )
    return AddedTeacher(data=relation)


def prepare_photo(storage: Storage, params: EditTeacher) -> str | Refusal | None:
    """Save the new photo."""
    return try_to_save_picture(storage, params.picture)


def edit_teacher(call: CallContext[str | Refusal | None], params: EditTeacher) -> EmptyResult:
    """Rename a teacher, and replace the photo if there is a new one."""
    teachers.edit(call.uow, call.school, params.teacher_uid, params.teacher_name, call.prepared)
    return EmptyResult()


def stop_using_teacher(call: CallContext[AccountName | None], params: TeacherParams) -> EmptyResult:
    """Deactivate a teacher."""
    teachers.stop(call.uow, call.deps, call.school, params.teacher_uid, call.prepared)
    return EmptyResult()


def restart_using_teacher(
    call: CallContext[AccountName | None], params: TeacherParams
) -> EmptyResult:
    """Reactivate a teacher."""
    teachers.restart(call.uow, call.school, params.teacher_uid, call.prepared)
    return EmptyResult()


def prepare_account(_storage: Storage, params: TeacherParams) -> AccountName | None:
    """Parse the account where it counts; a range error stays what it is only in addTeacher."""
    if params.teacher_uid is not None or params.teacher_account is None:
        return None
    try:
        return parse_account_name(params.teacher_account, Errno.TEACHER_ACCOUNT_MALFORMED)
    except Refusal as refusal:
        if refusal.errno is Errno.PHONE_RANGE and not isinstance(params, AddTeacher):
            raise Refusal(Errno.TEACHER_ACCOUNT_MALFORMED, refusal.reason) from None
        raise
