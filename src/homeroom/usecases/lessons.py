"""Adding, editing and deleting classes."""

from dataclasses import replace

from homeroom.base.clock import HOUR
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.text import is_storable
from homeroom.contract.errno import Errno
from homeroom.domain.courses import (
    CHANGE_RULE,
    EXPIRY_EXTENSION_SECONDS,
    LESSON_RULE,
    Course,
    check_course,
)
from homeroom.domain.lessons import (
    ClassroomSettings,
    Hours,
    Lesson,
    LessonChange,
    NewLesson,
    Origin,
    RecordingOptions,
    RecordingVerdict,
    StreamSignature,
    change_classroom,
    check_editable,
    check_hours,
    check_monthly_limit,
    check_plan,
    judge_recording,
    resolve_classroom,
)
from homeroom.domain.lifecycle import Phase
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import Plan, School, month_bounds
from homeroom.domain.streams import sign_stream
from homeroom.domain.teachers import (
    CO_TEACHER_RULE,
    NOBODY,
    TEACHER_RULE,
    check_candidates,
    check_co_teachers,
)
from homeroom.store.teachers import CourseCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.accounts import can_record, current_school
from homeroom.usecases.dependencies import Dependencies


def add(
    uow: UnitOfWork, deps: Dependencies, school: SchoolId, course: CourseId, wanted: NewLesson
) -> Lesson:
    """Put a class on the timetable of a course of this school.

    Raises `Refusal`; with IDENTITY_TAKEN it is about the class made earlier (READINGS Q1).
    """
    facts = uow.lessons.get_context(school, course, wanted.hours, wanted.folder, wanted.identity)
    if facts.existing is not None:
        raise Refusal(Errno.IDENTITY_TAKEN, about=uow.lessons.get(facts.existing))
    plan = facts.plan
    held = check_course(facts.course, school, uow.now, CHANGE_RULE)
    check_hours(wanted.hours, uow.now)
    if facts.is_in_maintenance:
        raise Refusal(Errno.MAINTENANCE_OVERLAP)
    if wanted.teacher == NOBODY:
        raise Refusal(Errno.NOT_A_TEACHER_OF_SCHOOL, "no such teacherAccount")
    teacher, *helpers = uow.teachers.list_candidates(
        school, (wanted.teacher, *wanted.co_teachers), course
    )
    check_candidates([teacher.candidate], TEACHER_RULE)
    check_co_teachers(wanted.co_teachers, wanted.teacher, plan.max_co_teachers)
    check_candidates([helper.candidate for helper in helpers], CO_TEACHER_RULE)
    stage = resolve_classroom(wanted.classroom, plan)
    if wanted.folder is not None and facts.folder_owner != school:
        raise Refusal(Errno.FOLDER_NOT_IN_DRIVE)
    check_plan(plan, stage, wanted.recording, has_co_teachers=bool(helpers))
    _check_numbers(uow, plan, school, course)
    switches = _first_switches(uow, deps, school, plan, wanted.recording)
    new = replace(
        wanted,
        classroom=stage,
        recording=switches,
        introduction=_storable(uow, wanted.introduction, Errno.ADDED_WITHOUT_INTRODUCTION),
    )
    key = deps.keys.public_key()
    stream = bound(uow, deps, key, None, switches)
    lesson = uow.lessons.add(held, new, key, stream, uow.now)
    uow.class_roles.add_co_teachers(lesson.id, wanted.co_teachers)
    _list_teachers(uow, course, [teacher, *helpers])
    _push_expiry(uow, held, wanted.hours)
    _note_hours(uow, plan, school, wanted.hours)
    return lesson


def edit(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    course: CourseId,
    lesson: LessonId,
    change: LessonChange,
) -> Lesson:
    """Change a class of this school; what is not in the change stays."""
    held = current_school(uow, school)
    home = uow.courses.get_usable(school, course, uow.now, LESSON_RULE)
    old = own_lesson(uow, course, lesson)
    check_editable(old, change, uow.now)
    if change.hours is not None:
        check_hours(change.hours, uow.now)
        if uow.lessons.is_in_maintenance(change.hours):
            raise Refusal(Errno.MAINTENANCE_OVERLAP)
    helpers_now = uow.class_roles.list_co_teachers(lesson) if change.changes_teachers else ()
    persons = _check_teachers(uow, held, old, helpers_now, change)
    if change.folder is not None:
        folder = uow.drive.get(change.folder)
        if folder is None or folder.school != school:
            raise Refusal(Errno.FOLDER_NOT_IN_DRIVE)
    stage = change_classroom(old.classroom, change)
    _check_plan_of_edit(uow, held, old, stage, change)
    switches = old.recording
    if change.recording is not None:
        switches = _judged(uow, deps, held, old, change.recording.apply_to(old.recording))
    introduction = old.introduction
    if change.introduction is not None:
        introduction = _storable(
            uow, change.introduction, Errno.EDITED_WITHOUT_INTRODUCTION, instead=introduction
        )
    new = replace(
        old,
        name=change.name or old.name,
        hours=change.hours or old.hours,
        teacher=change.teacher or old.teacher,
        folder=change.folder or old.folder,
        classroom=stage,
        recording=switches,
        watch_policy=old.watch_policy.with_changes(
            change.watch_by_login, change.allow_unlogged_chat
        ),
        introduction=introduction,
        stream=bound(uow, deps, old.key, old.stream, switches),
    )
    uow.lessons.save(new)
    if change.co_teachers is not None:
        uow.class_roles.save_co_teachers(lesson, change.co_teachers)
    _list_teachers(uow, course, persons)
    if change.hours is not None:
        _push_expiry(uow, home, change.hours)
        _note_hours(uow, held.plan, school, change.hours)
    return new


