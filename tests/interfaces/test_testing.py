"""`homeroom.testing`, as an integrator's own tests use it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from homeroom.base.clock import DAY, HOUR
from homeroom.contract.errno import Errno
from homeroom.testing import START, LocalServer, ManualClock, run_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with run_server(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_a_school_is_filled_by_builders(server: LocalServer) -> None:
    with server.create_school("Riverside") as school:
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


def test_a_builder_says_which_call_failed(server: LocalServer) -> None:
    with server.create_school() as school, pytest.raises(AssertionError, match="addCourse"):
        school.course(courseName="")


def test_time_moves_with_the_clock(server: LocalServer) -> None:
    with server.create_school() as school:
        lesson = school.lesson(course := school.course())
        before = school.clock.now()
        server.clock.advance(DAY + HOUR + HOUR)
        assert school.clock.now() == before + DAY + HOUR + HOUR
        reply = school.api.call("delCourseClass", courseId=course, classId=lesson)
        assert reply.errno == Errno.LESSON_IS_OVER.number


def test_a_fault_meets_one_school_once(server: LocalServer) -> None:
    with server.create_school() as school, server.create_school() as other:
        server.add_fault("addCourse", Errno.FAILED, sid=school.api.sid)
        assert other.api.call("addCourse", courseName="Course").errno == 1
        failed = school.api.call("addCourse", courseName="Course")
        assert (failed.errno, failed.reason[:5]) == (Errno.FAILED.number, "fault")
        assert school.api.call("addCourse", courseName="Course").errno == 1


def test_the_sandbox_tells_what_was_called(server: LocalServer) -> None:
    with server.create_school() as school, server.sandbox as sandbox:
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
    with run_server(tmp_path, clock=clock, sandbox=False) as server:
        with server.create_school() as school:
            assert school.clock.now() == START + DAY
            school.course()
        with pytest.raises(RuntimeError, match="sandbox"):
            server.add_fault("addCourse")
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)
