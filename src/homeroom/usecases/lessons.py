"""Adding, editing and deleting classes."""

from dataclasses import replace

from homeroom.base.clock import HOUR
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.text import is_storable
from homeroom.contract.errno import Errno
from homeroom.domain.courses import (
    CHANGEABLE,
    EXPIRY_AFTER_LESSON,
    OF_LESSON,
    Course,
    admitted,
)
from homeroom.domain.lessons import (
    Change,
    Hours,
    Lesson,
    NewLesson,
    Origin,
    Phase,
    Proof,
    Recording,
    Stage,
    Switches,
    check_editable,
    check_hours,
    check_monthly,
    check_plan,
    judge_switches,
    restaged,
    staged,
)
from homeroom.domain.refusal import Refused
from homeroom.domain.schools import Plan, School, month_of
from homeroom.domain.streams import signed
from homeroom.domain.teachers import CO_TEACHER, NOBODY, TEACHER, check_co_teachers, check_fit
from homeroom.store.teachers import Known
from homeroom.store.work import Work
from homeroom.usecases.accounts import can_record, current_school
from homeroom.usecases.means import Means


def add(work: Work, means: Means, school: SchoolId, course: CourseId, wanted: NewLesson) -> Lesson:
    """Put a class on the timetable of a course of this school.

    Raises `Refused`; with IDENTITY_TAKEN it is about the class made earlier (READINGS Q1).
    """
    facts = work.lessons.facts(school, course, wanted.hours, wanted.folder, wanted.identity)
    if facts.earlier is not None:
        raise Refused(Errno.IDENTITY_TAKEN, about=work.lessons.get(facts.earlier))
    plan = facts.plan
    held = admitted(facts.course, school, work.now, CHANGEABLE)
    check_hours(wanted.hours, work.now)
    if facts.is_in_maintenance:
        raise Refused(Errno.MAINTENANCE_OVERLAP)
    if wanted.teacher == NOBODY:
        raise Refused(Errno.NOT_A_TEACHER_OF_SCHOOL, "no such teacherAccount")
    teacher, *helpers = work.teachers.candidates(
        school, (wanted.teacher, *wanted.co_teachers), course
    )
    check_fit([teacher.who], TEACHER)
    check_co_teachers(wanted.co_teachers, wanted.teacher, plan.max_co_teachers)
    check_fit([helper.who for helper in helpers], CO_TEACHER)
    stage = staged(wanted.stage, plan)
    if wanted.folder is not None and facts.folder_owner != school:
        raise Refused(Errno.FOLDER_NOT_IN_DRIVE)
    check_plan(plan, stage, wanted.switches, has_co_teachers=bool(helpers))
    _check_numbers(work, plan, school, course)
    switches = _first_switches(work, means, school, plan, wanted.switches)
    new = replace(
        wanted,
        stage=stage,
        switches=switches,
        introduction=_storable(work, wanted.introduction, Errno.ADDED_WITHOUT_INTRODUCTION),
    )
    key = means.keys.public_key()
    stream = bound(work, means, key, None, switches)
    lesson = work.lessons.add(held, new, key, stream, work.now)
    work.staff.add_co_teachers(lesson.id, wanted.co_teachers)
    _list_teachers(work, course, [teacher, *helpers])
    _push_expiry(work, held, wanted.hours)
    _note_hours(work, plan, school, wanted.hours)
    return lesson