def delete(uow: UnitOfWork, school: SchoolId, course: CourseId, lesson: LessonId) -> None:
    """Delete a class that has not been held; its identity becomes free (idempotency rules)."""
    keeps = current_school(uow, school).plan.keep_identities
    uow.courses.get_usable(school, course, uow.now, LESSON_RULE)
    held = own_lesson(uow, course, lesson)
    phase = held.phase(uow.now)
    if phase is Phase.RUNNING:
        raise Refusal(Errno.LESSON_IS_RUNNING)
    if phase.is_over:
        raise Refusal(Errno.LESSON_IS_OVER)
    uow.lessons.delete(held, uow.now, keeps_identity=keeps)
    if keeps and held.identity is not None:
        uow.warn(Errno.IDENTITY_NOT_RELEASED)


def own_lesson(uow: UnitOfWork, course: CourseId, lesson: LessonId) -> Lesson:
    """Return a class of the course that the v1 calls may handle, or refuse it."""
    held = living_lesson(uow.lessons.get(lesson), course)
    if held.origin is not Origin.V1:
        raise Refusal(Errno.LESSON_MADE_ELSEWHERE)
    return held


def living_lesson(lesson: Lesson | None, course: CourseId) -> Lesson:
    """Return a class of the course that is not deleted, or refuse it."""
    if lesson is None:
        raise Refusal(Errno.NO_SUCH_LESSON)
    if lesson.course != course:
        raise Refusal(Errno.LESSON_NOT_IN_COURSE)
    if lesson.deleted_at is not None:
        raise Refusal(Errno.LESSON_DELETED)
    return lesson


def bound(
    uow: UnitOfWork,
    deps: Dependencies,
    key: str,
    stream: StreamSignature | None,
    switches: RecordingOptions,
) -> StreamSignature | None:
    """Return the pull address of a class: bound once it is recorded and live, then for ever."""
    if stream is not None or not (switches.record and switches.live):
        return stream
    return sign_stream(key, uow.now + deps.pull_life, deps.pull_key)


def _first_switches(
    uow: UnitOfWork, deps: Dependencies, school: SchoolId, plan: Plan, asked: RecordingOptions
) -> RecordingOptions:
    """Return the recording switches of a new class, and note what they could not be."""
    if asked.lacks_recording:
        uow.warn(Errno.ADDED_WITH_BAD_RECORDING)
    if asked.record and not can_record(uow, deps, school, plan):
        uow.warn(Errno.ADDED_WITHOUT_RECORDING)
        return RecordingOptions()
    return asked.effective()


def _judged(
    uow: UnitOfWork, deps: Dependencies, school: School, old: Lesson, asked: RecordingOptions
) -> RecordingOptions:
    """Return the recording switches after an edit, and note what they could not become."""
    notes = {
        RecordingVerdict.LACKS_RECORDING: Errno.EDITED_WITH_BAD_RECORDING,
        RecordingVerdict.FROZEN: Errno.EDITED_RECORDING_FROZEN,
        RecordingVerdict.NO_SERVICE: Errno.EDITED_WITHOUT_RECORDING,
    }
    works = can_record(uow, deps, school.id, school.plan)
    verdict = judge_recording(old, asked, uow.now, can_record=works)
    if verdict is RecordingVerdict.CHANGED:
        return asked.effective()
    uow.warn(notes[verdict])
    return old.recording


def _storable(uow: UnitOfWork, text: str, warning: Errno, instead: str = "") -> str:
    """Return an introduction, or what stands instead of one that cannot be kept."""
    if is_storable(text):
        return text
    uow.warn(warning)
    return instead


