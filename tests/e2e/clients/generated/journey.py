"""Calls every action through the Python client that was generated from the client profile.

Run by the Python of the generator's environment, with the generated package `homeroom_client` on
its path, and read by mypy in strict mode. One JSON object on stdin, a JSON list of
`[action, errno, result]` on stdout.
"""

import hashlib
import json
import sys
import time
from io import BytesIO
from typing import Any, Protocol, TypedDict, TypeVar

from homeroom_client import Client
from homeroom_client.api.partner_api_cloud_drive import (
    create_folder,
    get_cloud_list,
    get_top_folder_id,
    upload_file,
)
from homeroom_client.api.partner_api_courses_and_classes import (
    add_course,
    add_course_class,
    add_course_labels,
    add_course_student,
    add_course_student_multiple,
    add_school_label,
    add_school_student,
    add_teacher,
    del_course_class,
    del_course_student_multiple,
    delete_class_video,
    delete_school_label,
    edit_course,
    edit_course_class,
    end_course,
    get_webcast_url,
    register,
    register_multiple,
    restart_using_teacher,
    set_class_video_multiple,
    stop_using_teacher,
    update_class_lock_status,
    update_school_label,
)
from homeroom_client.models import (
    AddCourseBody,
    AddCourseClassBody,
    AddCourseClassBodyRecord,
    AddCourseLabelsBody,
    AddCourseStudentBody,
    AddCourseStudentMultipleBody,
    AddSchoolLabelBody,
    AddSchoolStudentBody,
    AddTeacherBody,
    CreateFolderBody,
    DelCourseClassBody,
    DelCourseStudentMultipleBody,
    DeleteClassVideoBody,
    DeleteSchoolLabelBody,
    EditCourseBody,
    EditCourseClassBody,
    EndCourseBody,
    ErrorInfo,
    GetCloudListBody,
    GetTopFolderIdBody,
    GetWebcastUrlBody,
    Refused,
    RegisterBody,
    RegisterMultipleBody,
    RestartUsingTeacherBody,
    SetClassVideoMultipleBody,
    StopUsingTeacherBody,
    UpdateClassLockStatusBody,
    UpdateClassLockStatusBodyIsLock,
    UpdateSchoolLabelBody,
    UploadFileBody,
)
from homeroom_client.types import File, Unset

T = TypeVar("T")


class Response(Protocol):
    """What every generated response has."""

    error_info: ErrorInfo

    def to_dict(self) -> dict[str, Any]: ...


R = TypeVar("R", bound=Response)


class Signature(TypedDict):
    """The credentials of one call."""

    sid: int
    safe_key: str
    time_stamp: int


class Facts(TypedDict):
    """What the test decides."""

    url: str
    sid: int
    secret: str
    begin: int
    picture: str
    lesson: int | None


def value(field: T | Unset) -> T:
    """Return a field of a result, which is there when the call is done."""
    if isinstance(field, Unset):
        raise TypeError("the field is not there")
    return field


