"""Comment on the students of a class."""

from homeroom.base.ids import LessonId, SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.class_students import is_class_student
from homeroom.domain.refusal import Refusal
from homeroom.store.comments import NewComment
from homeroom.store.rosters import RosterCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.lesson_lookups import get_lesson_of_school
from homeroom.usecases.rosters import MemberRequest, find_candidates


class CommentRequest(Value, frozen=True):
    """A comment on a student."""

    student: MemberRequest
    stars: int
    text: str


def save(
    uow: UnitOfWork, school: SchoolId, lesson_id: LessonId, requests: list[CommentRequest | Refusal]
) -> list[Refusal | None]:
    """Save comments; each is checked alone, and the last one on a student stays (READINGS Q69)."""
    _, lesson = get_lesson_of_school(uow, school, lesson_id, Errno.KIND_NOT_SUPPORTED)
    students = [
        request.student if isinstance(request, CommentRequest) else request for request in requests
    ]
    candidates = find_candidates(uow, school, lesson.course, students, unregistered=Errno.BAD_DATA)
    in_class = _find_students(
        uow, lesson.id, [person[1] for person in candidates if not isinstance(person, Refusal)]
    )
    new: dict[UserId, NewComment] = {}
    verdicts: list[Refusal | None] = []
    for request, candidate in zip(requests, candidates, strict=True):
        if isinstance(request, Refusal):
            verdicts.append(request)
            continue
        try:
            student = _check_student(candidate, in_class)
        except Refusal as refusal:
            verdicts.append(refusal)
        else:
            new[student] = NewComment(student, request.stars, request.text)
            verdicts.append(None)
    uow.comments.save(school, lesson.id, new.values(), uow.now)
    return verdicts


def _find_students(
    uow: UnitOfWork, lesson: LessonId, persons: list[RosterCandidate]
) -> set[UserId]:
    """Return those of some users who are students of a class."""
    ties = uow.class_students.find_ties([lesson], [person.user for person in persons])
    return {
        person.user
        for person in persons
        if is_class_student(person.role, ties.get((lesson, person.user), frozenset()))
    }


def _check_student(
    candidate: tuple[MemberRequest, RosterCandidate] | Refusal, in_class: set[UserId]
) -> UserId:
    """Return a student of the class; raise `Refusal` otherwise."""
    if isinstance(candidate, Refusal):
        raise candidate
    person = candidate[1]
    if person.school_name is None:
        raise Refusal(
            Errno.NOT_A_STUDENT_OF_SCHOOL, f"UID {person.user} is no student of the school"
        )
    if person.user not in in_class:
        raise Refusal(Errno.NOT_IN_LESSON, f"UID {person.user} is no student of the class")
    return person.user