def _check_teachers(
    uow: UnitOfWork,
    school: School,
    old: Lesson,
    helpers_now: tuple[UserId, ...],
    change: LessonChange,
) -> list[CourseCandidate]:
    """Refuse a new teacher or new co-teachers who do not fit; returns who joins the class."""
    if not change.changes_teachers:
        return []
    joining: list[CourseCandidate] = []
    helpers_then = helpers_now if change.co_teachers is None else change.co_teachers
    if change.teacher is not None and change.teacher != old.teacher:
        known = uow.teachers.list_candidates(school.id, (change.teacher,), old.course, old.id)
        check_candidates([known[0].candidate], TEACHER_RULE)
        if change.teacher in helpers_then and change.co_teachers is None:
            raise Refusal(Errno.TEACHER_IS_CO_TEACHER)
        joining += known
    if change.co_teachers is not None:
        teacher = change.teacher or old.teacher
        check_co_teachers(change.co_teachers, teacher, school.plan.max_co_teachers)
        known = uow.teachers.list_candidates(school.id, change.co_teachers, old.course, old.id)
        check_candidates(
            [one.candidate for one in known if one.candidate.user not in helpers_now],
            CO_TEACHER_RULE,
        )
        joining += known
        leaving = tuple(user for user in helpers_now if user not in change.co_teachers)
        if leaving and old.phase(uow.now) is Phase.RUNNING:
            put_out = uow.teachers.list_candidates(school.id, leaving)
            if any(one.candidate.is_cancelled for one in put_out):
                raise Refusal(
                    Errno.CO_TEACHER_NOT_UNBOOKED,
                    "a cancelled co-teacher cannot be put out of a class that is running",
                )
    return joining


def _check_plan_of_edit(
    uow: UnitOfWork, school: School, old: Lesson, stage: ClassroomSettings, change: LessonChange
) -> None:
    """Refuse what the plan lacks: of what is sent, or of the whole class when its times change."""
    plan = school.plan
    if change.hours is None:
        sent = ClassroomSettings(
            is_smart=change.is_smart or False, is_broadcast=change.is_broadcast or False
        )
        switches = (
            RecordingOptions()
            if change.recording is None
            else change.recording.apply_to(RecordingOptions())
        )
        check_plan(plan, sent, switches, has_co_teachers=bool(change.co_teachers))
        return
    if stage.seats > plan.max_seats:
        raise Refusal(Errno.SEATS_INVALID, f"the plan now has {plan.max_seats} seats a class")
    helpers = (
        uow.class_roles.list_co_teachers(old.id)
        if change.co_teachers is None
        else change.co_teachers
    )
    switches = (
        old.recording if change.recording is None else change.recording.apply_to(old.recording)
    )
    check_plan(plan, stage, switches, has_co_teachers=bool(helpers))
    if plan.monthly_classes:
        # An edit creates none: it is refused where the month already has more than the plan.
        created = uow.quotas.count_created_lessons(school.id, *month_bounds(uow.now, plan))
        check_monthly_limit(plan, created - 1)


def _check_numbers(uow: UnitOfWork, plan: Plan, school: SchoolId, course: CourseId) -> None:
    """Refuse one class more than the course or the month may have."""
    if not (plan.max_course_classes or plan.monthly_classes):
        return
    # Two classes added at once must not both be the last one allowed.
    uow.require_exclusive()
    if (
        plan.max_course_classes
        and uow.quotas.count_lessons_of_course(course) >= plan.max_course_classes
    ):
        raise Refusal(Errno.TOO_MANY_LESSONS)
    if plan.monthly_classes:
        check_monthly_limit(
            plan, uow.quotas.count_created_lessons(school, *month_bounds(uow.now, plan))
        )


def _list_teachers(uow: UnitOfWork, course: CourseId, persons: list[CourseCandidate]) -> None:
    """Enter the teachers of a class in the course's list of teachers."""
    uow.courses.add_teachers(
        course, [one.candidate.user for one in persons if not one.is_course_teacher]
    )


def _push_expiry(uow: UnitOfWork, course: Course, hours: Hours) -> None:
    """Push the expiry of a course past a class of it (READINGS Q27)."""
    latest = hours.end + EXPIRY_EXTENSION_SECONDS
    if course.expires_at is not None and course.expires_at < latest:
        uow.courses.extend_expiry(course.id, latest)


def _note_hours(uow: UnitOfWork, plan: Plan, school: SchoolId, hours: Hours) -> None:
    """Say so when the classroom hours that are paid for are used up."""
    if plan.classroom_hours:
        used = uow.quotas.sum_lesson_seconds(school, *month_bounds(hours.begin, plan))
        if used > plan.classroom_hours * HOUR:
            uow.warn(Errno.HOURS_USED_UP)