class Journey:
    """One run: the client, the facts, and the responses so far."""

    def __init__(self, facts: Facts) -> None:
        self.client = Client(facts["url"], raise_on_unexpected_status=True)
        self.facts = facts
        self.steps: list[tuple[str, int, object]] = []

    def sign(self) -> Signature:
        """Return credentials of the present moment."""
        now = int(time.time())
        key = hashlib.md5(f"{self.facts['secret']}{now}".encode()).hexdigest()  # noqa: S324  the API's own way
        return {"sid": self.facts["sid"], "safe_key": key, "time_stamp": now}

    def done(self, action: str, response: R | Refused | None) -> R:
        """Write down a response, and return it with its own type."""
        if response is None or isinstance(response, Refused):
            raise TypeError(action)
        body = response.to_dict()
        self.steps.append((action, response.error_info.errno, body.get("data")))
        return response

    def person(self, telephone: str, member: int) -> int:
        """Register an account, and return its UID."""
        with open(self.facts["picture"], "rb") as picture:  # noqa: PTH123  no more than this is needed
            file = File(BytesIO(picture.read()), "face.png", "image/png")
        body = RegisterBody(
            **self.sign(),
            telephone=telephone,
            password="secret-1",
            nickname="王 老师+&",
            add_to_school_member=member,
            filedata=file,
        )
        uid: int = value(self.done("register", register.sync(client=self.client, body=body)).data)
        return uid

    def school(self) -> None:
        """Make folders, people, labels, a course and classes."""
        client, sign, done = self.client, self.sign, self.done
        top = done(
            "getTopFolderId",
            get_top_folder_id.sync(client=client, body=GetTopFolderIdBody(**sign())),
        )
        folder_body = CreateFolderBody(
            **sign(), folder_id=int(value(top.data)), folder_name="generated"
        )
        folder = done("createFolder", create_folder.sync(client=client, body=folder_body))
        folder_id: str = value(folder.data)
        self.drive(int(folder_id))

        teacher, spare = self.person("17800000001", 0), self.person("17800000002", 2)
        student = self.person("17800000003", 0)
        done(
            "addTeacher",
            add_teacher.sync(
                client=client,
                body=AddTeacherBody(**sign(), teacher_uid=teacher, teacher_name="王老师"),
            ),
        )
        done(
            "stopUsingTeacher",
            stop_using_teacher.sync(
                client=client, body=StopUsingTeacherBody(**sign(), teacher_uid=spare)
            ),
        )
        done(
            "restartUsingTeacher",
            restart_using_teacher.sync(
                client=client, body=RestartUsingTeacherBody(**sign(), teacher_uid=spare)
            ),
        )
        done(
            "addSchoolStudent",
            add_school_student.sync(
                client=client,
                body=AddSchoolStudentBody(**sign(), student_uid=student, student_name="小李"),
            ),
        )
        accounts = [
            {"telephone": telephone, "password": "secret-2", "addToSchoolMember": 1}
            for telephone in ("17800000011", "17800000012")
        ]
        registered = done(
            "registerMultiple",
            register_multiple.sync(
                client=client, body=RegisterMultipleBody(**sign(), user_json=json.dumps(accounts))
            ),
        )
        others: list[int] = [value(entry.data) for entry in value(registered.data)]
        course = self.course(int(folder_id))
        self.members(course, student, others)
        self.labels(course)
        self.lessons(course, teacher)

    def drive(self, folder: int) -> None:
        """Put a file into a folder, and list it."""
        new = UploadFileBody(**self.sign(), folder_id=folder, filedata=File(BytesIO(b"x"), "计划"))
        self.done("uploadFile", upload_file.sync(client=self.client, body=new))
        inside = GetCloudListBody(**self.sign(), folder_id=folder)
        listed = self.done("getCloudList", get_cloud_list.sync(client=self.client, body=inside))
        assert [row.file_size for row in value(listed.file_list)] == ["1KB"]

    def course(self, folder: int) -> int:
        """Make a course and change it, and end another one; return the id of the first."""
        client, sign, done = self.client, self.sign, self.done
        added = done(
            "addCourse",
            add_course.sync(client=client, body=AddCourseBody(**sign(), course_name="代数")),
        )
        course: int = value(added.data)
        done(
            "editCourse",
            edit_course.sync(
                client=client,
                body=EditCourseBody(
                    **sign(), course_id=course, course_name="几何", folder_id=folder
                ),
            ),
        )
        other = done(
            "addCourse",
            add_course.sync(client=client, body=AddCourseBody(**sign(), course_name="Another")),
        )
        ended = EndCourseBody(**sign(), course_id=value(other.data))
        done("endCourse", end_course.sync(client=client, body=ended))
        return course

    def members(self, course: int, student: int, others: list[int]) -> None:
        """Put people into the course, and take some out."""
        client, sign, done = self.client, self.sign, self.done
        done(
            "addCourseStudent",
            add_course_student.sync(
                client=client,
                body=AddCourseStudentBody(
                    **sign(), course_id=course, identity=1, student_uid=student, student_name="小李"
                ),
            ),
        )
        entries = [{"uid": uid, "customColumn": "一"} for uid in others]
        added = done(
            "addCourseStudentMultiple",
            add_course_student_multiple.sync(
                client=client,
                body=AddCourseStudentMultipleBody(
                    **sign(), course_id=course, identity=2, student_json=json.dumps(entries)
                ),
            ),
        )
        assert [entry.errno for entry in value(added.data)] == [1, 1]
        assert [value(entry.custom_column) for entry in value(added.data)] == ["一", "一"]
        removed = done(
            "delCourseStudentMultiple",
            del_course_student_multiple.sync(
                client=client,
                body=DelCourseStudentMultipleBody(
                    **sign(), course_id=course, identity=2, student_uid_json=json.dumps(others)
                ),
            ),
        )
        assert [entry.errno for entry in value(removed.data)] == [1, 1]

    def labels(self, course: int) -> None:
        """Make a label, rename it, give it to the course, and delete it."""
        client, sign, done = self.client, self.sign, self.done
        added = done(
            "addSchoolLabel",
            add_school_label.sync(
                client=client, body=AddSchoolLabelBody(**sign(), label_name="generated")
            ),
        )
        label = int(value(added.data).label_id)
        done(
            "updateSchoolLabel",
            update_school_label.sync(
                client=client,
                body=UpdateSchoolLabelBody(**sign(), label_id=label, label_name="renamed"),
            ),
        )
        entries = [{"courseId": course, "labelIds": [label]}]
        labelled = done(
            "addCourseLabels",
            add_course_labels.sync(
                client=client, body=AddCourseLabelsBody(**sign(), course_list=json.dumps(entries))
            ),
        )
        assert [entry.errno for entry in value(labelled.data)] == [1]
        done(
            "deleteSchoolLabel",
            delete_school_label.sync(
                client=client, body=DeleteSchoolLabelBody(**sign(), label_id=label)
            ),
        )

    def lessons(self, course: int, teacher: int) -> None:
        """Make a class and change it; make another one and delete it."""
        client, sign, done = self.client, self.sign, self.done
        begin = self.facts["begin"]

        def add(name: str, at: int) -> int:
            body = AddCourseClassBody(
                **sign(),
                course_id=course,
                class_name=name,
                begin_time=at,
                end_time=at + 1800,
                teacher_uid=teacher,
                record=AddCourseClassBodyRecord.VALUE_1,
            )
            added = done("addCourseClass", add_course_class.sync(client=client, body=body))
            address: str = value(added.more_data).live_info.hls
            assert isinstance(address, str)
            lesson: int = value(added.data)
            return lesson

        lesson = add("generated", begin)
        edited = done(
            "editCourseClass",
            edit_course_class.sync(
                client=client,
                body=EditCourseClassBody(
                    **sign(), course_id=course, class_id=lesson, class_name="renamed"
                ),
            ),
        )
        assert isinstance(value(edited.more_data).live_url, str)
        page = done(
            "getWebcastUrl",
            get_webcast_url.sync(
                client=client, body=GetWebcastUrlBody(**sign(), course_id=course, class_id=lesson)
            ),
        )
        assert value(page.data).startswith("http")
        entries = [{"classId": lesson, "record": 1, "live": 0, "replay": 1}]
        done(
            "setClassVideoMultiple",
            set_class_video_multiple.sync(
                client=client,
                body=SetClassVideoMultipleBody(
                    **sign(), course_id=course, class_json=json.dumps(entries)
                ),
            ),
        )
        other = add("another", begin + 7200)
        done(
            "delCourseClass",
            del_course_class.sync(
                client=client, body=DelCourseClassBody(**sign(), course_id=course, class_id=other)
            ),
        )

    def video(self, lesson: int) -> None:
        """Unlock and delete the recordings of a class that is over."""
        client, sign, done = self.client, self.sign, self.done
        unlocked = UpdateClassLockStatusBody(
            **sign(), class_id=lesson, is_lock=UpdateClassLockStatusBodyIsLock.VALUE_0
        )
        done("updateClassLockStatus", update_class_lock_status.sync(client=client, body=unlocked))
        done(
            "deleteClassVideo",
            delete_class_video.sync(
                client=client, body=DeleteClassVideoBody(**sign(), class_id=lesson)
            ),
        )


def main() -> None:
    """Run the journey, or its part after the class."""
    facts: Facts = json.load(sys.stdin)
    journey = Journey(facts)
    if facts["lesson"] is None:
        journey.school()
    else:
        journey.video(facts["lesson"])
    json.dump(journey.steps, sys.stdout)


main()
