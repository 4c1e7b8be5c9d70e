"""A school sees the accounts that it named, and no other: case S2."""

from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import select, update

from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.base.masking import mask_account
from homeroom.contract.action import Action
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.paged import ReadBack as ReadBackAddress
from homeroom.contract.readback import READ_BACKS
from homeroom.domain.viewers import ViewerKind
from homeroom.store.tables import course_members, messages, students
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import logins
from tests.support.given import Given
from tests.support.message_rows import add_endpoint
from tests.support.readback import ReadBack
from tests.support.wire import Reply, Value

MD5: Final = "0" * 32
STUDENT, TEACHER, HELPER, AUDITOR, NICKNAMED = range(5)


@pytest.fixture
def read(given: Given) -> Iterator[ReadBack]:
    """Read as the fresh school."""
    readback = ReadBack(given)
    yield readback
    readback.close()


class Canaries:
    """People of another school, whose accounts this school must see nowhere."""

    def __init__(self, other: Given) -> None:
        numbers = [other.telephone() for _ in range(4)]
        self.accounts = [*numbers[:3], f"canary{numbers[3]}@school.test", other.telephone()]
        self.nickname = f"Canary of {numbers[0][-4:]}"
        forms: list[dict[str, Value]] = [{"telephone": number} for number in numbers[:3]]
        forms += [{"telephone": None, "email": self.accounts[AUDITOR]}]
        forms += [{"telephone": self.accounts[NICKNAMED], "nickname": self.nickname}]
        self.uids = [other.user(**form) for form in forms]

    def check(self, where: object, text: str) -> None:
        """Make sure that no canary is in a text."""
        for word in (*self.accounts, self.nickname):
            assert word not in text, (where, word)


class Intruder:
    """A school that names the canaries by UID wherever a call takes one."""

    def __init__(self, given: Given, canaries: Canaries) -> None:
        given.plan(stop_delay=0)
        self.given = given
        self.uids = canaries.uids
        self.courses: list[CourseId] = []
        self.lessons: list[LessonId] = []

    def call(self, action: Action[Any, Any]) -> Reply:
        """Make a call in a course and a class of its own."""
        course = self.given.course()
        lesson = self.given.lesson(course, record=1, live=1, replay=1)
        self.courses.append(course)
        self.lessons.append(lesson)
        fields: dict[str, Value] = {}
        for slot in action.reader().fields:
            name = slot.names[0]
            value = self._choose(name, course, lesson)
            if value is not None:
                fields[name] = value
        return self.given.api.call(action.name, **fields)

    def _choose(self, name: str, course: CourseId, lesson: LessonId) -> Value:
        """Return a value for a parameter; every UID is one of a canary."""
        student, teacher, helper, *_ = self.uids
        own: dict[str, Value] = {
            "telephone": self.given.telephone(),
            "md5pass": MD5,
            "userJson": [{"telephone": self.given.telephone(), "md5pass": MD5}],
            "courseId": course,
            "classId": lesson,
            "courseName": "Course",
            "className": "Class",
            "beginTime": self.given.now + 3600,
            "endTime": self.given.now + 7200,
            "studentName": "x",
            "teacherName": "y",
            "identity": 1,
            "labelName": self.given.telephone(),
            "isLock": 1,
            "classJson": [{"classId": lesson, "live": 1}],
            "studentUidJson": list(self.uids),
            "studentJson": [{"uid": uid} for uid in self.uids],
            "mainTeacherUid": teacher,
            "teacherUid": teacher,
            "assistantUids": [helper],
            "assistantUid": None,  # the same as assistantUids
            "record": 1,
            "live": 1,
        }
        if name in own:
            return own[name]
        is_uid = "uid" in name.lower()
        return ([student] if name.endswith("s") else student) if is_uid else None

    def use(self, canaries: Canaries) -> None:
        """Bring the canaries onto all lists, into a course, and onto the pages."""
        student, teacher, helper, auditor, nicknamed = canaries.uids
        given = self.given
        for uid in (student, auditor, nicknamed):
            given.done("addSchoolStudent", studentUid=uid, studentName="x")
        for uid in (teacher, helper):
            given.done("addTeacher", teacherUid=uid, teacherName="y")
        course = given.course(mainTeacherUid=teacher)
        given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
        # An auditor without a name is called like the account, where that may be seen.
        entries = [{"uid": auditor}, {"uid": nicknamed}]
        given.done("addCourseStudentMultiple", courseId=course, identity=2, studentJson=entries)
        lesson = given.lesson(
            course, teacherUid=teacher, assistantUids=[helper], record=1, live=1, replay=1
        )
        for uid in (student, auditor, nicknamed):
            given.viewer(lesson, identity=f"user:{uid}", kind=ViewerKind.USER, user=uid, name="v")
        self.courses.append(course)
        self.lessons.append(lesson)

    def read_all(self, read: ReadBack, address: ReadBackAddress) -> Iterator[tuple[str, str]]:
        """Return the answers of an address for all courses and classes, and as a table."""
        for path in self._fill(address.path):
            for query in [{}, {"format": "csv"}] if address.has_table else [{}]:
                answer = read.get(path, **query)
                assert answer.status_code == 200, (path, answer.text)
                yield path, answer.text

    def _fill(self, path: str) -> list[str]:
        if "{courseId}" in path:
            return [path.format(courseId=course) for course in self.courses]
        if "{classId}" in path:
            return [path.format(classId=lesson) for lesson in self.lessons]
        if "{messageId}" in path:
            of_school = messages.c.school_id == self.given.school.id
            rows = self.given.rows(select(messages.c.id).where(of_school))
            return [path.format(messageId=number) for (number,) in rows]
        if "{endpointId}" in path:
            return [path.format(endpointId=add_endpoint(self.given, kinds=("award",)))]
        assert "{" not in path, "an id that this test does not know"
        return [path]


