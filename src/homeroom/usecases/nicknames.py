"""Nicknames of students in their courses."""

from homeroom.base.ids import SchoolId, UserId
from homeroom.contract.errno import Errno
from homeroom.contract.nicknames import MAX_SYNCED_STUDENTS
from homeroom.domain.refusal import Refusal
from homeroom.store.rosters import RosterCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import people


def sync(
    uow: UnitOfWork, school: SchoolId, requests: list[UserId | Refusal]
) -> list[Refusal | None]:
    """Copy the names in the school's list of students into the nicknames in running courses.

    Courses that are ended, expired or deleted stay as they are (READINGS Q60).
    """
    if len(requests) > MAX_SYNCED_STUDENTS:
        raise Refusal(
            Errno.TOO_MANY_STUDENTS, f"at most {MAX_SYNCED_STUDENTS} students may be named"
        )
    uids = {request for request in requests if not isinstance(request, Refusal)}
    persons = people.find_members(uow, school, None, uids)
    verdicts = {uid: _check_student(persons.get(uid)) for uid in uids}
    accepted = [uid for uid, verdict in verdicts.items() if verdict is None]
    uow.rosters.sync_nicknames(school, accepted, uow.now)
    return [request if isinstance(request, Refusal) else verdicts[request] for request in requests]


def _check_student(person: RosterCandidate | None) -> Refusal | None:
    """Return why the nicknames of a person cannot be changed."""
    if person is None or person.school_name is None:
        return Refusal(Errno.STUDENT_NOT_OF_SCHOOL)
    if person.is_cancelled:
        return Refusal(Errno.NICKNAME_SYNC_FAILED, "the account was cancelled")
    return None
