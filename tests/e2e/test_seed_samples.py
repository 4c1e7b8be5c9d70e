"""The five curl samples of the vendor's English pages, pasted into a shell as they stand."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here to paste the samples to"),
]

Answer = dict[str, Any]

ADD_COURSE_CLASS = r"""
    curl -H "Content-Type: application/x-www-form-urlencoded" -X "POST" \
         -d "SID=1234567" \
         -d "safeKey=0f7781b3033527a8cc2b1abbf45a5fd2" \
         -d "timeStamp=1484719085" \
         -d "courseId=442447" \
         -d "className=测试课节-1" \
         -d "beginTime=1492506000" \
         -d "endTime=1492507800" \
         -d "teacherUid=1001001" \
         -d "teacherName=教师" \
         -d "folderId=22418" \
         -d "seatNum=6" \
         -d "record=1" \
         -d "live=1" \
         -d "replay=1" \
         -d "assistantUids=[100100,100101]" \
         -d "isAutoOnstage=0" \
         -d "isHd=0" \
         -d "courseUniqueIdentity=4565234" \
         -d "classIntroduce=ClassIn,真正的在线教室" \
         "https://api.eeo.cn/partner/api/course.api.php?action=addCourseClass"
"""
REMOVE_STUDENTS = r"""
curl -H "Content-Type: application/x-www-form-urlencoded" -X "POST" \
      -d "SID=1234567" \
      -d "safeKey=0f7781b3033527a8cc2b1abbf45a5fd2" \
      -d "timeStamp=1484719085" \
      -d "courseId=442447" \
      -d "identity=1" \
      -d "studentUidJson=['1001001']" \
      "https://api.eeo.cn/partner/api/course.api.php?action=delCourseStudentMultiple"
"""
STOP_TEACHER = r"""
curl -H "Content-Type: application/x-www-form-urlencoded" -X "POST" \
-d "SID=1234567" \
-d "safeKey=0f7781b3033527a8cc2b1abbf45a5fd2" \
-d "timeStamp=1484719085" \
-d "teacherUid=1001001" \
"https://api.eeo.cn/partner/api/course.api.php?action=stopUsingTeacher"
"""
LABEL_COURSES = r"""
curl -H "Content-Type: application/x-www-form-urlencoded" -X "POST" \
-d "SID=1234567" \
-d "safeKey=0f7781b3033527a8cc2b1abbf45a5fd2" \
-d "timeStamp=1484719085" \
-d 'CourseList=[{"customColumn":"1","CourseId":135120,"labelIds":[2,6,8]},{"customColumn":"2","CourseId":135121,"labelIds":[4,7,12]}]' \
"https://api.eeo.cn/partner/api/course.api.php?action=addCourseLabels"
"""  # noqa: E501 - the sample keeps its bytes
DELETE_VIDEO = r"""
curl -H "Content-Type: application/x-www-form-urlencoded" -X "POST" \
        -d "SID=1234567" \
        -d "safeKey=0f7781b3033527a8cc2b1abbf45a5fd2" \
        -d "timeStamp=1484719085" \
        -d "classId=9876" \
    "https://api.eeo.cn/partner/api/course.api.php?action=deleteClassVideo"
"""

# What a reader of those pages fills in: the address, the credentials, the ids and the times.
ADDRESS = "https://api.eeo.cn/"


class Server(Protocol):
    """Facts about the running server that these tests need."""

    url: str
    sid: int
    secret: str

    def cli(self, *args: str) -> str: ...

    def advance(self, seconds: int) -> object: ...


def credentials(server: Server) -> dict[str, str]:
    """Sign for a school as every caller does."""
    stamp = str(int(time.time()))
    key = hashlib.md5(f"{server.secret}{stamp}".encode(), usedforsecurity=False).hexdigest()
    return {"SID": str(server.sid), "safeKey": key, "timeStamp": stamp}


def ask(server: Server, action: str, *, door: str = "course", **fields: object) -> Answer:
    """Prepare a school through the partner API: a call that has to succeed."""
    answer: Answer = httpx.post(
        f"{server.url}/partner/api/{door}.api.php",
        params={"action": action},
        data=credentials(server) | {name: str(value) for name, value in fields.items()},
        trust_env=False,
    ).json()
    assert answer["error_info"]["errno"] == 1, (action, answer)
    return answer


def member(server: Server, telephone: str, *, role: int) -> int:
    """Register a user as a student (1) or a teacher (2) of the school."""
    named = {"telephone": telephone, "nickname": telephone, "password": "secret-1"}
    return int(ask(server, "register", **named, addToSchoolMember=role)["data"])


def course(server: Server, name: str) -> int:
    """Open a course."""
    return int(ask(server, "addCourse", courseName=name)["data"])


def now(server: Server) -> int:
    """Read the server's own time: begin and end of a class depend on it."""
    return int(httpx.get(f"{server.url}/sandbox/clock", trust_env=False).json()["now"])


