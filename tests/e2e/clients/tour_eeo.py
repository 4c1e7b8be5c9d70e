"""Every API method of `eeo` 2.0.0, each with what the server shows after it: facts in, steps out.

Run by the Python of that client's own environment, with the argument `school` before the class and
`video` after it. One JSON object on stdin; on stdout the steps (method, errno or code, answer, and
the read-back after it) and the ids that they made.
"""

import importlib
import json
import sys
from typing import Any

Answer = dict[str, Any]
HOUR = 3600


class Tour:
    """One run: the client, its steps, and the ids that they made."""

    def __init__(self, facts: dict[str, Any]) -> None:
        client = importlib.import_module("eeo").ClassInAPI
        # The client puts the SID into a header as it is, and a header takes text only.
        self.api = client(str(facts["sid"]), facts["secret"], domain=facts["url"])
        self.facts = facts
        self.steps: list[dict[str, Any]] = []
        self.ids: dict[str, Any] = dict(facts["ids"])

    def step(self, method: str, *args: object, read: str | None = None, **more: object) -> Answer:
        """Call a method, read back what it changed, and write both down."""
        answer: Answer = getattr(self.api, method)(*args, **more)
        errno = answer["code"] if "code" in answer else answer["error_info"]["errno"]
        seen = self.read(read) if read is not None else None
        self.steps.append({"method": method, "errno": errno, "answer": answer, "seen": seen})
        return answer

    def read(self, path: str) -> Any:  # noqa: ANN401  any JSON
        """Return the rows of a list, or one thing, of the read-back."""
        # The client brings this library with it.
        response = importlib.import_module("requests").get(
            f"{self.facts['url']}/admin/v1/{path}",
            headers={"Authorization": f"Bearer {self.facts['token']}"},
            timeout=30,
        )
        response.raise_for_status()
        content = response.json()
        return content.get("data", content)

    def school(self) -> None:
        """Use every method that a school needs before its class."""
        self.people()
        self.courses()
        self.classes()
        self.activities()
        self.dual_teacher()
        self.drive()
        self.endings()

    def people(self) -> None:
        """Register, rename, stop and restart people."""
        phones, ids, picture = self.facts["phones"], self.ids, self.facts["picture"]
        ids["teacher"] = self.step(
            *("register", phones[0], "secret-1"),
            nickname="王",
            addToSchoolMember=2,
            file_path=picture,
        )["data"]
        entries = [
            {"telephone": phones[place], "password": "secret-2", "addToSchoolMember": member}
            for place, member in ((1, 1), (2, 1), (3, 1), (4, 2), (5, 2))
        ]
        registered = self.step("register_multiple", entries, read="students")["data"]
        names = ("anna", "ben", "guest", "helper", "spare")
        ids.update(zip(names, (entry["data"] for entry in registered), strict=True))
        self.step("modify_password", ids["anna"], "0" * 32, password="secret-3")
        self.step("register", phones[6], "secret-4")
        self.step("add_teacher", phones[6], "Added", file_path=picture, read="teachers")
        self.step("edit_teacher", ids["teacher"], "Renamed", file_path=picture, read="teachers")
        self.step("stop_using_teacher", ids["spare"], read="teachers")
        self.step("restart_using_teacher", ids["spare"], read="teachers")
        self.step("register", phones[7], "secret-5")
        self.step("add_school_student", phones[7], "Listed", read="students")
        self.step("edit_school_student", ids["anna"], "Anna B.", read="students")
        self.step("modify_school_conf", allowViewReplay=0, read="conf")
        self.step("modify_school_conf", allowViewReplay=1)

    def courses(self) -> None:
        """Make courses, labels, members and groups."""
        ids, picture = self.ids, self.facts["picture"]
        label = self.step("add_school_label", "First", read="labels")["data"]["labelId"]
        ids["label"] = int(label)
        self.step("update_school_label", ids["label"], "Second", read="labels")
        ids["course"] = self.step(
            "add_course", "Algebra", file_path=picture, mainTeacherUid=ids["teacher"]
        )["data"]
        course = ids["course"]
        ids["other"] = self.step("add_course", "Other")["data"]
        self.step("edit_course", course, file_path=picture, courseName="Geometry", read="courses")
        self.step(
            "add_course_labels",
            [{"courseId": course, "labelIds": [ids["label"]]}],
            read="courses",
        )
        members = f"courses/{course}/members"
        self.step("add_course_student", course, ids["anna"], 1, read=members)
        self.step("add_course_student_multiple", course, [{"uid": ids["ben"]}], 1, read=members)
        self.step("modify_course_student_nickname", [ids["anna"]], read=members)
        self.step("modify_group_member_nickname", course, read=members)
        self.step("add_course_teacher", course, [ids["spare"], ids["helper"]])
        self.step("remove_course_teacher", course, ids["spare"])
        teams = [
            [{"studentUid": ids["anna"], "isLeader": 1}, {"studentUid": ids["ben"], "isLeader": 0}]
        ]
        group = self.step("add_course_group", course, "Teams", teams, read="groups")["data"]
        alone = [[{"studentUid": ids["ben"], "isLeader": 1}]]
        self.step("edit_course_group", course, group, "Alone", alone, read="groups")
        self.step("del_course_group", course, group, read="groups")

    def classes(self) -> None:
        """Schedule classes, and change them, their students and their switches."""
        ids, begin = self.ids, self.facts["begin"]
        course, teacher = ids["course"], ids["teacher"]
        end = begin + HOUR // 2
        ids["class"] = self.step(
            "add_course_class", course, "One", teacher, begin, end, seatNum=6, record=1
        )["data"]
        entries = [
            {
                "className": name,
                "beginTime": begin + DAY,
                "endTime": end + DAY,
                "teacherUid": teacher,
            }
            for name in ("Two", "Three")
        ]
        added = self.step("add_course_class_multiple", course, entries, read="classes")["data"]
        ids["second"], ids["third"] = (entry["data"] for entry in added)
        second = f"classes/{ids['second']}"
        self.step("edit_course_class", course, ids["second"], className="Edited", read=second)
        self.step("modify_class_seatNum", course, ids["second"], seatNum=1, isHd=1, read=second)
        self.step(
            "add_class_labels",
            course,
            [{"classId": ids["second"], "classLabelId": [ids["label"]]}],
            read=second,
        )
        self.step("modify_course_teacher", course, ids["helper"], read=second)
        guests = f"{second}/members"
        self.step("add_course_class_student", course, ids["guest"], [ids["second"]], read=guests)
        self.step("del_class_student_multiple", course, ids["second"], [ids["guest"]], read=guests)
        self.step(
            *("add_class_student_multiple", course, ids["second"], [{"uid": ids["guest"]}]),
            read=guests,
        )
        switches = {"classId": ids["class"], "record": 1, "live": 1, "replay": 1}
        self.step("set_class_video_multiple", course, [switches], read=f"classes/{ids['class']}")
        self.step("get_webcast_url", course, ids["class"])
        self.step("get_login_linked", ids["anna"], course, ids["class"])
        comment = {"studentUid": ids["anna"], "starNum": 4, "comment": "Well done"}
        self.step("update_class_student_comment", ids["class"], [comment], read="comments")
        self.step("del_course_class", course, ids["third"], read=f"classes/{ids['third']}")
        members = f"courses/{course}/members"
        self.step("del_course_student", course, ids["anna"], 1, read=members)
        self.step("del_course_student_multiple", course, [ids["ben"]], 1, read=members)

    def activities(self) -> None:
        """Make units and activities, and move, publish, change and delete them."""
        ids = self.ids
        course, teacher = ids["course"], ids["teacher"]
        first = self.step("create_unit", course, "Unit", 0, read="units")["data"]["unitId"]
        second = self.step("create_unit", course, "Target", 2)["data"]["unitId"]
        self.step("update_unit", course, first, name="Renamed", publishFlag=2, read="units")
        self.step("add_course_student", course, ids["anna"], 1)
        material = self.step(
            "create_activity_no_class", course, first, 5, "Paper", teacher, read="activities"
        )["data"]["activityId"]
        self.step("release_activity", course, [material], read="activities")
        self.step("delete_activity_student", course, material, [ids["anna"]])
        self.step("add_activity_student", course, material, [ids["anna"]])
        begin = self.facts["begin"] + 2 * DAY
        lesson = self.step(
            *("create_lms_lesson", course, "Classroom", teacher, begin, begin + HOUR),
            unitId=first,
            read="activities",
        )["data"]
        classroom = lesson["activityId"]
        changed = f"classes/{lesson['classId']}"
        self.step("update_lms_lesson", course, classroom, name="Changed", read=changed)
        self.step("move_unit", course, first, second, read="activities")
        self.step("delete_activity", course, material, read="activities")
        self.step("delete_activity", course, classroom, read=changed)
        self.step("delete_unit", course, first, read="units")

    def dual_teacher(self) -> None:
        """Bind a sub class to a main class, change both, and delete them."""
        ids = self.ids
        main, other = ids["second"], ids["other"]
        sub_class = {"courseId": other, "className": "Sub"}
        added = self.step("add_newDoubleTeacher_lesson", ids["course"], main, [sub_class])
        sub = added["data"]["subClassData"][0]["classId"]
        self.step(
            *("edit_newDoubleTeacher_lesson", ids["course"], main),
            className="Main",
            read=f"classes/{main}",
        )
        self.step("del_newDoubleTeacher_lesson", other, sub, read=f"classes/{sub}")

    def drive(self) -> None:
        """Fill the cloud drive, look at it, and empty it."""
        top = int(self.step("get_top_folder_id")["data"])
        folder = int(self.step("create_folder", top, "Papers", read="folders")["data"])
        self.step("rename_folder", folder, "Sheets", read="folders")
        self.step("get_folder_list")
        file = int(self.step("upload_file", folder, self.facts["file"], read="files")["data"])
        self.step("rename_file", file, "renamed.txt", read="files")
        self.step("get_cloud_list", folderId=folder)
        self.step("del_file", file, read="files")
        self.step("del_folder", folder, read="folders")

    def endings(self) -> None:
        """Take away what nothing needs any more."""
        self.step("delete_school_label", self.ids["label"], read="labels")
        self.step("end_course", self.ids["other"], read="courses")

    def video(self) -> None:
        """Lock the recordings of the class that is over, unlock and delete them."""
        lesson = self.ids["class"]
        shown = f"classes/{lesson}"
        self.step("update_class_lock_status", lesson, 1, read=shown)
        self.step("delete_class_video", lesson, read=f"{shown}/clips")
        self.step("update_class_lock_status", lesson, 0, read=shown)
        self.step("delete_class_video", lesson, read=f"{shown}/clips")


DAY = 24 * HOUR

if __name__ == "__main__":
    tour = Tour(json.load(sys.stdin))
    getattr(tour, sys.argv[1])()
    json.dump({"steps": tour.steps, "ids": tour.ids}, sys.stdout)
