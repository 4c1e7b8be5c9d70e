"""Links into a class: who gets one, what is in it, and where its web address leads."""

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select

from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.contract.entry_links import GET_LOGIN_LINKED
from homeroom.domain.lessons import Lesson
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from homeroom.domain.webcasts import Hosts, build_client_link, build_entry_url
from homeroom.store.tables import lesson_absences, lessons, users
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.wire import Reply, Value

STRANGER: Final = UserId(10**9)
AUDITOR: Final = 2


def ask(given: Given, lesson: LessonId, uid: UserId | None = None, **fields: Value) -> Reply:
    """Call getLoginLinked for a user and a class of its own course."""
    form = {"courseId": given.seen(lesson).course, "classId": lesson, "uid": uid, **fields}
    return given.api.call("getLoginLinked", **form)


def own(given: Given) -> tuple[LessonId, UserId]:
    """Return a class and a student of its course."""
    course = given.course()
    return given.lesson(course), given.member(course)


def with_member(given: Given, **fields: Value) -> Reply:
    """Call for a student of the class, with other fields."""
    lesson, student = own(given)
    return ask(given, lesson, student, **fields)


def in_other_state(given: Given, **columns: Any) -> Reply:  # noqa: ANN401  columns of a course
    """Call for a student of a class whose course is in another state."""
    lesson, student = own(given)
    given.set_course(given.seen(lesson).course, **columns)
    return ask(given, lesson, student)


def of_deleted_class(given: Given) -> Reply:
    """Call for a class that was deleted."""
    lesson, student = own(given)
    given.done("delCourseClass", courseId=given.seen(lesson).course, classId=lesson)
    return ask(given, lesson, student)


def of_class_that_is_over(given: Given) -> Reply:
    """Call for a class after its overtime."""
    lesson, student = own(given)
    given.until(given.seen(lesson).hours.end + OVERTIME_SECONDS)
    return ask(given, lesson, student)


def of_sub_class(given: Given) -> Reply:
    """Call for a sub class of a dual-teacher class."""
    lesson, student = own(given)
    main = given.lesson()
    given.write(lessons.update().where(lessons.c.id == lesson).values(main_lesson_id=main))
    return ask(given, lesson, student)


def for_absent(given: Given) -> Reply:
    """Call for a student who was transferred out of the class."""
    lesson, student = own(given)
    given.write(lesson_absences.insert().values(lesson_id=lesson, user_id=student))
    return ask(given, lesson, student)


def for_head_teacher(given: Given) -> Reply:
    """Call for the head teacher of the course, who does not teach the class."""
    head = given.teacher()
    return ask(given, given.lesson(given.course(mainTeacherUid=head)), head)


def for_cancelled(given: Given) -> Reply:
    """Call for a student whose account was cancelled."""
    lesson, student = own(given)
    return ask(given, lesson, given.cancelled(student))


def email_student(given: Given, course: CourseId) -> UserId:
    """Return a student of the course whose account has no telephone number."""
    address = f"{given.telephone()}@school.test"
    student = given.user(telephone=None, email=address, addToSchoolMember=1)
    given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
    return student


def for_email(given: Given) -> Reply:
    """Call for a student without a telephone number."""
    course = given.course()
    return ask(given, given.lesson(course), email_student(given, course))


CASES: Final = (
    Case(1, with_member),
    *common(GET_LOGIN_LINKED, uid=1, courseId=1, classId=1),
    Case(134, lambda g: ask(g, g.lesson(), telephone="12345")),
    Case(134, lambda g: ask(g, g.lesson(), telephone="12000000000")),
    Case(144, lambda g: with_member(g, courseId=10**9)),
    Case(144, lambda g: with_member(g, courseId=g.other().course())),
    Case(143, lambda g: with_member(g, classId=10**9)),
    Case(142, lambda g: with_member(g, courseId=g.course())),
    Case(142, lambda g: with_member(g, classId=g.other().lesson())),
    Case(212, of_deleted_class),
    Case(212, lambda g: in_other_state(g, deleted_at=1)),
    Case(369, lambda g: in_other_state(g, kind="public")),
    Case(369, lambda g: in_other_state(g, kind="dual")),
    Case(369, of_sub_class),
    Case(145, of_class_that_is_over),
    Case(150, lambda g: ask(g, g.lesson(), STRANGER)),
    Case(150, lambda g: ask(g, g.lesson(), g.student())),
    Case(150, lambda g: ask(g, g.lesson(), telephone=g.telephone())),
    Case(150, for_absent),
    Case(150, for_head_teacher),
    Case(888, for_cancelled),
    Case(467, for_email),
)