def paste(server: Server, sample: str, **replaced: tuple[object, object]) -> Answer:
    """Run a sample in a shell after replacing some of its values, each of which it has once."""
    signed = credentials(server)
    changes = {
        ADDRESS: f"{server.url}/",
        "SID=1234567": f"SID={signed['SID']}",
        "safeKey=0f7781b3033527a8cc2b1abbf45a5fd2": f"safeKey={signed['safeKey']}",
        "timeStamp=1484719085": f"timeStamp={signed['timeStamp']}",
    }
    changes |= {f"{name}={old}": f"{name}={new}" for name, (old, new) in replaced.items()}
    for old, new in changes.items():
        assert sample.count(old) == 1, old
        sample = sample.replace(old, new)
    done = subprocess.run(
        ["/bin/sh", "-c", sample],
        capture_output=True,
        check=True,
        env=os.environ | {"NO_PROXY": "*"},
        timeout=30,
    )
    answer: Answer = json.loads(done.stdout)
    return answer


def test_the_create_class_sample_creates_a_class(server: Server) -> None:
    teachers = [member(server, f"1771000000{place}", role=2) for place in range(3)]
    top = ask(server, "getTopFolderId", door="cloud")["data"]
    folder = ask(server, "createFolder", door="cloud", folderId=top, folderName="Sample")["data"]
    begin = now(server) + 600

    answer = paste(
        server,
        ADD_COURSE_CLASS,
        courseId=(442447, course(server, "Maths")),
        beginTime=(1492506000, begin),
        endTime=(1492507800, begin + 1800),
        teacherUid=(1001001, teachers[0]),
        folderId=(22418, folder),
        assistantUids=("[100100,100101]", f"[{teachers[1]},{teachers[2]}]"),
    )

    assert answer["error_info"]["errno"] == 1
    assert answer["data"] > 0
    assert answer["more_data"]["live_info"].keys() == {"RTMP", "HLS", "FLV"}


def test_the_remove_students_sample_removes_a_student(server: Server) -> None:
    maths = course(server, "Maths")
    student = member(server, "17710000010", role=1)
    ask(server, "addCourseStudent", courseId=maths, identity=1, studentUid=student)

    answer = paste(
        server,
        REMOVE_STUDENTS,
        courseId=(442447, maths),
        studentUidJson=("['1001001']", f"['{student}']"),
    )

    assert answer["error_info"]["errno"] == 1
    assert [entry["errno"] for entry in answer["data"]] == [1]


def test_the_stop_teacher_sample_stops_a_teacher(server: Server) -> None:
    teacher = member(server, "17710000020", role=2)

    answer = paste(server, STOP_TEACHER, teacherUid=(1001001, teacher))

    assert answer["error_info"]["errno"] == 1


def test_the_course_labels_sample_labels_two_courses(server: Server) -> None:
    maths, music = course(server, "Maths"), course(server, "Music")
    labels = [
        ask(server, "addSchoolLabel", labelName=f"sample {place}")["data"]["labelId"]
        for place in range(6)
    ]
    sample = (
        LABEL_COURSES.replace('"CourseId":135120', f'"CourseId":{maths}')
        .replace('"CourseId":135121', f'"CourseId":{music}')
        .replace("[2,6,8]", f"[{','.join(map(str, labels[:3]))}]")
        .replace("[4,7,12]", f"[{','.join(map(str, labels[3:]))}]")
    )

    answer = paste(server, sample)

    assert answer["error_info"]["errno"] == 1
    assert [(entry["CourseId"], entry["customColumn"]) for entry in answer["data"]] == [
        (maths, "1"),
        (music, "2"),
    ]
    assert [entry["errno"] for entry in answer["data"]] == [1, 1]


def test_the_delete_video_sample_deletes_the_video_of_a_class(
    server: Server, tmp_path: Path
) -> None:
    begin = now(server) + 600
    lesson = ask(
        server,
        "addCourseClass",
        courseId=course(server, "Maths"),
        className="Fractions",
        beginTime=begin,
        endTime=begin + 1800,
        teacherUid=member(server, "17710000030", role=2),
        record=1,
    )["data"]
    server.advance(600 + 1800 + 20 * 60 + 60)
    recording = tmp_path / "lesson.mp4"
    recording.write_bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(4096))
    server.cli("clip", "add", str(lesson), str(recording), "--json")

    answer = paste(server, DELETE_VIDEO, classId=(9876, lesson))

    assert answer["error_info"]["errno"] == 1
