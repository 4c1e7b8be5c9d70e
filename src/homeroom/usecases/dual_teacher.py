"""Change and delete dual-teacher classes: what a main class changes, its sub classes follow."""

from collections.abc import Collection, Sequence

from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.values import Value, replace
from homeroom.contract.errno import Errno
from homeroom.domain.class_edits import (
    LMS_TEACHER_RULE,
    check_edit_windows,
    check_lms_co_teachers,
)
from homeroom.domain.classroom_activities import (
    ClassroomChange,
    change_classroom,
    check_edit_phase,
)
from homeroom.domain.courses import EXPIRY_EXTENSION_SECONDS, Course, check_course
from homeroom.domain.dual_lessons import (
    DELETE_RULE,
    EDIT_RULE,
    EDIT_STAGE_RULE,
    RecordingGroup,
    check_changed_recording,
    check_dual_lesson,
    check_name,
)
from homeroom.domain.lessons import Lesson
from homeroom.domain.lifecycle import Phase
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import School
from homeroom.domain.teachers import TeacherCandidate, check_candidates
from homeroom.store.teachers import CandidatePlace
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import lesson_messages, people
from homeroom.usecases.accounts import get_current_school
from homeroom.usecases.classroom_activities import change_hours, change_recording
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.lesson_messages import EditedPair
from homeroom.usecases.lessons import bind_stream, find_new_co_teachers
from homeroom.usecases.main_recordings import find_sources


class EditedDualLessons(Value, frozen=True):
    """The class that was edited and, if it is a main class, its sub classes."""

    lessons: list[Lesson]
    sources: dict[LessonId, Lesson]
    """The class whose streams the page of each shows."""


class _Class(Value, frozen=True):
    """A class that an edit changes, with its course."""

    lesson: Lesson
    course: Course


def edit(
    uow: UnitOfWork,
    deps: Dependencies,
    school_id: SchoolId,
    course_id: CourseId,
    lesson_id: LessonId,
    change: ClassroomChange,
    group: RecordingGroup,
) -> EditedDualLessons:
    """Change a main or a sub class; teacher and times of a main class go to its sub classes.

    If one of them cannot follow, nothing changes and its errno is answered. The recording of the
    change is that of the group.
    """
    school = get_current_school(uow, school_id)
    course = uow.courses.get_usable(school_id, course_id, uow.now, EDIT_RULE)
    old = check_dual_lesson(uow.lessons.get(lesson_id), school_id, course_id, uow.now)
    subs = [_Class(*row) for row in uow.sub_lessons.list_of(old.id)] if old.has_subs else []
    uses_main = old.uses_main_recording if group.uses_main is None else group.uses_main
    check_edit_phase(old, change, uow.now)
    if uses_main != old.uses_main_recording:
        check_edit_windows(old, uow.now, changes_hours=False)
    changes_schedule = change.changes_times or change.teacher is not None
    _check_values(old, change, group, changes_schedule=changes_schedule)
    hours = change_hours(uow, school.plan, old.hours, change, Errno.BEGINS_TOO_LATE)
    classroom = change_classroom(old.classroom, change, school.plan, EDIT_STAGE_RULE)
    recording = change_recording(uow, deps, school, old, change)
    changed = [_Class(old, course), *(subs if changes_schedule else ())]
    _check_subs_follow(uow, school_id, changed[1:])
    co_teachers = uow.class_roles.list_co_teachers(old.id) if change.co_teachers is not None else ()
    joining = _check_teachers(uow, school, changed, change, co_teachers)
    new = replace(
        old,
        name=change.name or old.name,
        hours=hours,
        teacher=change.teacher or old.teacher,
        classroom=classroom,
        recording=recording,
        uses_main_recording=uses_main,
        stream=bind_stream(uow, deps, old.key, old.stream, recording),
    )
    uow.lessons.save(new)
    if change.co_teachers is not None:
        uow.class_roles.save_co_teachers(old.id, change.co_teachers)
    uow.courses.add_teachers_of_courses(joining)
    if changes_schedule and subs:
        uow.sub_lessons.save_schedule([sub.lesson.id for sub in subs], hours, new.teacher)
    extended = (
        uow.courses.extend_expiries(
            [place.course.id for place in changed], hours.end + EXPIRY_EXTENSION_SECONDS
        )
        if change.changes_times
        else []
    )
    edited = [new, *(replace(sub.lesson, hours=hours, teacher=new.teacher) for sub in subs)]
    pairs = [EditedPair(old, new, find_new_co_teachers(co_teachers, change.co_teachers))]
    if changes_schedule:
        pairs += map(EditedPair, (sub.lesson for sub in subs), edited[1:])
    lesson_messages.emit_edited_lessons(uow, school_id, pairs, extended)
    return EditedDualLessons(edited, find_sources(uow, edited))


