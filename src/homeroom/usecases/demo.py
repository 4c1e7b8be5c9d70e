"""The demo school: people, courses and classes for trying calls; created once, then reused."""

import msgspec

from homeroom.base.clock import DAY, HOUR, MINUTE, Moment
from homeroom.base.ids import CourseId, FolderId, LabelId, LessonId, SchoolId, UserId
from homeroom.domain.accounts import AccountName, parse_telephone
from homeroom.domain.courses import CHANGE_RULE, CourseKind
from homeroom.domain.drive import TOP_FOLDER_NAME, Folder
from homeroom.domain.lessons import Hours, Lesson, NewLesson, RecordingOptions
from homeroom.domain.schools import School
from homeroom.domain.streams import PublishTarget, StreamKind, has_stream
from homeroom.domain.teachers import MemberRole, TeacherState
from homeroom.store.accounts import NewUser
from homeroom.store.lesson_rows import NewLessonRow
from homeroom.store.rosters import NewMember
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import courses, operations, schools
from homeroom.usecases.courses import CourseFields
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.lessons import bind_stream

SCHOOL_KEY = "demo_school"
"""Name of the SID of the demo school in the server state."""
ON_AIR_KEY = "demo_on_air"
"""Name of the id of the class that is on air in the server state."""
YOURS_KEY = "demo_yours"
"""Name of the id of the class that is free to publish in the server state."""
SCHOOL_NAME = "Demo School"
TEACHERS = ("Anna Berg", "李 老师", "Carlos Díaz")
STUDENTS = ("Amy Chen", "Ben Okoye", "Chloé Martin", "丁 小明", "Emil Novak", "Fatima Khan")
AUDITOR = "Grace Lee"
LABELS = ("Grade 7", "Grade 8", "周末班")
FOLDERS = ("Worksheets", "Slides")
MATHS, ENGLISH, SCIENCE = "Mathematics 7a", "English conversation", "Science club"
YOUR_TURN = "Go live here: from the browser, with OBS or with ffmpeg."
INTRODUCTION = (
    "Halves, thirds, quarters: we cut a cake into equal parts, take some of them,"
    " and find where that lies between 0 and 1."
)


