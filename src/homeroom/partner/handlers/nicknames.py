"""Handler of the nicknames of students in their courses."""

from homeroom.contract.nicknames import (
    ModifiedNicknames,
    ModifyCourseStudentNickName,
    NicknameEntry,
)
from homeroom.partner.handlers.entries import get_errno, note_reasons, refuse_faulty
from homeroom.partner.routes import CallContext
from homeroom.usecases import nicknames


def modify_course_student_nick_name(
    call: CallContext[None], params: ModifyCourseStudentNickName
) -> ModifiedNicknames:
    """Copy the school's names of students into their nicknames."""
    requests = refuse_faulty(call, params.student_uids)
    verdicts = nicknames.sync(call.uow, call.school, requests)
    note_reasons(call.reasons, verdicts)
    errnos = map(get_errno, verdicts)
    return ModifiedNicknames(
        data=[
            NicknameEntry(student_uid=uid, code=errno.number, msg=errno.zh)
            for uid, errno in zip(params.student_uids, errnos, strict=True)
        ]
    )