def test_no_call_list_or_page_shows_an_account_of_another_school(
    given: Given, read: ReadBack
) -> None:
    canaries = Canaries(given.other())
    intruder = Intruder(given, canaries)
    intruder.use(canaries)
    errnos = {}
    for action in ACTIONS:
        reply = intruder.call(action)
        errnos[action.name] = reply.errno
        canaries.check(action.name, f"{reply.body} {reply.headers}")
    done = {name for name, errno in errnos.items() if errno == 1}
    assert {"addCourseClass", "editCourse", "addCourseStudentMultiple", "addCourse"} <= done

    shown = ""
    for address in READ_BACKS:
        for path, text in intruder.read_all(read, address):
            canaries.check(path, text)
            shown += text
    for account in canaries.accounts:
        assert mask_account(account) in shown
    for lesson in intruder.lessons:
        key = given.seen(lesson).key
        for page in (f"/class/{key}", f"/class/{key}/class.ics"):
            canaries.check(page, httpx.get(given.house.url + page, trust_env=False).text)


def test_the_operator_sees_all_accounts(given: Given) -> None:
    canaries = Canaries(given.other())
    Intruder(given, canaries).use(canaries)
    read = ReadBack(given, of_operator=True)
    rows = read.rows("/students", SID=given.school.id)
    read.close()
    shown = {row["account"] for row in rows}
    assert {canaries.accounts[STUDENT], canaries.accounts[AUDITOR]} <= shown


def test_a_filter_by_account_finds_only_what_may_be_seen(given: Given, read: ReadBack) -> None:
    canaries = Canaries(given.other())
    intruder = Intruder(given, canaries)
    intruder.use(canaries)
    course, lesson = intruder.courses[0], intruder.lessons[0]
    members = (f"/courses/{course}/members", f"/classes/{lesson}/members")
    for path in ("/students", "/teachers", *members):
        for account in (*canaries.accounts, *map(mask_account, canaries.accounts)):
            assert read.rows(path, account=account) == []
    own = given.telephone()
    uid = given.user(telephone=own, addToSchoolMember=1)
    assert read.row("/students", account=own)["uid"] == uid
    assert read.row("/students", uid=canaries.uids[STUDENT])["account"] == mask_account(
        canaries.accounts[STUDENT]
    )


def name_by_register(given: Given, account: str) -> None:
    assert given.api.call("register", telephone=account, md5pass=MD5).errno == 135


def name_by_register_multiple(given: Given, account: str) -> None:
    entries = [{"telephone": account, "md5pass": MD5}]
    assert given.api.call("registerMultiple", userJson=entries).errnos == [135]


def name_by_message(given: Given, account: str) -> None:
    fields: dict[str, Value] = {"isSentMessage": 1, "addToSchoolMember": 1}
    assert given.api.call("register", telephone=account, **fields).errno == 135


def name_by_refused_student(given: Given, account: str) -> None:
    fields: dict[str, Value] = {"studentAccount": account, "studentName": "x"}
    assert given.api.call("addSchoolStudent", **fields).errno == 133


