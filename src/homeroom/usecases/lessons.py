"""Edit and delete classes."""

from collections.abc import Sequence

from homeroom.base.clock import HOUR, Moment
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.text import format_count, is_storable
from homeroom.base.values import replace
from homeroom.contract.errno import Errno
from homeroom.domain.courses import (
    EXPIRY_EXTENSION_SECONDS,
    LESSON_RULE,
    Course,
)
from homeroom.domain.dual_lessons import check_not_dual
from homeroom.domain.lessons import (
    ClassroomSettings,
    Hours,
    Lesson,
    LessonChange,
    Origin,
    RecordingOptions,
    change_classroom,
    check_editable,
    check_hours,
    check_monthly_limit,
    check_plan,
    describe_end,
    describe_open,
)
from homeroom.domain.lifecycle import Phase
from homeroom.domain.recordings import RecordingVerdict, judge_recording
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import Plan, School, month_bounds
from homeroom.domain.stream_signatures import StreamSignature, sign_stream
from homeroom.domain.teachers import (
    CO_TEACHER_RULE,
    TEACHER_RULE,
    check_candidates,
    check_co_teachers,
)
from homeroom.store.teachers import CourseCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import lesson_messages, people
from homeroom.usecases.accounts import can_record, get_school_and_course
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.lesson_messages import EditedPair


def edit(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    course: CourseId,
    lesson: LessonId,
    change: LessonChange,
) -> Lesson:
    """Change a class of this school; values of None in the change stay unchanged."""
    current, parent = get_school_and_course(uow, school, course, LESSON_RULE)
    old = get_v1_lesson(uow, course, lesson)
    check_editable(old, change, uow.now)
    hours = change.hours.apply_to(old.hours) if change.hours is not None else old.hours
    if change.hours is not None:
        check_hours(hours, uow.now)
        if uow.lessons.is_in_maintenance(hours):
            raise Refusal(Errno.MAINTENANCE_OVERLAP)
    co_teachers = uow.class_roles.list_co_teachers(lesson) if change.changes_teachers else ()
    joining = _check_teachers(uow, current, old, co_teachers, change)
    if change.folder is not None:
        folder = uow.drive.get(change.folder)
        if folder is None or folder.school != school:
            raise Refusal(Errno.FOLDER_NOT_IN_DRIVE)
    classroom = change_classroom(old.classroom, change)
    _check_plan_of_edit(uow, current, old, classroom, change)
    recording = old.recording
    if change.recording is not None:
        recording = _change_recording(
            uow, deps, current, old, change.recording.apply_to(old.recording)
        )
    introduction = old.introduction
    if change.introduction is not None:
        introduction = _storable_or_warn(
            uow, change.introduction, Errno.EDITED_WITHOUT_INTRODUCTION, instead=introduction
        )
    new = replace(
        old,
        name=change.name or old.name,
        hours=hours,
        teacher=change.teacher or old.teacher,
        folder=change.folder or old.folder,
        classroom=classroom,
        recording=recording,
        watch_policy=old.watch_policy.with_changes(
            change.watch_by_login, change.allow_unlogged_chat
        ),
        introduction=introduction,
        stream=bind_stream(uow, deps, old.key, old.stream, recording),
    )
    uow.lessons.save(new)
    if change.co_teachers is not None:
        uow.class_roles.save_co_teachers(lesson, change.co_teachers)
    list_teachers(uow, course, joining)
    extended = extend_expiry(uow, parent, hours.end) if change.hours is not None else []
    edited = EditedPair(old, new, find_new_co_teachers(co_teachers, change.co_teachers))
    lesson_messages.emit_edited_lessons(uow, school, [edited], extended)
    if change.hours is not None:
        warn_hours_used_up(uow, current.plan, school, hours)
    return new


def delete(uow: UnitOfWork, school: SchoolId, course: CourseId, lesson_id: LessonId) -> None:
    """Delete a class that has not begun; its identity becomes free (idempotency rules)."""
    current, _ = get_school_and_course(uow, school, course, LESSON_RULE)
    lesson = get_v1_lesson(uow, course, lesson_id)
    phase = lesson.phase(uow.now)
    if phase is Phase.RUNNING:
        raise Refusal(Errno.LESSON_IS_RUNNING, describe_open(lesson))
    if phase.is_over:
        raise Refusal(Errno.LESSON_IS_OVER, describe_end(lesson))
    delete_row(uow, lesson, current.plan)


