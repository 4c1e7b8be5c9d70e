"""Teachers: wire to use case and back."""

from collections.abc import Iterable

from homeroom.base.ids import SchoolId
from homeroom.base.pictures import parse_picture
from homeroom.contract.errno import Errno
from homeroom.contract.teachers import AddTeacher, TeacherParams
from homeroom.contract.upload import Upload
from homeroom.domain.accounts import AccountName, parse_account_name
from homeroom.domain.refusal import Refusal
from homeroom.partner.answers import Answer
from homeroom.partner.handlers.accounts import account_key
from homeroom.partner.routes import CallContext
from homeroom.store.files import LocalStorage
from homeroom.usecases import teachers


def account_keys(_school: SchoolId, asked: TeacherParams) -> Iterable[str]:
    """Name the account that must not be in the middle of its registration."""
    given = asked.teacher_account
    return () if given is None or asked.teacher_uid is not None else (account_key(given),)


def prepare(files: LocalStorage, asked: AddTeacher) -> str | None:
    """Keep the photo."""
    _name(asked)
    return kept_picture(files, asked.picture)


def kept_picture(files: LocalStorage, given: Upload | None) -> str | None:
    """Keep a picture and return its path, or refuse what is none."""
    if given is None:
        return None
    shown = parse_picture(given.content)
    if shown is None:
        raise Refusal(Errno.PICTURE_NOT_STORED, "Filedata must be a jpg, png or gif")
    return files.keep_picture(shown)


def add_teacher(call: CallContext, asked: AddTeacher) -> Answer:
    """Serve addTeacher; the answer is the id of the relation, not the UID."""
    relation = teachers.add(
        call.uow, call.school, asked.teacher_uid, _name(asked), asked.teacher_name, call.prepared
    )
    return Answer(data=relation)


def stop_using_teacher(call: CallContext, asked: TeacherParams) -> Answer:
    """Serve stopUsingTeacher."""
    teachers.stop(call.uow, call.deps, call.school, asked.teacher_uid, _name(asked))
    return Answer()


def restart_using_teacher(call: CallContext, asked: TeacherParams) -> Answer:
    """Serve restartUsingTeacher."""
    teachers.restart(call.uow, call.school, asked.teacher_uid, _name(asked))
    return Answer()


def _name(asked: TeacherParams) -> AccountName | None:
    """Read the account where it counts; a bare range error stays what it is only for addTeacher."""
    if asked.teacher_uid is not None or asked.teacher_account is None:
        return None
    try:
        return parse_account_name(asked.teacher_account, Errno.TEACHER_ACCOUNT_MALFORMED)
    except Refusal as refusal:
        if refusal.errno is Errno.PHONE_RANGE and not isinstance(asked, AddTeacher):
            raise Refusal(Errno.TEACHER_ACCOUNT_MALFORMED, refusal.reason) from None
        raise
