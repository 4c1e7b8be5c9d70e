"""Create and edit classroom activities: the classes of the v2 wire."""

from homeroom.base.ids import ActivityId, CourseId, LessonId, SchoolId, UnitId, UserId
from homeroom.base.values import replace
from homeroom.contract.errno import Errno
from homeroom.domain.activities import EDIT_CLASSROOM_RULE, check_activity
from homeroom.domain.class_edits import (
    LMS_TEACHER_RULE,
    MAX_LMS_LEAD_SECONDS,
    check_lms_co_teachers,
    check_new_hours,
    check_service_term,
)
from homeroom.domain.classroom_activities import (
    ClassroomActivity,
    ClassroomChange,
    change_classroom,
    check_edit_phase,
    check_new_recording,
    limit_recording,
    resolve_new_classroom,
)
from homeroom.domain.courses import ACTIVITY_RULE, check_course
from homeroom.domain.courses import EDIT_CLASSROOM_RULE as EDIT_COURSE_RULE
from homeroom.domain.dual_lessons import check_not_dual
from homeroom.domain.lessons import (
    ClassroomSettings,
    Hours,
    Lesson,
    NewLesson,
    RecordingOptions,
    check_hours,
    check_limits,
    check_plan,
)
from homeroom.domain.refusal import Refusal
from homeroom.domain.schools import Plan, School
from homeroom.domain.teachers import check_candidates
from homeroom.store.teachers import CourseCandidate
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import lesson_messages, lessons, new_lessons, people, units
from homeroom.usecases.accounts import can_record, get_current_school
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.lesson_messages import EditedPair


def create(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    course_id: CourseId,
    unit_id: UnitId | None,
    teacher: UserId,
    new: NewLesson,
) -> ClassroomActivity:
    """Add a class to a unit of a course, by default to the default unit.

    Raises `Refusal`; with IDENTITY_TAKEN it is about the class made earlier (READINGS Q23).
    """
    context = uow.lessons.get_context(school, course_id, new)
    plan, facts = context.plan, context.facts
    if facts.existing is not None:
        raise _refuse_identity(uow, facts.existing)
    course = check_course(context.course, school, uow.now, ACTIVITY_RULE)
    unit = None
    if unit_id is not None:
        unit = units.find(uow, course_id, unit_id, Errno.BAD_VALUE)
        units.check_place(uow, unit, Errno.UNIT_FULL)
    check_hours(new.hours, uow.now, MAX_LMS_LEAD_SECONDS)
    if facts.is_in_maintenance:
        raise Refusal(Errno.MAINTENANCE_OVERLAP)
    staff = people.find_teachers(uow, school, (teacher, *new.co_teachers), course_id)
    check_candidates([staff[0].candidate], LMS_TEACHER_RULE)
    _check_co_teachers(teacher, staff[1:], plan)
    if new.co_teachers and not plan.co_teachers:
        raise Refusal(Errno.TOO_MANY_CO_TEACHERS, "the plan of the school has no co-teachers")
    classroom = resolve_new_classroom(new.classroom, plan)
    check_limits(plan, *new_lessons.count_lessons(uow, plan, school, course_id))
    recording = _limit_new_recording(uow, deps, school, plan, new.recording)
    complete = replace(new, classroom=classroom, recording=recording)
    lesson = new_lessons.save(uow, deps, course, complete, staff)
    if unit is None:
        return ClassroomActivity(uow.activities.get_of_lesson(lesson.id).id, lesson)
    return ClassroomActivity(uow.activities.save_unit_of_lesson(lesson.id, unit), lesson)


def edit(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    course_id: CourseId,
    activity_id: ActivityId,
    change: ClassroomChange,
) -> Lesson:
    """Change a classroom activity, also one that the v1 wire created (READINGS Q79)."""
    current = get_current_school(uow, school)
    course = uow.courses.get_usable(school, course_id, uow.now, EDIT_COURSE_RULE)
    unit = None
    if change.unit is not None:
        unit = units.find(uow, course_id, change.unit, Errno.BAD_VALUE)
    activity = uow.activities.get(activity_id)
    if unit is not None and (activity is None or activity.unit != unit.id):
        units.check_place(uow, unit, Errno.TOO_MANY_ENTRIES)
    if activity is None or activity.lesson is None:
        raise Refusal(Errno.NO_SUCH_LESSON, f"there is no classroom activity {activity_id}")
    check_activity(activity, course_id, EDIT_CLASSROOM_RULE)
    old = lessons.check_lesson(uow.lessons.get(activity.lesson), course_id)
    check_not_dual(old, Errno.BAD_VALUE)
    check_edit_phase(old, change, uow.now)
    hours = change_hours(uow, current.plan, old.hours, change)
    classroom = change_classroom(old.classroom, change, current.plan)
    recording = change_recording(uow, deps, current, old, change)
    co_teachers = uow.class_roles.list_co_teachers(old.id) if change.changes_teachers else ()
    joining = _check_new_teachers(uow, current, old, change, co_teachers)
    new = replace(
        old,
        name=change.name if change.name is not None else old.name,
        hours=hours,
        teacher=change.teacher if change.teacher is not None else old.teacher,
        classroom=classroom,
        recording=recording,
        allows_check=(change.allows_check if change.allows_check is not None else old.allows_check),
        stream=lessons.bind_stream(uow, deps, old.key, old.stream, recording),
    )
    uow.lessons.save(new)
    if change.co_teachers is not None:
        uow.class_roles.save_co_teachers(old.id, change.co_teachers)
    lessons.list_teachers(uow, course_id, joining)
    if unit is not None:
        uow.activities.save_unit_of_lesson(old.id, unit)
    extended = lessons.extend_expiry(uow, course, hours.end) if change.changes_times else []
    new_co_teachers = lessons.find_new_co_teachers(co_teachers, change.co_teachers)
    edited = EditedPair(old, new, new_co_teachers)
    lesson_messages.emit_edited_lessons(uow, school, [edited], extended)
    return new