def name_by_teacher(given: Given, account: str) -> None:
    given.done("addTeacher", teacherAccount=account, teacherName="y")


def name_by_refused_stop(given: Given, account: str) -> None:
    assert given.api.call("stopUsingTeacher", teacherAccount=account).errno == 136


def name_by_course(given: Given, account: str) -> None:
    fields: dict[str, Value] = {"mainTeacherAccount": account, "courseName": "Course"}
    assert given.api.call("addCourse", **fields).errno != 1


def name_by_class(given: Given, account: str) -> None:
    form = given.lesson_form(teacherAccount=account)
    assert given.api.call("addCourseClass", **form).errno == 136


def name_by_roster(given: Given, account: str) -> None:
    entries = [{"account": account}]
    fields: dict[str, Value] = {"courseId": given.course(), "identity": 1, "studentJson": entries}
    assert given.api.call("addCourseStudentMultiple", **fields).errnos == [1]


def name_by_guest(given: Given, account: str) -> None:
    course = given.course()
    fields: dict[str, Value] = {"courseId": course, "classId": given.lesson(course)}
    entries = [{"account": account}]
    given.done("addClassStudentMultiple", **fields, studentJson=entries)


def name_by_removal(given: Given, account: str) -> None:
    fields: dict[str, Value] = {"courseId": given.course(), "identity": 1, "studentJson": [account]}
    assert given.api.call("delCourseStudentMultiple", **fields).errno == 1


@pytest.mark.parametrize(
    "name",
    [
        name_by_register,
        name_by_register_multiple,
        name_by_message,
        name_by_refused_student,
        name_by_teacher,
        name_by_refused_stop,
        name_by_course,
        name_by_class,
        name_by_roster,
        name_by_guest,
        name_by_removal,
    ],
    ids=lambda name: name.__name__,
)
def test_an_account_is_shown_from_the_call_that_names_it(
    given: Given,
    read: ReadBack,
    name: Any,  # noqa: ANN401  one of the functions above
) -> None:
    account = given.telephone()
    uid = given.other().user(telephone=account)
    given.done("addSchoolStudent", studentUid=uid, studentName="x")
    assert read.row("/students", uid=uid)["account"] == mask_account(account)
    name(given, account)
    assert read.row("/students", uid=uid)["account"] == account
    assert read.row("/students", account=account)["uid"] == uid


def test_the_school_that_registered_sees_its_accounts_and_the_school_account(
    given: Given, read: ReadBack
) -> None:
    number = given.telephone()
    uid = given.user(telephone=number, addToSchoolMember=1)
    assert read.row("/students", uid=uid)["account"] == number
    given.done("addTeacher", teacherUid=given.school.owner, teacherName="Head")
    assert read.row("/teachers", uid=given.school.owner)["account"].startswith("00999-")


def test_names_that_earlier_versions_took_from_the_account_are_masked(
    given: Given, read: ReadBack
) -> None:
    canaries = Canaries(given.other())
    intruder = Intruder(given, canaries)
    intruder.use(canaries)
    uid, account = canaries.uids[STUDENT], canaries.accounts[STUDENT]
    given.write(update(students).where(students.c.user_id == uid).values(name=account))
    given.write(
        update(course_members)
        .where(course_members.c.user_id == uid)
        .values(name=account, nickname=account)
    )
    masked = mask_account(account)
    assert read.row("/students", uid=uid)["name"] == masked
    member = read.row(f"/courses/{intruder.courses[0]}/members", uid=uid)
    assert (member["name"], member["nickname"]) == (masked, masked)


def test_another_school_s_nickname_is_not_taken_over(given: Given, read: ReadBack) -> None:
    telephone = given.telephone()
    uid = given.other().user(telephone=telephone, nickname="Their word", addToSchoolMember=1)
    call = given.api.call
    fields: dict[str, Value] = {"telephone": telephone, "md5pass": MD5, "addToSchoolMember": 1}
    assert call("register", **fields, nickname="Our word").errno == 135
    assert read.row("/students", uid=uid)["name"] == "Our word"

    def name_on_pages(school: int) -> str:
        def unit(uow: UnitOfWork) -> str:
            user = uow.accounts.get(uid)
            assert user is not None
            return logins.get_viewer_name(uow, SchoolId(school), user)

        return given.store.read(unit)

    assert name_on_pages(given.school.id) == "Our word"
    assert name_on_pages(given.other().school.id) == "Their word"