def delete_row(uow: UnitOfWork, lesson: Lesson, plan: Plan) -> None:
    """Mark a class as deleted, and warn if the plan keeps its identity."""
    uow.lessons.delete(lesson, uow.now, keeps_identity=plan.keep_identities)
    lesson_messages.emit_deleted_lessons(uow, lesson.school, {lesson.id: lesson.course})
    if plan.keep_identities and lesson.identity is not None:
        uow.warn(Errno.IDENTITY_NOT_RELEASED)


def get_v1_lesson(uow: UnitOfWork, course: CourseId, lesson_id: LessonId) -> Lesson:
    """Return a class of the course that the v1 API may change; raise `Refusal` otherwise."""
    lesson = check_v1_lesson(uow.lessons.get(lesson_id), course)
    check_not_dual(lesson, Errno.KIND_NOT_SUPPORTED)
    return lesson


def check_v1_lesson(
    lesson: Lesson | None, course: CourseId, missing: Errno = Errno.NO_SUCH_LESSON
) -> Lesson:
    """Return a class of the course that the v1 API created, or a dual-teacher class.

    Guests may be added to those and removed. Raises `Refusal` for others.
    """
    own = check_lesson(lesson, course, missing)
    if own.origin is not Origin.V1 and not own.is_dual:
        raise Refusal(Errno.LESSON_MADE_ELSEWHERE)
    return own


def check_lesson(
    lesson: Lesson | None, course: CourseId, missing: Errno = Errno.NO_SUCH_LESSON
) -> Lesson:
    """Return a class of the course that is not deleted; raise `Refusal` otherwise."""
    if lesson is None:
        raise Refusal(missing)
    if lesson.course != course:
        raise Refusal(Errno.LESSON_NOT_IN_COURSE)
    if lesson.deleted_at is not None:
        raise Refusal(Errno.LESSON_DELETED)
    return lesson


def bind_stream(
    uow: UnitOfWork,
    deps: Dependencies,
    key: str,
    stream: StreamSignature | None,
    recording: RecordingOptions,
) -> StreamSignature | None:
    """Return the pull signature of a class: bound once it is recorded and live, then fixed."""
    if stream is not None or not (recording.record and recording.live):
        return stream
    return sign_stream(key, uow.now + deps.pull_url_seconds, deps.pull_key)


def _change_recording(
    uow: UnitOfWork, deps: Dependencies, school: School, old: Lesson, requested: RecordingOptions
) -> RecordingOptions:
    """Return the recording options after an edit, and warn if they cannot change."""
    warnings = {
        RecordingVerdict.LACKS_RECORDING: Errno.EDITED_WITH_BAD_RECORDING,
        RecordingVerdict.FROZEN: Errno.EDITED_RECORDING_FROZEN,
        RecordingVerdict.NO_SERVICE: Errno.EDITED_WITHOUT_RECORDING,
    }
    can_record_now = can_record(uow, deps, school.id, school.plan)
    verdict = judge_recording(old, requested, uow.now, can_record=can_record_now)
    if verdict is RecordingVerdict.CHANGED:
        return requested.effective()
    uow.warn(warnings[verdict])
    return old.recording


def _storable_or_warn(uow: UnitOfWork, text: str, warning: Errno, instead: str = "") -> str:
    """Return an introduction; if it has control characters, warn and return `instead`."""
    if is_storable(text):
        return text
    uow.warn(warning)
    return instead