def _refuse_identity(uow: UnitOfWork, existing: LessonId) -> Refusal:
    lesson = uow.lessons.get(existing)
    if lesson is None:
        raise LookupError(existing)
    activity = uow.activities.get_of_lesson(existing).id
    return Refusal(
        Errno.IDENTITY_TAKEN,
        f"class {existing} has this identity",
        about=ClassroomActivity(activity, lesson),
    )


def _limit_new_recording(
    uow: UnitOfWork, deps: Dependencies, school: SchoolId, plan: Plan, requested: RecordingOptions
) -> RecordingOptions:
    """Return what can be had of the recording options, and warn of what cannot."""
    possible = limit_recording(requested, plan)
    if possible.record and not can_record(uow, deps, school, plan):
        possible = RecordingOptions()
    if requested.lacks_recording or possible != requested.effective():
        uow.warn(Errno.ADDED_WITHOUT_LIVE)
    return possible


def change_hours(
    uow: UnitOfWork,
    plan: Plan,
    old: Hours,
    change: ClassroomChange,
    too_far: Errno = Errno.BAD_VALUE,
) -> Hours:
    """Return the hours after an edit; raise `Refusal` if the class cannot have them."""
    if not change.changes_times:
        return old
    hours = Hours(
        change.begins_at if change.begins_at is not None else old.begin,
        change.ends_at if change.ends_at is not None else old.end,
    )
    check_new_hours(hours, uow.now, too_far)
    check_service_term(hours, plan)
    if uow.lessons.is_in_maintenance(hours):
        raise Refusal(Errno.MAINTENANCE_OVERLAP)
    return hours


def change_recording(
    uow: UnitOfWork, deps: Dependencies, school: School, old: Lesson, change: ClassroomChange
) -> RecordingOptions:
    """Return the recording options after an edit; refuse those that cannot be had."""
    requested = change.recording
    if requested is not None:
        check_new_recording(requested)
    has_co_teachers = bool(change.co_teachers)
    check_plan(
        school.plan,
        ClassroomSettings(),
        requested or RecordingOptions(),
        has_co_teachers=has_co_teachers,
    )
    if requested is None:
        return old.recording
    is_switched_on = requested.record and not old.recording.record
    if is_switched_on and not can_record(uow, deps, school.id, school.plan):
        raise Refusal(
            Errno.RECORDING_NOT_IN_PLAN, "the video service does not work, or has no room left"
        )
    return requested.effective()


def _check_new_teachers(
    uow: UnitOfWork,
    school: School,
    old: Lesson,
    change: ClassroomChange,
    co_teachers: tuple[UserId, ...],
) -> list[CourseCandidate]:
    """Refuse new teachers who do not fit; return the people who join the class."""
    joining: list[CourseCandidate] = []
    if not change.changes_teachers:
        return joining
    teacher = change.teacher if change.teacher is not None else old.teacher
    if teacher != old.teacher:
        rows = people.find_teachers(uow, school.id, (teacher,), old.course, old.id)
        check_candidates([rows[0].candidate], LMS_TEACHER_RULE)
        if teacher in co_teachers and change.co_teachers is None:
            raise Refusal(Errno.TEACHER_IS_CO_TEACHER)
        joining += rows
    if change.co_teachers is not None:
        rows = people.find_teachers(uow, school.id, change.co_teachers, old.course, old.id)
        new = [row for row in rows if row.candidate.user not in co_teachers]
        _check_co_teachers(teacher, rows, school.plan, new)
        joining += rows
    return joining


def _check_co_teachers(
    teacher: UserId,
    rows: list[CourseCandidate],
    plan: Plan,
    new: list[CourseCandidate] | None = None,
) -> None:
    """Refuse co-teachers who do not fit, in the order of the v2 wire (READINGS Q81)."""
    if any(row.candidate.user == teacher for row in rows):
        raise Refusal(Errno.CO_TEACHER_IS_TEACHER)
    check_lms_co_teachers(
        [row.candidate.user for row in rows],
        [row.candidate for row in (rows if new is None else new)],
        plan.max_co_teachers,
    )
