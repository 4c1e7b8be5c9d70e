"""The demo school: people, courses and classes to try calls on, made once and then found again."""

import msgspec

from homeroom.base.clock import DAY, HOUR, MINUTE, Moment
from homeroom.base.ids import CourseId, FolderId, LabelId, LessonId, SchoolId, UserId
from homeroom.domain.accounts import AccountName, parse_telephone
from homeroom.domain.courses import CHANGE_RULE, CourseKind
from homeroom.domain.drive import Folder
from homeroom.domain.lessons import Hours, Lesson, NewLesson, RecordingOptions
from homeroom.domain.schools import School
from homeroom.domain.streams import PublishTarget, StreamKind, has_stream
from homeroom.domain.teachers import MemberRole, TeacherState
from homeroom.store.accounts import NewUser
from homeroom.store.rosters import NewMember
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import courses, operations, schools
from homeroom.usecases.courses import CourseSettings
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.lessons import bound

SCHOOL = "demo_school"
"""The name under which the server keeps the demo school's SID."""
ON_AIR = "demo_on_air"
"""The name under which the server keeps which class of it is on the air."""
YOURS = "demo_yours"
"""The name under which it keeps which class of it waits for a newcomer to go live."""
NAME = "Demo School"
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


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """What was put into a school, by its ids."""

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
    """The demo school as a newcomer is shown it."""

    school: School
    demo: Demo
    now: Moment
    """By the server's clock: what is asked for an hour later can be added."""
    token: str | None
    """The operator's token; known only to the start that made the school."""
    on_air: PublishTarget | None = None
    """The class that the sample clip is pushed into, where one is."""
    yours: PublishTarget | None = None
    """A class that is open and that nobody pushes, for whoever wants to try that."""


def find_or_create(uow: UnitOfWork, deps: Dependencies) -> DemoSchool:
    """Return the demo school, made at the first call and made usable again at later ones."""
    kept = uow.server_state.get(SCHOOL)
    school = None if kept is None else uow.schools.get(SchoolId(int(kept)))
    token = None
    if school is None:
        school = schools.create(uow, deps, NAME)
        uow.server_state.save(SCHOOL, str(school.id))
        _, token = operations.issue_token(uow, deps, None, "demo")
    demo = _kept(uow, school.id)
    if demo is None or not _is_usable(uow, school.id, demo):
        demo = seed(uow, deps, school.id)
    return DemoSchool(school=school, demo=demo, now=uow.now, token=token)


def put_on_air(uow: UnitOfWork, deps: Dependencies, shown: DemoSchool) -> DemoSchool:
    """Return the demo school with two classes that began a while ago.

    One is pushed by us, the other waits for a newcomer; new ones are made once they have ended.
    """
    return msgspec.structs.replace(
        shown,
        on_air=_going_on(uow, deps, shown, ON_AIR, "Fractions", INTRODUCTION),
        yours=_going_on(uow, deps, shown, YOURS, "Your turn", YOUR_TURN),
    )


def on_air(uow: UnitOfWork) -> PublishTarget | None:
    """Return the class that the sample clip is pushed into, none once that is over or deleted."""
    return _open(uow, ON_AIR)


def _going_on(
    uow: UnitOfWork,
    deps: Dependencies,
    shown: DemoSchool,
    kept_as: str,
    name: str,
    introduction: str,
) -> PublishTarget | None:
    course = shown.demo.courses[0]
    held = _open(uow, kept_as)
    if held is not None and _goes_on(held.lesson, course, uow.now):
        return held
    new = NewLesson(
        name=name,
        hours=Hours(uow.now - 5 * MINUTE, uow.now + 115 * MINUTE),
        teacher=shown.demo.teachers[0],
        recording=RecordingOptions(record=True, live=True, replay=True),
        introduction=introduction,
    )
    uow.server_state.save(kept_as, str(_lesson(uow, deps, shown.school.id, course, new)))
    return _open(uow, kept_as)


def _open(uow: UnitOfWork, kept_as: str) -> PublishTarget | None:
    """Return a class by the name it is kept under, none once it is over or deleted."""
    kept = uow.server_state.get(kept_as)
    held = None if kept is None else uow.publish_sessions.get_stream(LessonId(int(kept)))
    if held is None or held.lesson.is_over(uow.now):
        return None
    return held if has_stream(held.lesson, StreamKind.CLASS) else None


def _goes_on(lesson: Lesson, course: CourseId, now: Moment) -> bool:
    """Tell whether a class that was put on the air is the one to show."""
    hours = lesson.hours
    return lesson.course == course and lesson.recording.live and hours.begin <= now < hours.end