def edit(
    work: Work,
    means: Means,
    school: SchoolId,
    course: CourseId,
    lesson: LessonId,
    change: Change,
) -> Lesson:
    """Change a class of this school; what is not in the change stays."""
    held = current_school(work, school)
    home = work.courses.held_by(school, course, work.now, OF_LESSON)
    old = own_lesson(work, course, lesson)
    check_editable(old, change, work.now)
    if change.hours is not None:
        check_hours(change.hours, work.now)
        if work.lessons.is_in_maintenance(change.hours):
            raise Refused(Errno.MAINTENANCE_OVERLAP)
    helpers_now = work.staff.co_teachers(lesson) if change.touches_teachers else ()
    persons = _check_teachers(work, held, old, helpers_now, change)
    if change.folder is not None:
        folder = work.drive.get(change.folder)
        if folder is None or folder.school != school:
            raise Refused(Errno.FOLDER_NOT_IN_DRIVE)
    stage = restaged(old.stage, change)
    _check_plan_of_edit(work, held, old, stage, change)
    switches = old.switches
    if change.switches is not None:
        switches = _judged(work, means, held, old, change.switches.on(old.switches))
    introduction = old.introduction
    if change.introduction is not None:
        introduction = _storable(
            work, change.introduction, Errno.EDITED_WITHOUT_INTRODUCTION, instead=introduction
        )
    new = replace(
        old,
        name=change.name or old.name,
        hours=change.hours or old.hours,
        teacher=change.teacher or old.teacher,
        folder=change.folder or old.folder,
        stage=stage,
        switches=switches,
        audience=old.audience.changed(change.watch_by_login, change.allow_unlogged_chat),
        introduction=introduction,
        stream=bound(work, means, old.key, old.stream, switches),
    )
    work.lessons.save(new)
    if change.co_teachers is not None:
        work.staff.set_co_teachers(lesson, change.co_teachers)
    _list_teachers(work, course, persons)
    if change.hours is not None:
        _push_expiry(work, home, change.hours)
        _note_hours(work, held.plan, school, change.hours)
    return new


def delete(work: Work, school: SchoolId, course: CourseId, lesson: LessonId) -> None:
    """Delete a class that has not been held; its identity becomes free (idempotency rules)."""
    keeps = current_school(work, school).plan.keep_identities
    work.courses.held_by(school, course, work.now, OF_LESSON)
    held = own_lesson(work, course, lesson)
    phase = held.phase(work.now)
    if phase is Phase.RUNNING:
        raise Refused(Errno.LESSON_IS_RUNNING)
    if phase is Phase.OVER:
        raise Refused(Errno.LESSON_IS_OVER)
    work.lessons.delete(held, work.now, keeps_identity=keeps)
    if keeps and held.identity is not None:
        work.note(Errno.IDENTITY_NOT_RELEASED)


def own_lesson(work: Work, course: CourseId, lesson: LessonId) -> Lesson:
    """Return a class of the course that the v1 calls may handle, or refuse it."""
    held = living_lesson(work.lessons.get(lesson), course)
    if held.origin is not Origin.V1:
        raise Refused(Errno.LESSON_MADE_ELSEWHERE)
    return held


def living_lesson(lesson: Lesson | None, course: CourseId) -> Lesson:
    """Return a class of the course that is not deleted, or refuse it."""
    if lesson is None:
        raise Refused(Errno.NO_SUCH_LESSON)
    if lesson.course != course:
        raise Refused(Errno.LESSON_NOT_IN_COURSE)
    if lesson.deleted_at is not None:
        raise Refused(Errno.LESSON_DELETED)
    return lesson


def bound(
    work: Work, means: Means, key: str, stream: Proof | None, switches: Switches
) -> Proof | None:
    """Return the pull address of a class: bound once it is recorded and live, then for ever."""
    if stream is not None or not (switches.record and switches.live):
        return stream
    return signed(key, work.now + means.pull_life, means.pull_key)


def _first_switches(
    work: Work, means: Means, school: SchoolId, plan: Plan, asked: Switches
) -> Switches:
    """Return the recording switches of a new class, and note what they could not be."""
    if asked.need_recording:
        work.note(Errno.ADDED_WITH_BAD_RECORDING)
    if asked.record and not can_record(work, means, school, plan):
        work.note(Errno.ADDED_WITHOUT_RECORDING)
        return Switches()
    return asked.effective()


def _judged(work: Work, means: Means, school: School, old: Lesson, asked: Switches) -> Switches:
    """Return the recording switches after an edit, and note what they could not become."""
    notes = {
        Recording.UNFOUNDED: Errno.EDITED_WITH_BAD_RECORDING,
        Recording.FROZEN: Errno.EDITED_RECORDING_FROZEN,
        Recording.NO_SERVICE: Errno.EDITED_WITHOUT_RECORDING,
    }
    works = can_record(work, means, school.id, school.plan)
    verdict = judge_switches(old, asked, work.now, can_record=works)
    if verdict is Recording.CHANGED:
        return asked.effective()
    work.note(notes[verdict])
    return old.switches


