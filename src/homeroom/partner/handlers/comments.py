"""Handlers of comments."""

from msgspec import UNSET, UnsetType

from homeroom.base.pauses import pause_between
from homeroom.contract.comments import (
    CommentEntry,
    CommentResult,
    CommentResults,
    UpdateClassStudentComment,
)
from homeroom.contract.errno import Errno
from homeroom.contract.lists import InvalidEntry
from homeroom.domain.refusal import Refusal
from homeroom.partner.handlers.entries import get_errno, note_reasons, refuse_faulty
from homeroom.partner.handlers.rosters import parse_person
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.usecases import comments
from homeroom.usecases.comments import CommentRequest


def prepare_comments(
    _storage: Storage, params: UpdateClassStudentComment
) -> list[CommentRequest | Refusal]:
    """Parse the students: a thousand e-mail addresses can take seconds."""
    return [_parse_comment(entry) for entry in pause_between(params.comments)]


def _parse_comment(entry: CommentEntry | InvalidEntry) -> CommentRequest | Refusal:
    if isinstance(entry, InvalidEntry):
        return Refusal(Errno.BAD_DATA, entry.reason)
    student = parse_person(entry.student_uid or entry.student_account or "", Errno.BAD_DATA)
    if isinstance(student, Refusal):
        return student
    return CommentRequest(student, entry.stars, entry.comment)


def update_class_student_comment(
    call: CallContext[list[CommentRequest | Refusal]], params: UpdateClassStudentComment
) -> CommentResults:
    """Save comments; each result names its student as its entry does."""
    requests = refuse_faulty(call, call.prepared)
    verdicts = comments.save(call.uow, call.school, params.class_id, requests)
    note_reasons(call.reasons, verdicts)
    return CommentResults(
        data=[
            _make_result(entry, get_errno(verdict))
            for entry, verdict in zip(params.comments, verdicts, strict=True)
        ]
    )


def _make_result(entry: CommentEntry | InvalidEntry, errno: Errno) -> CommentResult:
    if isinstance(entry, CommentEntry):
        uid, account = _echo(entry.student_uid), _echo(entry.student_account)
    else:
        uid, account = (
            _echo(entry.get_value("studentUid")),
            _echo(entry.get_value("studentAccount")),
        )
    return CommentResult(
        student_uid=uid,
        student_account=account if uid is UNSET else UNSET,
        custom_column=entry.custom_column if entry.custom_column is not None else UNSET,
        errno=errno.number,
        error=errno.zh,
    )


def _echo(value: object) -> str | UnsetType:
    """Return a UID or an account as text, as far as the entry has it."""
    return str(value) if isinstance(value, int | str) and value else UNSET
