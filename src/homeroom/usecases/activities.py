"""Activities of courses: add, release and delete them, and change their members."""

from collections.abc import Sequence

from homeroom.base.ids import ActivityId, CourseId, SchoolId, UnitId, UserId
from homeroom.contract.errno import Errno
from homeroom.domain.activities import (
    NOT_A_TEACHER_RULE,
    STANDARD_RULE,
    Activity,
    NewActivity,
    check_activity,
    check_draft,
    check_members_changeable,
    check_period,
)
from homeroom.domain.courses import ACTIVITY_RULE
from homeroom.domain.dual_lessons import check_not_dual
from homeroom.domain.lessons import describe_end, describe_open
from homeroom.domain.lifecycle import Phase
from homeroom.domain.refusal import Refusal
from homeroom.domain.teachers import check_candidates
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import class_students, lesson_messages, lessons, people, units
from homeroom.usecases.accounts import get_current_school
from homeroom.usecases.rosters import MemberRequest


def add(
    uow: UnitOfWork, school: SchoolId, course_id: CourseId, unit_id: UnitId, new: NewActivity
) -> ActivityId:
    """Add a draft of an activity that is no class; its teacher joins the course."""
    course = uow.courses.get_usable(school, course_id, uow.now, ACTIVITY_RULE)
    unit = units.find(uow, course_id, unit_id, Errno.NO_SUCH_UNIT)
    units.check_place(uow, unit, Errno.UNIT_FULL)
    check_period(new.begins_at, new.ends_at, uow.now)
    rows = people.find_teachers(uow, school, (new.teacher,), course_id)
    check_candidates([rows[0].candidate], NOT_A_TEACHER_RULE)
    lessons.list_teachers(uow, course_id, rows)
    return uow.activities.add(course, unit, new, uow.now)


def release(
    uow: UnitOfWork, school: SchoolId, course: CourseId, activity_ids: Sequence[ActivityId]
) -> list[tuple[str, Refusal | None]]:
    """Publish drafts, each judged alone; return the name of each, and its refusal (READINGS Q83).

    What is no activity of the course has no name.
    """
    uow.courses.get_usable(school, course, uow.now, ACTIVITY_RULE)
    of_course = {
        activity.id: activity
        for activity in uow.activities.get_many(activity_ids).values()
        if activity.course == course
    }
    published = {activity.id for activity in of_course.values() if activity.is_published}
    released: list[ActivityId] = []
    verdicts: list[tuple[str, Refusal | None]] = []
    for activity_id in activity_ids:
        activity = of_course.get(activity_id)
        name = activity.name if activity is not None else ""
        try:
            check_activity(activity, course, STANDARD_RULE)
            check_draft(activity_id, published)
        except Refusal as refusal:
            verdicts.append((name, refusal))
            continue
        published.add(activity_id)
        released.append(activity_id)
        verdicts.append((name, None))
    uow.activities.publish(released)
    return verdicts


def delete(
    uow: UnitOfWork, school: SchoolId, course: CourseId, activity_id: ActivityId
) -> tuple[Activity, bool]:
    """Delete an activity of any kind; return it, and whether its identity stays taken."""
    activity = find(uow, school, course, activity_id)
    if activity.lesson is None:
        uow.activities.delete(activity_id, uow.now)
        return activity, False
    lesson = lessons.check_lesson(uow.lessons.get(activity.lesson), course)
    check_not_dual(lesson, Errno.BAD_VALUE)
    phase = lesson.phase(uow.now)
    if phase is Phase.RUNNING:
        raise Refusal(Errno.ACTIVITY_RUNNING, describe_open(lesson))
    if phase.is_over:
        raise Refusal(Errno.ACTIVITY_HELD, describe_end(lesson))
    keeps_identity = get_current_school(uow, school).plan.keep_identities
    uow.lessons.delete(lesson, uow.now, keeps_identity=keeps_identity)
    lesson_messages.emit_deleted_lessons(uow, school, {lesson.id: course})
    return activity, keeps_identity and lesson.identity is not None


def find(uow: UnitOfWork, school: SchoolId, course: CourseId, activity: ActivityId) -> Activity:
    """Return an activity of a course that can be changed; raise `Refusal` otherwise."""
    uow.courses.get_usable(school, course, uow.now, ACTIVITY_RULE)
    return check_activity(uow.activities.get(activity), course, STANDARD_RULE)


def add_students(
    uow: UnitOfWork,
    school: SchoolId,
    course_id: CourseId,
    activity_id: ActivityId,
    entries: Sequence[UserId | Refusal],
) -> list[Refusal | None]:
    """Add people to an activity; who belongs to it already is no refusal (READINGS Q84)."""
    course = uow.courses.get_usable(school, course_id, uow.now, ACTIVITY_RULE)
    activity = check_activity(uow.activities.get(activity_id), course_id, STANDARD_RULE)
    check_members_changeable(activity, Errno.KIND_TAKES_NO_MEMBERS, uow.now)
    if activity.lesson is not None:
        requests = [
            entry if isinstance(entry, Refusal) else MemberRequest(entry) for entry in entries
        ]
        current = get_current_school(uow, school)
        lesson = {activity.lesson: activity.name}
        # A member who is present yields 1, also one whom the school's list has no more.
        verdicts = class_students.add_students(
            uow, current, course, lesson, requests, checks_presence_first=True
        )
        return [_accept_known(verdict) for verdict in verdicts]
    uids = [entry for entry in entries if not isinstance(entry, Refusal)]
    members = _list_members(uow, school, course_id, uids)
    uow.activities.delete_absences(activity_id, members)
    return [
        entry
        if isinstance(entry, Refusal)
        else None
        if entry in members
        else Refusal(Errno.NOT_IN_COURSE, f"UID {entry} is not in the course")
        for entry in entries
    ]


def delete_students(
    uow: UnitOfWork,
    school: SchoolId,
    course: CourseId,
    activity_id: ActivityId,
    uids: Sequence[UserId],
) -> None:
    """Take people out of an activity; who does not belong to it is passed over."""
    activity = find(uow, school, course, activity_id)
    check_members_changeable(activity, Errno.KIND_KEEPS_MEMBERS, uow.now)
    if activity.lesson is not None:
        lesson = lessons.check_lesson(uow.lessons.get(activity.lesson), course)
        class_students.remove_students(uow, school, lesson, [MemberRequest(uid) for uid in uids])
        return
    uow.activities.add_absences(activity_id, _list_members(uow, school, course, uids))


def _list_members(
    uow: UnitOfWork, school: SchoolId, course: CourseId, uids: Sequence[UserId]
) -> set[UserId]:
    """Return those of some people who are students or auditors of the course."""
    persons = people.find_members(uow, school, course, uids)
    return {uid for uid, person in persons.items() if person.role is not None}


def _accept_known(verdict: Refusal | None) -> Refusal | None:
    """Return the verdict on a person to add to a class, in the errnos of the v2 wire."""
    if verdict is None or verdict.errno is Errno.ALREADY_IN_LESSON:
        return None
    return Refusal(Errno.BAD_VALUE, verdict.reason)