def _storable(work: Work, text: str, warning: Errno, instead: str = "") -> str:
    """Return an introduction, or what stands instead of one that cannot be kept."""
    if is_storable(text):
        return text
    work.note(warning)
    return instead


def _check_teachers(
    work: Work, school: School, old: Lesson, helpers_now: tuple[UserId, ...], change: Change
) -> list[Known]:
    """Refuse a new teacher or new co-teachers who do not fit; returns who joins the class."""
    if not change.touches_teachers:
        return []
    joining: list[Known] = []
    helpers_then = helpers_now if change.co_teachers is None else change.co_teachers
    if change.teacher is not None and change.teacher != old.teacher:
        known = work.teachers.candidates(school.id, (change.teacher,), old.course, old.id)
        check_fit([known[0].who], TEACHER)
        if change.teacher in helpers_then and change.co_teachers is None:
            raise Refused(Errno.TEACHER_IS_CO_TEACHER)
        joining += known
    if change.co_teachers is not None:
        teacher = change.teacher or old.teacher
        check_co_teachers(change.co_teachers, teacher, school.plan.max_co_teachers)
        known = work.teachers.candidates(school.id, change.co_teachers, old.course, old.id)
        check_fit([one.who for one in known if one.who.user not in helpers_now], CO_TEACHER)
        joining += known
        leaving = tuple(user for user in helpers_now if user not in change.co_teachers)
        if leaving and old.phase(work.now) is Phase.RUNNING:
            put_out = work.teachers.candidates(school.id, leaving)
            if any(one.who.is_cancelled for one in put_out):
                raise Refused(
                    Errno.CO_TEACHER_NOT_UNBOOKED,
                    "a cancelled co-teacher cannot be put out of a class that is running",
                )
    return joining


def _check_plan_of_edit(
    work: Work, school: School, old: Lesson, stage: Stage, change: Change
) -> None:
    """Refuse what the plan lacks: of what is sent, or of the whole class when its times change."""
    plan = school.plan
    if change.hours is None:
        sent = Stage(is_smart=change.smart or False, is_broadcast=change.broadcast or False)
        switches = Switches() if change.switches is None else change.switches.on(Switches())
        check_plan(plan, sent, switches, has_co_teachers=bool(change.co_teachers))
        return
    if stage.seats > plan.max_seats:
        raise Refused(Errno.SEATS_INVALID, f"the plan now has {plan.max_seats} seats a class")
    helpers = work.staff.co_teachers(old.id) if change.co_teachers is None else change.co_teachers
    switches = old.switches if change.switches is None else change.switches.on(old.switches)
    check_plan(plan, stage, switches, has_co_teachers=bool(helpers))
    if plan.monthly_classes:
        # An edit creates none: it is refused where the month already has more than the plan.
        created = work.quotas.created_between(school.id, *month_of(work.now, plan))
        check_monthly(plan, created - 1)


def _check_numbers(work: Work, plan: Plan, school: SchoolId, course: CourseId) -> None:
    """Refuse one class more than the course or the month may have."""
    if not (plan.max_course_classes or plan.monthly_classes):
        return
    # Two classes added at once must not both be the last one allowed.
    work.alone()
    if plan.max_course_classes and work.quotas.count_in(course) >= plan.max_course_classes:
        raise Refused(Errno.TOO_MANY_LESSONS)
    if plan.monthly_classes:
        check_monthly(plan, work.quotas.created_between(school, *month_of(work.now, plan)))


def _list_teachers(work: Work, course: CourseId, persons: list[Known]) -> None:
    """Enter the teachers of a class in the course's list of teachers."""
    work.courses.list_teachers(course, [one.who.user for one in persons if not one.is_listed])


def _push_expiry(work: Work, course: Course, hours: Hours) -> None:
    """Push the expiry of a course past a class of it (READINGS Q27)."""
    latest = hours.end + EXPIRY_AFTER_LESSON
    if course.expires_at is not None and course.expires_at < latest:
        work.courses.push_expiry(course.id, latest)


def _note_hours(work: Work, plan: Plan, school: SchoolId, hours: Hours) -> None:
    """Say so when the classroom hours that are paid for are used up."""
    if plan.classroom_hours:
        used = work.quotas.seconds_between(school, *month_of(hours.begin, plan))
        if used > plan.classroom_hours * HOUR:
            work.note(Errno.HOURS_USED_UP)
