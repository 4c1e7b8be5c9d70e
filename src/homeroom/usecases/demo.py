"""The demo school: people, courses and classes to try calls on, made once and then found again."""

import msgspec

from homeroom.base.clock import DAY, HOUR, MINUTE, Moment
from homeroom.base.ids import CourseId, FolderId, LabelId, LessonId, SchoolId, UserId
from homeroom.domain.accounts import AccountName, telephone
from homeroom.domain.courses import CHANGEABLE, CourseKind
from homeroom.domain.drive import Folder
from homeroom.domain.lessons import Hours, NewLesson, Stage, Switches
from homeroom.domain.schools import School
from homeroom.domain.teachers import Role, TeacherState
from homeroom.store.accounts import NewUser
from homeroom.store.rosters import NewMember
from homeroom.store.work import Work
from homeroom.usecases import courses, operations, schools
from homeroom.usecases.courses import CourseSettings
from homeroom.usecases.lessons import bound
from homeroom.usecases.means import Means

SCHOOL = "demo_school"
"""The name under which the server keeps the demo school's SID."""
NAME = "Demo School"
TEACHERS = ("Anna Berg", "李 老师", "Carlos Díaz")
STUDENTS = ("Amy Chen", "Ben Okoye", "Chloé Martin", "丁 小明", "Emil Novak", "Fatima Khan")
AUDITOR = "Grace Lee"
LABELS = ("Grade 7", "Grade 8", "周末班")
FOLDERS = ("Worksheets", "Slides")
MATHS, ENGLISH, SCIENCE = "Mathematics 7a", "English conversation", "Science club"


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


def find_or_create(work: Work, means: Means) -> DemoSchool:
    """Return the demo school, made at the first call and made usable again at later ones."""
    kept = work.operations.kept(SCHOOL)
    school = None if kept is None else work.schools.get(SchoolId(int(kept)))
    token = None
    if school is None:
        school = schools.create(work, means, NAME)
        work.operations.keep(SCHOOL, str(school.id))
        _, token = operations.issue_token(work, means, None, "demo")
    demo = _kept(work, school.id)
    if demo is None or not _is_usable(work, school.id, demo):
        demo = seed(work, means, school.id)
    return DemoSchool(school=school, demo=demo, now=work.now, token=token)


def seed(work: Work, means: Means, school: SchoolId) -> Demo:
    """Put the demo's people, courses and classes into a school, whatever its plan allows.

    Accounts, labels and folders that are there already are used; courses and classes are new.
    """
    teachers = [_person(work, school, 1 + place, name) for place, name in enumerate(TEACHERS)]
    for user, name in zip(teachers, TEACHERS, strict=True):
        if work.teachers.state(school, user) is None:
            work.teachers.add(school, user, name, work.now)
        work.teachers.set_state(school, user, TeacherState.ACTIVE)
    names = (*STUDENTS, AUDITOR)
    students = [_person(work, school, 101 + place, name) for place, name in enumerate(names)]
    listed = work.accounts.school_students(school, students)
    new = [pair for pair in zip(students, names, strict=True) if pair[0] not in listed]
    work.accounts.add_students(school, new, work.now)
    labels = [_label(work, school, place, name) for place, name in enumerate(LABELS)]
    folders = _folders(work, school)
    made = [
        courses.add(work, means, school, CourseSettings(name=name, folder=folder), None)
        for name, folder in ((MATHS, folders[1]), (ENGLISH, folders[2]), (SCIENCE, None))
    ]
    maths, english, _ = made
    members = list(zip(students, names, strict=True))
    _enrol(work, maths, Role.STUDENT, members[:-1])
    _enrol(work, maths, Role.AUDITOR, members[-1:])
    _enrol(work, english, Role.STUDENT, members[:3])
    work.labels.set_of_courses({maths: (labels[0],), english: (labels[1], labels[2])})
    lessons = _lessons(work, means, school, maths, english, teachers)
    demo = Demo(
        teachers=teachers,
        students=students,
        courses=made,
        labels=labels,
        folders=folders,
        lessons=lessons,
    )
    work.operations.keep(_name(school), msgspec.json.encode(demo).decode())
    return demo


def _name(school: SchoolId) -> str:
    return f"demo_of_{school}"


def _kept(work: Work, school: SchoolId) -> Demo | None:
    text = work.operations.kept(_name(school))
    return None if text is None else msgspec.json.decode(text, type=Demo)


def _is_usable(work: Work, school: SchoolId, demo: Demo) -> bool:
    """Tell whether a class can be added to the first course with the first teacher."""
    course = work.courses.get(demo.courses[0])
    (known,) = work.teachers.candidates(school, (demo.teachers[0],), demo.courses[0])
    return (
        course is not None
        and course.school == school
        and course.kind is CourseKind.STANDARD
        and course.deleted_at is None
        and not course.is_expired(work.now)
        and known.who.state is TeacherState.ACTIVE
        and not known.who.is_cancelled
        and known.who.role is None
    )


def _person(work: Work, school: SchoolId, number: int, name: str) -> UserId:
    """Return an account of the demo by its number, which is the school's own."""
    known_as: AccountName = telephone(f"00999-{school}{number:03}")
    user = work.accounts.named([known_as.value]).get(known_as.value)
    if user is None or user.is_cancelled:
        user = work.accounts.add(NewUser(known_as, name, None), work.now)
    return user.id


def _label(work: Work, school: SchoolId, place: int, name: str) -> LabelId:
    known = work.labels.named(school, name)
    colour = ("#0091ff", "#30a46c", "#f76808")[place]
    return work.labels.add(school, name, colour, work.now) if known is None else known.id


def _folders(work: Work, school: SchoolId) -> list[FolderId]:
    """Return the top folder and the demo's folders in it."""
    top = work.drive.top(school, work.now)
    held = Folder(top, school, depth=0, is_writable=True)
    return [
        top,
        *(work.drive.named(top, name) or work.drive.add(held, name, work.now) for name in FOLDERS),
    ]


def _enrol(work: Work, course: CourseId, role: Role, members: list[tuple[UserId, str]]) -> None:
    new = [NewMember(user, name, name) for user, name in members]
    work.rosters.add(course, role, new, work.now)


def _lessons(
    work: Work,
    means: Means,
    school: SchoolId,
    maths: CourseId,
    english: CourseId,
    teachers: list[UserId],
) -> list[LessonId]:
    """Add classes past and to come; past ones no partner call could add."""
    works = means.video_works()
    recorded = Switches(record=works, live=works, replay=works)
    wanted = (
        (maths, "Fractions", work.now - DAY, recorded),
        (maths, "Decimals", work.now + DAY, recorded),
        (english, "At the market", work.now + 7 * DAY, Switches()),
    )
    numbers: list[LessonId] = []
    for course, name, begin, switches in wanted:
        held = work.courses.held_by(school, course, work.now, CHANGEABLE)
        teacher = teachers[0] if course == maths else teachers[1]
        new = NewLesson(
            name=name,
            hours=Hours(begin, begin + HOUR - 15 * MINUTE),
            teacher=teacher,
            stage=Stage(),
            switches=switches,
        )
        key = means.keys.public_key()
        stream = bound(work, means, key, None, switches)
        lesson = work.lessons.add(held, new, key, stream, work.now)
        work.courses.list_teachers(course, [teacher])
        numbers.append(lesson.id)
    return numbers
