"""A school's teachers and students by commands alone, beside a running server."""

from collections.abc import Iterator

import pytest

from homeroom.contract.errno import Errno
from tests.support.operator import School, refused, run_json
from tests.support.process import Process
from tests.support.wire import Value

pytestmark = pytest.mark.e2e


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.api.close()


def test_a_teacher_is_registered_renamed_stopped_and_restarted(
    server: Process, school: School
) -> None:
    sid, telephone = str(school.sid), f"135{school.sid % 1000:04}0001"

    added = run_json(server, "teacher", "add", sid, telephone, "--name", "Ada")
    uid = added["uid"]
    school.done("addCourseClass", **school.form(teacherUid=uid, className="Past"))
    course = school.course()
    other = school.person(2)

    assert (added["sid"], added["name"], added["registered"]) == (school.sid, "Ada", True)
    (row, _other) = run_json(server, "teacher", "list", sid)
    assert (row["uid"], row["name"], row["account"], row["state"], row["cancelled"]) == (
        (uid, "Ada", telephone, "active", False)
    )
    assert "already" in refused(server, "teacher", "add", sid, str(uid), "--name", "Ada")
    assert "is not over" in refused(server, "teacher", "cancel", sid, telephone)

    run_json(server, "teacher", "edit", sid, str(other), "--name", "Alan")
    assert run_json(server, "teacher", "cancel", sid, str(other))["state"] == "stopping"
    assert "not finished yet" in refused(server, "teacher", "restart", sid, str(other))
    form = school.form(courseId=course, teacherUid=other)
    assert school.errno("addCourseClass", **form) == Errno.TEACHER_STOPPING.number
    school.set("stop_delay=0")
    third = str(school.person(2))
    assert run_json(server, "teacher", "cancel", sid, third)["state"] == "stopped"

    assert run_json(server, "teacher", "list", sid)[1]["name"] == "Alan"
    assert run_json(server, "teacher", "restart", sid, third)["state"] == "active"
    school.done("addCourseClass", **form | {"teacherUid": third})


def test_a_student_is_added_renamed_and_taken_off_the_list(server: Process, school: School) -> None:
    sid, student = str(school.sid), str(school.person(1))
    course = school.course()
    member: dict[str, Value] = {"courseId": course, "identity": 1, "studentUid": student}
    account = run_json(server, "student", "list", sid)[0]["account"]

    run_json(server, "student", "edit", sid, account, "--name", "Grace")
    assert run_json(server, "student", "list", sid)[0]["name"] == "Grace"
    run_json(server, "student", "cancel", sid, account)

    assert run_json(server, "student", "list", sid) == []
    assert school.errno("addCourseStudent", **member) == Errno.NOT_A_STUDENT_OF_SCHOOL.number
    assert "no student of school" in refused(server, "student", "cancel", sid, student)
    added = run_json(server, "student", "add", sid, account, "--name", "Grace")
    assert (added["uid"], added["registered"]) == (int(student), False)
    school.done("addCourseStudent", **member)


def test_a_command_about_a_person_stands_in_the_audit_trail(
    server: Process, school: School
) -> None:
    sid, telephone = str(school.sid), f"135{school.sid % 1000:04}0002"
    uid = run_json(server, "student", "add", sid, telephone, "--name", "Mary")["uid"]

    entries = run_json(server, "audit", "list", "--school", sid)

    added = next(entry for entry in entries if entry["act"] == "student add")
    assert (added["account"], added["outcome"]) == (uid, "done")
    assert telephone not in str(entries)