class DemoContent(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of what the demo added to a school."""

    teachers: list[UserId]
    """The last one has neither course nor class: stopUsingTeacher answers 1."""
    students: list[UserId]
    """Members of the first course; the last one audits it."""
    courses: list[CourseId]
    labels: list[LabelId]
    folders: list[FolderId]
    lessons: list[LessonId]
    """One is over, one is tomorrow, one in a week."""


class DemoSchool(msgspec.Struct, frozen=True, kw_only=True):
    """The demo school, as the start of the server prints it."""

    school: School
    demo: DemoContent
    now: Moment
    """The server's time; a class an hour later can be added."""
    token: str | None
    """The operator's token; known only to the start that made the school."""
    on_air: PublishTarget | None = None
    """The class that the sample clip is pushed into, if there is one."""
    yours: PublishTarget | None = None
    """An open class without a publisher, for trying to publish."""


def find_or_create(uow: UnitOfWork, deps: Dependencies) -> DemoSchool:
    """Return the demo school; create it at the first call, repair it at later ones."""
    school_id = uow.server_state.get(SCHOOL_KEY)
    school = uow.schools.get(SchoolId(int(school_id))) if school_id is not None else None
    token = None
    if school is None:
        school = schools.create(uow, deps, SCHOOL_NAME)
        uow.server_state.save(SCHOOL_KEY, str(school.id))
        _, token = operations.issue_token(uow, deps, None, "demo")
    demo = _find_content(uow, school.id)
    if demo is None or not _is_usable(uow, school.id, demo):
        demo = seed(uow, deps, school.id)
    return DemoSchool(school=school, demo=demo, now=uow.now, token=token)


def put_on_air(uow: UnitOfWork, deps: Dependencies, demo_school: DemoSchool) -> DemoSchool:
    """Return the demo school with two running classes.

    The server publishes into one, the other is free; ended ones are replaced.
    """
    return msgspec.structs.replace(
        demo_school,
        on_air=_ensure_running(uow, deps, demo_school, ON_AIR_KEY, "Fractions", INTRODUCTION),
        yours=_ensure_running(uow, deps, demo_school, YOURS_KEY, "Your turn", YOUR_TURN),
    )


def get_on_air(uow: UnitOfWork) -> PublishTarget | None:
    """Return the class that the sample clip is pushed into; None if it is over or deleted."""
    return _find_open(uow, ON_AIR_KEY)


def find_unrecorded(uow: UnitOfWork, demo: DemoContent) -> Lesson | None:
    """Return the demo's past class if it is to have a replay and never had a clip."""
    lesson = uow.lessons.get(demo.lessons[0])
    if lesson is None or lesson.deleted_at is not None or not lesson.recording.replay:
        return None
    return None if uow.clips.list_of_lesson(lesson.id) else lesson


def _ensure_running(
    uow: UnitOfWork,
    deps: Dependencies,
    demo_school: DemoSchool,
    key: str,
    name: str,
    introduction: str,
) -> PublishTarget | None:
    course = demo_school.demo.courses[0]
    existing = _find_open(uow, key)
    if existing is not None and _is_reusable(existing.lesson, course, uow.now):
        return existing
    new = NewLesson(
        name=name,
        hours=Hours(uow.now - 5 * MINUTE, uow.now + 115 * MINUTE),
        recording=RecordingOptions(record=True, live=True, replay=True),
        introduction=introduction,
    )
    uow.server_state.save(
        key,
        str(
            _add_lesson(uow, deps, demo_school.school.id, course, demo_school.demo.teachers[0], new)
        ),
    )
    return _find_open(uow, key)


def _find_open(uow: UnitOfWork, key: str) -> PublishTarget | None:
    """Return the class of a name in the server state; None if it is over or deleted."""
    lesson = uow.server_state.get(key)
    target = uow.publish_sessions.get_stream(LessonId(int(lesson))) if lesson is not None else None
    if target is None or target.lesson.is_over(uow.now):
        return None
    return target if has_stream(target.lesson, StreamKind.CLASS) else None


def _is_reusable(lesson: Lesson, course: CourseId, now: Moment) -> bool:
    """Tell whether a class that was put on air can be used again."""
    hours = lesson.hours
    return lesson.course == course and lesson.recording.live and hours.begin <= now < hours.end


def seed(uow: UnitOfWork, deps: Dependencies, school: SchoolId) -> DemoContent:
    """Add the demo's people, courses and classes to a school, without the limits of its plan.

    Existing accounts, labels and folders are used; courses and classes are new.
    """
    teachers = [_ensure_person(uow, school, 1 + index, name) for index, name in enumerate(TEACHERS)]
    for user, name in zip(teachers, TEACHERS, strict=True):
        if uow.teachers.get_state(school, user) is None:
            uow.teachers.add(school, user, name, uow.now)
        uow.teachers.save_state(school, user, TeacherState.ACTIVE)
    names = (*STUDENTS, AUDITOR)
    students = [_ensure_person(uow, school, 101 + index, name) for index, name in enumerate(names)]
    listed = uow.accounts.find_students(school, students)
    missing = [pair for pair in zip(students, names, strict=True) if pair[0] not in listed]
    uow.accounts.add_students(school, missing, uow.now)
    labels = [_ensure_label(uow, school, index, name) for index, name in enumerate(LABELS)]
    folders = _ensure_folders(uow, school)
    new_courses = [
        courses.add(uow, deps, school, CourseFields(name=name, folder=folder), None)
        for name, folder in ((MATHS, folders[1]), (ENGLISH, folders[2]), (SCIENCE, None))
    ]
    maths, english, _ = new_courses
    members = list(zip(students, names, strict=True))
    _enrol(uow, maths, MemberRole.STUDENT, members[:-1])
    _enrol(uow, maths, MemberRole.AUDITOR, members[-1:])
    _enrol(uow, english, MemberRole.STUDENT, members[:3])
    uow.labels.save_of_courses({maths: (labels[0],), english: (labels[1], labels[2])})
    lessons = _add_lessons(uow, deps, school, maths, english, teachers)
    demo = DemoContent(
        teachers=teachers,
        students=students,
        courses=new_courses,
        labels=labels,
        folders=folders,
        lessons=lessons,
    )
    uow.server_state.save(_content_key(school), msgspec.json.encode(demo).decode())
    return demo


def _content_key(school: SchoolId) -> str:
    return f"demo_of_{school}"


def _find_content(uow: UnitOfWork, school: SchoolId) -> DemoContent | None:
    text = uow.server_state.get(_content_key(school))
    return msgspec.json.decode(text, type=DemoContent) if text is not None else None


def _is_usable(uow: UnitOfWork, school: SchoolId, demo: DemoContent) -> bool:
    """Tell whether a class can be added to the first course with the first teacher."""
    course = uow.courses.get(demo.courses[0])
    (row,) = uow.teachers.list_candidates(school, (demo.teachers[0],), demo.courses[0])
    return (
        course is not None
        and course.school == school
        and course.kind is CourseKind.STANDARD
        and course.deleted_at is None
        and not course.is_expired(uow.now)
        and row.candidate.state is TeacherState.ACTIVE
        and not row.candidate.is_cancelled
        and row.candidate.role is None
    )


def _ensure_person(uow: UnitOfWork, school: SchoolId, number: int, name: str) -> UserId:
    """Return an account of the demo by its number, which is the school's own."""
    account: AccountName = parse_telephone(f"00999-{school}{number:03}")
    user = uow.accounts.find_by_names([account.value]).get(account.value)
    if user is None or user.is_cancelled:
        user = uow.accounts.add(NewUser(account, name), uow.now)
        uow.accounts.add_registration(user.id, school)
    uow.school_accounts.add_named(school, [user.id])
    return user.id


def _ensure_label(uow: UnitOfWork, school: SchoolId, index: int, name: str) -> LabelId:
    existing = uow.labels.find_by_name(school, name)
    colour = ("#0091ff", "#30a46c", "#f76808")[index]
    return existing.id if existing is not None else uow.labels.add(school, name, colour, uow.now)


def _ensure_folders(uow: UnitOfWork, school: SchoolId) -> list[FolderId]:
    """Return the top folder and the demo's folders in it."""
    top = uow.drive.get_or_add_top(school, uow.now)
    parent = Folder(top, school, None, TOP_FOLDER_NAME, depth=0, is_writable=True)
    return [
        top,
        *(
            uow.drive.find_by_name(top, name) or uow.drive.add(parent, name, uow.now)
            for name in FOLDERS
        ),
    ]


def _enrol(
    uow: UnitOfWork, course: CourseId, role: MemberRole, members: list[tuple[UserId, str]]
) -> None:
    new = [NewMember(user, name, name) for user, name in members]
    uow.rosters.add(course, role, new, uow.now)


def _add_lessons(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    maths: CourseId,
    english: CourseId,
    teachers: list[UserId],
) -> list[LessonId]:
    """Add classes past and to come; past ones no partner call could add."""
    video_works = deps.video_works()
    recorded = RecordingOptions(record=video_works, live=video_works, replay=video_works)
    plan = (
        (maths, teachers[0], "Whole numbers", uow.now - DAY, recorded),
        (maths, teachers[0], "Decimals", uow.now + DAY, recorded),
        (english, teachers[1], "At the market", uow.now + 7 * DAY, RecordingOptions()),
    )
    lessons: list[LessonId] = []
    for course, teacher, name, begin, recording in plan:
        hours = Hours(begin, begin + HOUR - 15 * MINUTE)
        new = NewLesson(name=name, hours=hours, recording=recording)
        lessons.append(_add_lesson(uow, deps, school, course, teacher, new))
    return lessons


def _add_lesson(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    course_id: CourseId,
    teacher: UserId,
    new: NewLesson,
) -> LessonId:
    course = uow.courses.get_usable(school, course_id, uow.now, CHANGE_RULE)
    key = deps.keys.public_key()
    stream = bind_stream(uow, deps, key, None, new.recording)
    lesson = uow.lessons.add(course, NewLessonRow(new, teacher, key, stream), uow.now)
    uow.courses.add_teachers(course_id, [teacher])
    return lesson.id