def test_the_table_has_every_number_of_the_action() -> None:
    check_table(GET_LOGIN_LINKED, CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_get_login_linked(given: Given, case: Case) -> None:
    case.run(given)


# --- members and links ---------------------------------------------------------------------------


def test_every_member_and_the_accounts_of_the_school_get_a_link(given: Given) -> None:
    course = given.course()
    teacher, helper = given.teacher(), given.teacher()
    lesson = given.lesson(course, teacherUid=teacher, assistantUid=helper)
    allowed = [
        teacher,
        helper,
        given.member(course),
        given.member(course, AUDITOR),
        given.guest(lesson, given.student()),
        given.school.owner,
        given.sub_account(given.user()),
    ]
    assert [ask(given, lesson, user).errno for user in allowed] == [1] * len(allowed)
    given.set_course(course, expires_at=1, ended_at=1)
    assert ask(given, lesson, teacher).errno == 1


def test_a_link_has_the_documented_scheme_path_and_query(given: Given) -> None:
    course = given.course()
    telephone = f"001-{given.telephone()}"
    student = given.user(telephone=telephone, addToSchoolMember=1)
    given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
    lesson = given.lesson(course)
    query = f"telephone={telephone}&classId={lesson}&courseId={course}&schoolId={given.school.id}"
    host = urlsplit(given.house.url).netloc
    client = f"classin://{host}/enterclass?{query}"
    web = f"{given.house.url}/client/mobile/ios/enterclass/?{query}"
    for device, link in ((1, client), (2, web), (3, client), (9, client), ("x", client)):
        assert ask(given, lesson, student, deviceType=device, lifeTime="-1").data == link
    assert ask(given, lesson, student, lifeTime="").data == client
    assert ask(given, lesson, telephone=telephone).data == client
    assert ask(given, lesson, student, telephone="12345").data == client


def test_a_refusal_names_the_member_and_the_time(given: Given) -> None:
    lesson = given.lesson()
    assert ask(given, lesson, STRANGER).reason == f"UID {STRANGER} is no member of class {lesson}"
    given.closed_early(lesson)
    reply = ask(given, lesson, STRANGER)
    assert (reply.errno, f"class {lesson} " in reply.reason) == (145, True), reply.reason


def test_the_host_of_a_link_follows_the_setting(given: Given) -> None:
    lesson: Lesson = given.seen(given.lesson())
    hosts = Hosts("http://here:8080", "", "", links="https://www.example.org")
    assert build_client_link(lesson, "1", hosts).startswith("classin://www.example.org/enterclass?")
    prefix = "https://www.example.org/client/mobile/ios/enterclass/?telephone=0%2B%20%261&classId="
    assert build_entry_url(lesson, "0+ &1", hosts).startswith(prefix)


def test_a_number_that_the_school_does_not_know_is_masked(given: Given) -> None:
    telephone = given.telephone()
    student = given.other().user(telephone=telephone)
    course = given.course()
    given.done("addSchoolStudent", studentUid=student, studentName="Student")
    given.done("addCourseStudent", courseId=course, identity=1, studentUid=student)
    lesson = given.lesson(course)
    reply = ask(given, lesson, student)
    assert (reply.errno, telephone in reply.data) == (1, False)
    assert parse_qs(urlsplit(reply.data).query)["telephone"] == [
        f"{telephone[:3]}****{telephone[-4:]}"
    ]
    assert "masked" in reply.reason
    assert telephone in ask(given, lesson, telephone=telephone).data


# --- where the web address leads ------------------------------------------------------------------


def follow(given: Given, link: str, **fields: str) -> httpx.Response:
    """Open a link at the server, as a browser of its own network does."""
    address = f"2001:db8:1:{given.school.id % 2**16:x}::1"
    url = f"{given.house.url}{urlsplit(link).path}"
    query = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    headers = {"x-forwarded-for": address}
    return httpx.get(url, params={**query, **fields}, headers=headers, timeout=30, trust_env=False)


def test_the_web_address_leads_to_the_page_of_the_class(given: Given) -> None:
    lesson, student = own(given)
    link = ask(given, lesson, student, deviceType=2).data
    answer = follow(given, link)
    page = f"/live.php?lessonKey={given.seen(lesson).key}"
    assert (answer.status_code, answer.headers["location"]) == (302, page)
    assert answer.headers["cache-control"] == "no-store"
    assert follow(given, link, lang="zh").headers["location"] == f"{page}&lang=zh"
    between = link.replace("/client/mobile/ios/enterclass/", "/client/invoke/index.html")
    assert follow(given, between).headers["location"] == page
    assert httpx.get(given.house.url + page, timeout=30, trust_env=False).status_code == 200
    readback = ReadBack(given)
    assert readback.row("/classes")["pageUrl"] == given.house.url + page
    readback.close()


def test_who_has_only_the_ids_of_a_class_gets_no_page(given: Given) -> None:
    lesson, student = own(given)
    link = ask(given, lesson, student, deviceType=2).data
    wrong: tuple[dict[str, str], ...] = (
        {"telephone": given.telephone()},
        {"telephone": ""},
        {"telephone": "x" * 201},
        {"classId": "x"},
        {"classId": str(given.lesson())},
        {"courseId": str(given.course())},
        {"schoolId": str(given.other().school.id)},
    )
    for fields in wrong:
        answer = follow(given, link, **fields)
        assert answer.status_code == 404, fields
        assert given.seen(lesson).key not in answer.text
    assert follow(given, link).status_code == 302
    given.cancelled(student)
    assert follow(given, link).status_code == 404


def test_an_address_by_hand_may_name_an_email_account(given: Given) -> None:
    course = given.course()
    lesson, student = given.lesson(course), given.member(course)
    by_email = email_student(given, course)
    address = given.rows(select(users.c.email).where(users.c.id == by_email))[0][0]
    link = ask(given, lesson, student, deviceType=2).data
    assert follow(given, link, telephone=address.upper()).status_code == 302


def test_telephone_numbers_cannot_be_tried_one_after_the_other(given: Given) -> None:
    lesson, student = own(given)
    link = ask(given, lesson, student, deviceType=2).data
    statuses = [follow(given, link, telephone="13000000000").status_code for _ in range(101)]
    assert set(statuses) == {404}
    assert follow(given, link).status_code == 404