def delete(
    uow: UnitOfWork, school_id: SchoolId, course_id: CourseId, lesson_id: LessonId
) -> list[LessonId]:
    """Delete a sub class, or a main class with its sub classes; return them in this order.

    The main class comes last.
    """
    plan = get_current_school(uow, school_id).plan
    uow.courses.get_usable(school_id, course_id, uow.now, DELETE_RULE)
    lesson = check_dual_lesson(uow.lessons.get(lesson_id), school_id, course_id, uow.now)
    if lesson.phase(uow.now) is Phase.RUNNING:
        raise Refusal(Errno.NOT_PERMITTED, f"class {lesson_id} is running")
    subs = uow.sub_lessons.list_of(lesson_id) if lesson.has_subs else []
    deleted = {sub.id: course.id for sub, course in subs} | {lesson_id: course_id}
    uow.sub_lessons.delete(deleted, uow.now, keeps_identities=plan.keep_identities)
    lesson_messages.emit_deleted_lessons(uow, school_id, deleted)
    return list(deleted)


def _check_values(
    old: Lesson, change: ClassroomChange, group: RecordingGroup, *, changes_schedule: bool
) -> None:
    """Refuse fields that do not fit the class or each other."""
    if change.name is not None:
        check_name(change.name)
    if old.main is not None and changes_schedule:
        raise Refusal(Errno.SUB_LESSON_FOLLOWS_MAIN)
    if group.is_sent:
        check_changed_recording(old, group)


def _check_subs_follow(uow: UnitOfWork, school: SchoolId, subs: Sequence[_Class]) -> None:
    """Refuse new times or a new teacher if a sub class is over or its course has expired."""
    for sub in subs:
        check_course(sub.course, school, uow.now, EDIT_RULE)
        check_dual_lesson(sub.lesson, school, sub.course.id, uow.now)


def _check_teachers(
    uow: UnitOfWork,
    school: School,
    changed: Sequence[_Class],
    change: ClassroomChange,
    staying: Collection[UserId],
) -> list[tuple[CourseId, UserId]]:
    """Refuse people who do not fit a class; return the courses and the people who join them."""
    if not change.changes_teachers:
        return []
    old = changed[0].lesson
    teachers = [change.teacher] if change.teacher not in (None, old.teacher) else []
    co_teachers = change.co_teachers or ()
    places: list[CandidatePlace] = [
        *((uid, place.course.id, place.lesson.id) for place in changed for uid in teachers),
        *((uid, old.course, old.id) for uid in co_teachers),
    ]
    persons = people.find_teachers_of_places(uow, school.id, places)
    count = len(changed) * len(teachers)
    check_candidates([person.candidate for person in persons[:count]], LMS_TEACHER_RULE)
    for uid in teachers:
        _check_not_co_teacher(uow, uid, changed, change)
    candidates = [row.candidate for row in persons[count:]]
    _check_co_teachers(school, old, change, candidates, staying)
    return [
        (course, person.candidate.user)
        for (_, course, _), person in zip(places, persons, strict=True)
        if not person.is_course_teacher
    ]


def _check_not_co_teacher(
    uow: UnitOfWork, teacher: UserId, changed: Sequence[_Class], change: ClassroomChange
) -> None:
    """Refuse a new teacher who stays co-teacher of one of the classes."""
    old = changed[0].lesson
    lessons = {place.lesson.id for place in changed}
    if change.co_teachers is not None:
        lessons.discard(old.id)
    for lesson in sorted(uow.class_roles.find_co_taught(teacher, lessons)):
        raise Refusal(
            Errno.TEACHER_IS_CO_TEACHER, f"UID {teacher} is a co-teacher of class {lesson}"
        )


def _check_co_teachers(
    school: School,
    old: Lesson,
    change: ClassroomChange,
    candidates: Sequence[TeacherCandidate],
    staying: Collection[UserId],
) -> None:
    """Refuse co-teachers who do not fit; those whom the class has already may stay."""
    if change.co_teachers is None:
        return
    teacher = change.teacher or old.teacher
    if teacher in change.co_teachers:
        raise Refusal(Errno.CO_TEACHER_IS_TEACHER, f"UID {teacher} is the teacher of the class")
    check_lms_co_teachers(
        change.co_teachers,
        [candidate for candidate in candidates if candidate.user not in staying],
        school.plan.max_co_teachers,
    )