def seed(uow: UnitOfWork, deps: Dependencies, school: SchoolId) -> Demo:
    """Put the demo's people, courses and classes into a school, whatever its plan allows.

    Accounts, labels and folders that are there already are used; courses and classes are new.
    """
    teachers = [_person(uow, school, 1 + place, name) for place, name in enumerate(TEACHERS)]
    for user, name in zip(teachers, TEACHERS, strict=True):
        if uow.teachers.get_state(school, user) is None:
            uow.teachers.add(school, user, name, uow.now)
        uow.teachers.save_state(school, user, TeacherState.ACTIVE)
    names = (*STUDENTS, AUDITOR)
    students = [_person(uow, school, 101 + place, name) for place, name in enumerate(names)]
    listed = uow.accounts.find_students(school, students)
    new = [pair for pair in zip(students, names, strict=True) if pair[0] not in listed]
    uow.accounts.add_students(school, new, uow.now)
    labels = [_label(uow, school, place, name) for place, name in enumerate(LABELS)]
    folders = _folders(uow, school)
    made = [
        courses.add(uow, deps, school, CourseSettings(name=name, folder=folder), None)
        for name, folder in ((MATHS, folders[1]), (ENGLISH, folders[2]), (SCIENCE, None))
    ]
    maths, english, _ = made
    members = list(zip(students, names, strict=True))
    _enrol(uow, maths, MemberRole.STUDENT, members[:-1])
    _enrol(uow, maths, MemberRole.AUDITOR, members[-1:])
    _enrol(uow, english, MemberRole.STUDENT, members[:3])
    uow.labels.save_of_courses({maths: (labels[0],), english: (labels[1], labels[2])})
    lessons = _lessons(uow, deps, school, maths, english, teachers)
    demo = Demo(
        teachers=teachers,
        students=students,
        courses=made,
        labels=labels,
        folders=folders,
        lessons=lessons,
    )
    uow.server_state.save(_name(school), msgspec.json.encode(demo).decode())
    return demo


def _name(school: SchoolId) -> str:
    return f"demo_of_{school}"


def _kept(uow: UnitOfWork, school: SchoolId) -> Demo | None:
    text = uow.server_state.get(_name(school))
    return None if text is None else msgspec.json.decode(text, type=Demo)


def _is_usable(uow: UnitOfWork, school: SchoolId, demo: Demo) -> bool:
    """Tell whether a class can be added to the first course with the first teacher."""
    course = uow.courses.get(demo.courses[0])
    (known,) = uow.teachers.list_candidates(school, (demo.teachers[0],), demo.courses[0])
    return (
        course is not None
        and course.school == school
        and course.kind is CourseKind.STANDARD
        and course.deleted_at is None
        and not course.is_expired(uow.now)
        and known.candidate.state is TeacherState.ACTIVE
        and not known.candidate.is_cancelled
        and known.candidate.role is None
    )


def _person(uow: UnitOfWork, school: SchoolId, number: int, name: str) -> UserId:
    """Return an account of the demo by its number, which is the school's own."""
    known_as: AccountName = parse_telephone(f"00999-{school}{number:03}")
    user = uow.accounts.find_by_names([known_as.value]).get(known_as.value)
    if user is None or user.is_cancelled:
        user = uow.accounts.add(NewUser(known_as, name, None), uow.now)
    return user.id


def _label(uow: UnitOfWork, school: SchoolId, place: int, name: str) -> LabelId:
    known = uow.labels.find_by_name(school, name)
    colour = ("#0091ff", "#30a46c", "#f76808")[place]
    return uow.labels.add(school, name, colour, uow.now) if known is None else known.id


def _folders(uow: UnitOfWork, school: SchoolId) -> list[FolderId]:
    """Return the top folder and the demo's folders in it."""
    top = uow.drive.get_or_add_top(school, uow.now)
    held = Folder(top, school, depth=0, is_writable=True)
    return [
        top,
        *(
            uow.drive.find_by_name(top, name) or uow.drive.add(held, name, uow.now)
            for name in FOLDERS
        ),
    ]


def _enrol(
    uow: UnitOfWork, course: CourseId, role: MemberRole, members: list[tuple[UserId, str]]
) -> None:
    new = [NewMember(user, name, name) for user, name in members]
    uow.rosters.add(course, role, new, uow.now)


def _lessons(
    uow: UnitOfWork,
    deps: Dependencies,
    school: SchoolId,
    maths: CourseId,
    english: CourseId,
    teachers: list[UserId],
) -> list[LessonId]:
    """Add classes past and to come; past ones no partner call could add."""
    works = deps.video_works()
    recorded = RecordingOptions(record=works, live=works, replay=works)
    wanted = (
        (maths, teachers[0], "Whole numbers", uow.now - DAY, recorded),
        (maths, teachers[0], "Decimals", uow.now + DAY, recorded),
        (english, teachers[1], "At the market", uow.now + 7 * DAY, RecordingOptions()),
    )
    numbers: list[LessonId] = []
    for course, teacher, name, begin, switches in wanted:
        hours = Hours(begin, begin + HOUR - 15 * MINUTE)
        new = NewLesson(name=name, hours=hours, teacher=teacher, recording=switches)
        numbers.append(_lesson(uow, deps, school, course, new))
    return numbers


def _lesson(
    uow: UnitOfWork, deps: Dependencies, school: SchoolId, course: CourseId, new: NewLesson
) -> LessonId:
    held = uow.courses.get_usable(school, course, uow.now, CHANGE_RULE)
    key = deps.keys.public_key()
    stream = bound(uow, deps, key, None, new.recording)
    lesson = uow.lessons.add(held, new, key, stream, uow.now)
    uow.courses.add_teachers(course, [new.teacher])
    return lesson.id
