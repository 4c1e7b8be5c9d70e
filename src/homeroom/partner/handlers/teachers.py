"""Teachers: wire to use case and back."""

from collections.abc import Iterable

from homeroom.base.ids import SchoolId
from homeroom.base.pictures import parse_picture
from homeroom.contract.errno import Errno
from homeroom.contract.teachers import AddTeacher, TeacherParams
from homeroom.contract.upload import Upload
from homeroom.domain.accounts import AccountName, parse_account_name
from homeroom.domain.refusal import Refusal
from homeroom.partner.handlers.accounts import get_account_lock_key
from homeroom.partner.response import PartnerResponse
from homeroom.partner.routes import CallContext
from homeroom.store.files import LocalStorage
from homeroom.usecases import teachers


def get_account_lock_keys(_school: SchoolId, params: TeacherParams) -> Iterable[str]:
    """Name the account that must not be in the middle of its registration."""
    given = params.teacher_account
    return () if given is None or params.teacher_uid is not None else (get_account_lock_key(given),)


def prepare_photo(files: LocalStorage, params: AddTeacher) -> str | None:
    """Keep the photo."""
    _name(params)
    return save_picture(files, params.picture)


def save_picture(files: LocalStorage, given: Upload | None) -> str | None:
    """Keep a picture and return its path, or refuse what is none."""
    if given is None:
        return None
    shown = parse_picture(given.content)
    if shown is None:
        raise Refusal(Errno.PICTURE_NOT_STORED, "Filedata must be a jpg, png or gif")
    return files.keep_picture(shown)


def add_teacher(call: CallContext, params: AddTeacher) -> PartnerResponse:
    """Serve addTeacher; the answer is the id of the relation, not the UID."""
    relation = teachers.add(
        call.uow, call.school, params.teacher_uid, _name(params), params.teacher_name, call.prepared
    )
    return PartnerResponse(data=relation)


def stop_using_teacher(call: CallContext, params: TeacherParams) -> PartnerResponse:
    """Serve stopUsingTeacher."""
    teachers.stop(call.uow, call.deps, call.school, params.teacher_uid, _name(params))
    return PartnerResponse()


def restart_using_teacher(call: CallContext, params: TeacherParams) -> PartnerResponse:
    """Serve restartUsingTeacher."""
    teachers.restart(call.uow, call.school, params.teacher_uid, _name(params))
    return PartnerResponse()


def _name(params: TeacherParams) -> AccountName | None:
    """Read the account where it counts; a bare range error stays what it is only for addTeacher."""
    if params.teacher_uid is not None or params.teacher_account is None:
        return None
    try:
        return parse_account_name(params.teacher_account, Errno.TEACHER_ACCOUNT_MALFORMED)
    except Refusal as refusal:
        if refusal.errno is Errno.PHONE_RANGE and not isinstance(params, AddTeacher):
            raise Refusal(Errno.TEACHER_ACCOUNT_MALFORMED, refusal.reason) from None
        raise