def _check_teachers(
    uow: UnitOfWork,
    school: School,
    old: Lesson,
    co_teachers: tuple[UserId, ...],
    change: LessonChange,
) -> list[CourseCandidate]:
    """Refuse a new teacher or co-teachers who do not fit; return the people who join the class."""
    if not change.changes_teachers:
        return []
    joining: list[CourseCandidate] = []
    new_co_teachers = change.co_teachers if change.co_teachers is not None else co_teachers
    if change.teacher is not None and change.teacher != old.teacher:
        rows = people.find_teachers(uow, school.id, (change.teacher,), old.course, old.id)
        check_candidates([rows[0].candidate], TEACHER_RULE)
        if change.teacher in new_co_teachers and change.co_teachers is None:
            raise Refusal(Errno.TEACHER_IS_CO_TEACHER)
        joining += rows
    if change.co_teachers is not None:
        teacher = change.teacher or old.teacher
        check_co_teachers(change.co_teachers, teacher, school.plan.max_co_teachers)
        rows = people.find_teachers(uow, school.id, change.co_teachers, old.course, old.id)
        check_candidates(
            [row.candidate for row in rows if row.candidate.user not in co_teachers],
            CO_TEACHER_RULE,
        )
        joining += rows
        leaving = tuple(user for user in co_teachers if user not in change.co_teachers)
        if leaving and old.phase(uow.now) is Phase.RUNNING:
            removed = uow.teachers.list_candidates(school.id, leaving)
            if any(row.candidate.is_cancelled for row in removed):
                raise Refusal(
                    Errno.CO_TEACHER_NOT_UNBOOKED,
                    "a cancelled co-teacher cannot be removed from a running class",
                )
    return joining


def _check_plan_of_edit(
    uow: UnitOfWork, school: School, old: Lesson, classroom: ClassroomSettings, change: LessonChange
) -> None:
    """Refuse what the plan lacks: of the sent fields, or of the whole class if its hours change."""
    plan = school.plan
    if change.hours is None:
        sent = ClassroomSettings(
            is_smart=change.is_smart or False, is_broadcast=change.is_broadcast or False
        )
        recording = (
            change.recording.apply_to(RecordingOptions())
            if change.recording is not None
            else RecordingOptions()
        )
        check_plan(plan, sent, recording, has_co_teachers=bool(change.co_teachers))
        return
    if classroom.seats > plan.max_seats:
        raise Refusal(
            Errno.SEATS_INVALID, f"the plan now has {format_count(plan.max_seats, 'seat')} a class"
        )
    co_teachers = (
        change.co_teachers
        if change.co_teachers is not None
        else uow.class_roles.list_co_teachers(old.id)
    )
    recording = (
        change.recording.apply_to(old.recording) if change.recording is not None else old.recording
    )
    check_plan(plan, classroom, recording, has_co_teachers=bool(co_teachers))
    if plan.monthly_classes:
        # An edit creates none: it is refused where the month already has more than the plan.
        created = uow.quotas.count_new_lessons(school.id, *month_bounds(uow.now, plan))
        check_monthly_limit(plan, created - 1)


def list_teachers(uow: UnitOfWork, course: CourseId, rows: Sequence[CourseCandidate]) -> None:
    """Add the teachers of a class to the list of teachers of the course."""
    uow.courses.add_teachers(
        course, [row.candidate.user for row in rows if not row.is_course_teacher]
    )


def extend_expiry(uow: UnitOfWork, course: Course, end: Moment) -> list[CourseId]:
    """Extend the expiry of a course past the end of a class of it (READINGS Q27).

    Returns the course if that changed its expiry.
    """
    latest = end + EXPIRY_EXTENSION_SECONDS
    if course.expires_at is None or course.expires_at >= latest:
        return []
    return [course.id] if uow.courses.extend_expiry(course.id, latest) else []


def find_new_co_teachers(
    old: tuple[UserId, ...], new: tuple[UserId, ...] | None
) -> tuple[UserId, ...] | None:
    """Return the co-teachers after an edit; None if they stay as they are."""
    return new if new != old else None


def warn_hours_used_up(uow: UnitOfWork, plan: Plan, school: SchoolId, hours: Hours) -> None:
    """Warn if the classroom hours of the plan are used up."""
    if plan.classroom_hours:
        used = uow.quotas.sum_lesson_seconds(school, *month_bounds(hours.begin, plan))
        if used > plan.classroom_hours * HOUR:
            uow.warn(Errno.HOURS_USED_UP)
