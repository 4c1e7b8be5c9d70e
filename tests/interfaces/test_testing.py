"""`homeroom.testing`, as an integrator's own tests use it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from homeroom.base.clock import DAY, HOUR
from homeroom.contract.errno import Errno
from homeroom.contract.messages.schedule import ClassChanged
from homeroom.testing import START, ManualClock, ThreadedServer
from tests.support.engine import until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadedServer]:
    with ThreadedServer(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_a_school_is_filled_by_builders(server: ThreadedServer) -> None:
    with server.school("Riverside") as school:
        course = school.course(courseName="Mathematics")
        lesson = school.lesson(course, className="Fractions")
        student = school.member(course)
        reply = school.api.call(
            "delCourseStudentMultiple", courseId=course, identity=1, studentUidJson=[student]
        )
        assert reply.errnos == [1]
        assert school.done("delCourseClass", courseId=course, classId=lesson).errno == 1
        assert school.label()
        assert school.folder()


def test_a_builder_says_which_call_failed(server: ThreadedServer) -> None:
    with server.school() as school, pytest.raises(AssertionError, match="addCourse"):
        school.course(courseName="")


def test_time_moves_with_the_clock(server: ThreadedServer) -> None:
    with server.school() as school:
        lesson = school.lesson(course := school.course())
        before = school.clock.now()
        server.clock.advance(DAY + HOUR + HOUR)
        assert school.clock.now() == before + DAY + HOUR + HOUR
        reply = school.api.call("delCourseClass", courseId=course, classId=lesson)
        assert reply.errno == Errno.LESSON_IS_OVER.number


def test_a_fault_meets_one_school_once(server: ThreadedServer) -> None:
    with server.school() as school, server.school() as other:
        server.add_fault("addCourse", Errno.FAILED, sid=school.api.sid)
        assert other.api.call("addCourse", courseName="Course").errno == 1
        failed = school.api.call("addCourse", courseName="Course")
        assert (failed.errno, failed.reason[:5]) == (Errno.FAILED.number, "fault")
        assert school.api.call("addCourse", courseName="Course").errno == 1


def test_the_sandbox_tells_what_was_called(server: ThreadedServer) -> None:
    with server.school() as school, server.sandbox as sandbox:
        school.course(courseName="Seen")
        newest = sandbox.journal(limit=1)[0]
        assert newest["action"] == "addCourse"
        sandbox.fault(action="addCourse", drop=True)
        sandbox.clear_faults()
        school.course()
        sandbox.reset(school.api.sid)
        with pytest.raises(httpx.HTTPStatusError):
            sandbox.fault(action="no such action")


def test_each_server_has_a_folder_and_a_clock_of_its_own(tmp_path: Path) -> None:
    clock = ManualClock(START + DAY)
    with ThreadedServer(tmp_path, clock=clock, sandbox=False) as server:
        with server.school() as school:
            assert school.clock.now() == START + DAY
            school.course()
        with pytest.raises(RuntimeError, match="sandbox"):
            server.add_fault("addCourse")
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)


def test_the_inbox_has_the_typed_messages_of_a_school(server: ThreadedServer) -> None:
    with server.school() as school, server.school() as other, server.inbox as all_messages:
        lesson = school.lesson(className="Fractions")
        other.course()
        message = school.inbox.wait_for("class_changed", class_id=lesson)
        assert isinstance(message.body, ClassChanged)
        assert message.fields["opData"]["className"] == "Fractions"
        edited = {"courseId": message.fields["CourseId"], "classId": lesson}
        school.done("editCourseClass", **edited, className="Decimals")
        later = school.inbox.wait_for("class_changed", class_id=lesson, after=message.id)
        assert later.fields["opData"]["className"] == "Decimals"
        assert {each.school for each in school.inbox.read()} == {school.api.sid}
        assert {each.school for each in all_messages.read("course_changed")} >= {
            school.api.sid,
            other.api.sid,
        }


def test_a_wait_says_what_came_instead(server: ThreadedServer) -> None:
    with server.school() as school:
        school.course()
        with pytest.raises(AssertionError, match=r"no class_summary of class 7 .*course_changed"):
            school.inbox.wait_for("class_summary", class_id=7, seconds=0)


def test_a_receiver_gets_messages_again_until_it_acknowledges(server: ThreadedServer) -> None:
    with server.school() as school, school.receiver() as receiver:
        lesson = school.lesson()
        receiver.wait_for("class_changed", class_id=lesson)
        receiver.refuse(2, status=500)
        school.course(courseName="Mathematics")
        until(lambda: receiver.refused == 1)
        with server.sandbox as sandbox:
            # A result that is saved after the first step counts from there.
            sandbox.move(advance=30, step=10)
        courses = [each.fields["opData"].get("courseName") for each in receiver.messages]
        assert courses[-1] == "Mathematics"
        assert receiver.refused == 2
        with pytest.raises(AssertionError, match="no class_summary within"):
            receiver.wait_for("class_summary", seconds=0)


def test_without_a_folder_a_server_takes_one_and_a_school_costs_little() -> None:
    with ThreadedServer() as server:
        data = server.services.settings.data
        assert data.is_dir()
        sids = {server.school().api.sid for _ in range(3)}
    assert len(sids) == 3
    assert not data.exists()
