"""What modifySchoolConf does on the pages: who may watch a replay (READINGS Q86)."""

from urllib.parse import urlencode

import pytest

from homeroom.base.clock import HOUR
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.domain.viewers import sign_link
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import logins
from tests.support.chat import Chatter, Classroom
from tests.support.given import Given
from tests.support.pages import Page, page
from tests.support.readback import ReadBack
from tests.support.scheduled import Scheduled
from tests.support.wire import Value

OPEN: dict[str, Value] = {"record": 1, "live": 1, "replay": 1}


class Replayed:
    """A class that is over and has a clip."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.room = Classroom(given)
        self.course: CourseId = self.room.course
        self.lesson: LessonId = self.room.lesson
        self.key = self.room.seen.key
        self.early = self.add_student()
        self.room.over()
        given.clip(self.lesson)
        self.late = self.add_student()

    def add_student(self) -> tuple[UserId, str]:
        """Add a student to the course now, and return the UID and the account."""
        account = self.given.telephone()
        student = self.given.user(telephone=account, addToSchoolMember=1)
        self.given.done("addCourseStudent", courseId=self.course, identity=1, studentUid=student)
        return student, account

    def open(self) -> Page:
        """Open the page of the class as a stranger."""
        return page(self.given.house, f"/live.php?{urlencode({'lessonKey': self.key})}")

    def open_by_link(self, account: str) -> Page:
        """Open the page of the class by a link of the school."""
        code = sign_link(self.given.school.secret, self.key, account, "Ann")
        query = {"lessonKey": self.key, "account": account, "nickname": "Ann", "checkCode": code}
        return page(self.given.house, f"/live_partner.html?{urlencode(query)}")

    def join(self, ticket: str | None = None) -> Chatter:
        """Join the room of the class."""
        return Chatter(self.given.house.url, f"/class/{self.key}", ticket)

    def log_in(self, student: UserId) -> str:
        """Log a student in, and return the ticket."""
        deps, sid = self.given.house.deps, SchoolId(self.given.school.id)

        def unit(uow: UnitOfWork) -> str:
            user = uow.accounts.get(student)
            assert user is not None
            return logins.log_in(uow, deps, sid, user)

        return self.given.store.write(unit, sid)

    def list_on_course_page(self, account: str | None = None) -> Page:
        """Open the page of the course."""
        url = self.given.done("getWebcastUrl", courseId=self.course).data
        key = url.partition("courseKey=")[2]
        query = {"courseKey": key}
        if account is not None:
            code = sign_link(self.given.school.secret, key, account, "Ann")
            query |= {"account": account, "nickname": "Ann", "checkCode": code}
        path = "/webcast.php" if account is None else "/webcast_partner.html"
        return page(self.given.house, f"{path}?{urlencode(query)}&lang=en")


def view(shown: Page) -> tuple[str, bool, int]:
    """Return the view of a page, whether it has a replay, and the number of its clips."""
    state = shown.data["state"]
    return state["view"], state["replay"], len(state["clips"])


@pytest.fixture
def replayed(given: Given) -> Replayed:
    return Replayed(given)


def test_without_replay_no_page_plays_a_clip(replayed: Replayed) -> None:
    given = replayed.given
    assert view(replayed.open()) == ("replay", True, 1)
    before = "".join(replayed.list_on_course_page().texts("li"))
    given.done("modifySchoolConf", allowViewReplay=0)
    assert view(replayed.open()) == ("over", False, 0)
    assert view(replayed.open_by_link(replayed.early[1])) == ("over", False, 0)
    assert "".join(replayed.list_on_course_page().texts("li")) != before
    with replayed.join(replayed.log_in(replayed.early[0])) as chatter:
        assert chatter.welcome["state"]["view"] == "over"
        assert chatter.welcome["state"]["clips"] == []
    given.done("modifySchoolConf", allowViewReplay=1)
    assert view(replayed.open()) == ("replay", True, 1)


def test_another_school_and_what_is_not_a_page_of_viewers_stay(replayed: Replayed) -> None:
    given = replayed.given
    given.other().done("modifySchoolConf", allowViewReplay=0)
    assert view(replayed.open()) == ("replay", True, 1)
    given.done("modifySchoolConf", allowViewReplay=0, allowNewStudentViewReplay=0)
    read = ReadBack(given)
    assert len(read.rows(f"/classes/{replayed.lesson}/clips")) == 1
    read.close()
    taught = page(given.house, replayed.room.teach_base)
    assert view(taught) == ("clips", True, 1)


def test_a_replay_that_will_not_be_is_not_announced(given: Given) -> None:
    scheduled = Scheduled(given, record=1, live=0, replay=1)
    address = f"/live.php?{urlencode({'lessonKey': scheduled.seen.key})}"
    assert view(page(given.house, address))[0] == "replay_later"
    given.done("modifySchoolConf", allowViewReplay=0)
    assert view(page(given.house, address))[0] == "not_shown"
    scheduled.over()
    assert view(page(given.house, address))[0] == "over"


def test_a_student_who_joined_later_does_not_see_the_replay(replayed: Replayed) -> None:
    given, (late, account) = replayed.given, replayed.late
    assert view(replayed.open_by_link(account)) == ("replay", True, 1)
    given.done("modifySchoolConf", allowNewStudentViewReplay=0)
    assert view(replayed.open_by_link(account)) == ("over", False, 0)
    assert view(replayed.open_by_link(replayed.early[1])) == ("replay", True, 1)
    assert view(replayed.open_by_link("no account")) == ("replay", True, 1)
    assert view(replayed.open()) == ("replay", True, 1)
    clips = {}
    for name, ticket in (
        ("late", replayed.log_in(late)),
        ("early", replayed.log_in(replayed.early[0])),
        ("stranger", None),
    ):
        with replayed.join(ticket) as chatter:
            clips[name] = len(chatter.welcome["state"]["clips"])
    assert clips == {"late": 0, "early": 1, "stranger": 1}
    of_late = replayed.list_on_course_page(account).texts("li")
    of_early = replayed.list_on_course_page(replayed.early[1]).texts("li")
    assert of_late != of_early


def test_who_waits_in_the_room_gets_the_state_of_an_own_audience(replayed: Replayed) -> None:
    given = replayed.given
    given.done("modifySchoolConf", allowNewStudentViewReplay=0)
    with replayed.join(replayed.log_in(replayed.late[0])) as late, replayed.join() as stranger:
        given.done("modifySchoolConf", allowViewReplay=0)
        assert stranger.next("state")["clips"] == []
        given.done("modifySchoolConf", allowViewReplay=1)
        assert len(stranger.next("state")["clips"]) == 1
        given.done("modifySchoolConf", allowNewStudentViewReplay=1)
        late.next("state", lambda event: len(event["clips"]) == 1)
        states = [event for event in late.seen if event["t"] == "state"]
        assert not any(state["clips"] for state in states[:-1])


def test_auditors_and_members_who_joined_in_time_see_it(replayed: Replayed) -> None:
    given = replayed.given
    given.done("modifySchoolConf", allowNewStudentViewReplay=0)
    account = given.telephone()
    auditor = given.user(telephone=account, addToSchoolMember=1)
    given.done("addCourseStudent", courseId=replayed.course, identity=2, studentUid=auditor)
    assert view(replayed.open_by_link(account))[0] == "replay"
    begin = given.now + 2 * HOUR
    hours: dict[str, Value] = {"beginTime": begin, "endTime": begin + HOUR}
    later = given.lesson(replayed.course, **OPEN, **hours)
    given.until(begin + 2 * HOUR)
    given.clip(later)
    replayed.lesson, replayed.key = later, given.seen(later).key
    assert view(replayed.open_by_link(replayed.late[1]))[0] == "replay"
