"""All API methods of `eeo-py-sdk` 0.2.0."""

from pathlib import Path

from tests.e2e.client_calls import DAY, GUESTS, MEMBERS, SECOND, THERE, Call, by, person
from tests.e2e.test_eeo_tour import has, holds, is_empty, members, row
from tests.e2e.test_published_clients import LENGTH


def sdk_calls(begin: int, file: Path) -> list[Call]:
    """Return calls of all methods of `eeo-py-sdk` before the class."""
    end = begin + LENGTH
    later = {"beginTime": begin + DAY, "endTime": end + DAY, "teacherUid": "$teacher"}
    teams = [[{"studentUid": "$anna", "isLeader": 1}, {"studentUid": "$ben", "isLeader": 0}]]
    alone = [[{"studentUid": "$ben", "isLeader": 1}]]
    last = begin + 2 * DAY
    return [
        Call("register", ("17700011000", "secret-1"), by(addToSchoolMember=2), {"teacher": "data"}),
        Call(
            "register_multiple",
            ([person(f"1770001100{place}", 1 if place < 4 else 2) for place in range(1, 6)],),
            save={
                name: f"data.{place}.data"
                for place, name in enumerate(("anna", "ben", "guest", "helper", "spare"))
            },
            read="students",
            effect=has("uid", "anna", isCancelled=0),
        ),
        Call("modify_password", ("$anna", "0" * 32, "secret-3"), errno=100),
        Call("register", ("17700011006", "secret-4")),
        Call("add_teacher", ("17700011006", "Added"), read="teachers", effect=holds(name="Added")),
        Call(
            "edit_teacher",
            ("$teacher", "Renamed"),
            read="teachers",
            effect=has("uid", "teacher", name="Renamed"),
        ),
        Call(
            "stop_using_teacher",
            ("$spare",),
            read="teachers",
            effect=has("uid", "spare", state="stopped"),
        ),
        Call(
            "restart_using_teacher",
            ("$spare",),
            read="teachers",
            effect=has("uid", "spare", state="active"),
        ),
        Call("register", ("17700011007", "secret-5")),
        Call(
            "add_school_student",
            ("17700011007", "Listed"),
            read="students",
            effect=holds(name="Listed"),
        ),
        Call(
            "edit_school_student",
            ("$anna", "Anna B."),
            read="students",
            effect=has("uid", "anna", name="Anna B."),
        ),
        Call(
            "edit_school_settings",
            (0,),
            read="conf",
            effect=holds(allowViewReplay=0),
        ),
        Call("edit_school_settings", (1,)),
        Call(
            "add_school_label",
            ("SDK first",),
            save={"label": "data.labelId"},
            read="labels",
            effect=holds(labelName="SDK first"),
        ),
        Call(
            "update_school_label",
            ("$label", "SDK second"),
            read="labels",
            effect=holds(labelName="SDK second"),
        ),
        Call("add_course", ("Algebra",), by(mainTeacherUid="$teacher"), {"course": "data"}),
        Call("add_course", ("Other",), save={"other": "data"}),
        Call(
            "edit_course",
            ("$course",),
            by(courseName="Geometry"),
            read="courses",
            effect=has("courseId", "course", courseName="Geometry"),
        ),
        Call(
            "add_course_labels",
            ([{"courseId": "$course", "labelIds": ["$label"]}],),
            read="courses",
            effect=lambda s, ids: row(s, "courseId", ids["course"])["labelIds"],
        ),
        Call(
            "add_course_student",
            ("$course", "$anna"),
            read=MEMBERS,
            effect=members(anna=THERE, ben=None),
        ),
        Call(
            "add_course_student_multiple",
            ("$course", [{"uid": "$ben"}]),
            read=MEMBERS,
            effect=members(anna=THERE, ben=THERE),
        ),
        # It calls the v1 wire, which has no such action.
        Call("modify_course_student_nickname", ("$course",), errno=100),
        Call(
            "modify_group_member_nickname",
            ("$course",),
            read=MEMBERS,
            effect=has("uid", "anna", nickname="Anna B."),
        ),
        Call("add_course_teacher_v2", ("$course", ["$spare", "$helper"])),
        Call("remove_course_teacher", ("$course", "$spare")),
        Call(
            "add_course_group",
            ("$course", "Teams", teams),
            save={"group": "data"},
            read="groups",
            effect=holds(groupName="Teams"),
        ),
        Call(
            "edit_course_group",
            ("$course", "$group", "Alone", alone),
            read="groups",
            effect=holds(groupName="Alone"),
        ),
        Call(
            "del_course_group",
            ("$course", "$group"),
            read="groups",
            effect=is_empty("groupName", "Alone"),
        ),
        Call(
            "add_course_class",
            ("$course", "One", "$teacher", begin, end),
            by(seatNum=6, record=1),
            {"class": "data"},
        ),
        Call(
            "add_course_class_multiple",
            ("$course", [{"className": name, **later} for name in ("Two", "Three")]),
            save={"second": "data.0.data", "third": "data.1.data"},
            read="classes",
            effect=has("classId", "third", className="Three"),
        ),
        Call(
            "edit_course_class",
            ("$course", "$second"),
            by(className="Edited"),
            read=SECOND,
            effect=has("classId", "second", className="Edited"),
        ),
        Call(
            "modify_class_seatNum",
            ("$course", "$second", 1),
            by(isHd=1),
            read=SECOND,
            effect=has("classId", "second", seatNum=1, isHd=1),
        ),
        Call(
            "add_class_labels",
            ("$course", [{"classId": "$second", "classLabelId": ["$label"]}]),
            read=SECOND,
            effect=lambda s, ids: s["classLabelId"] == [int(ids["label"])],
        ),
        Call(
            "modify_course_teacher",
            ("$course", "$helper"),
            read=SECOND,
            effect=lambda s, ids: s["teacherUid"] == ids["helper"],
        ),
        Call(
            "add_course_class_student",
            ("$course", "$guest", ["$second"]),
            read=GUESTS,
            effect=members(guest=THERE),
        ),
        Call(
            "del_class_student_multiple",
            ("$course", "$second", ["$guest"]),
            read=GUESTS,
            effect=members(guest=None),
        ),
        Call(
            "add_class_student_multiple",
            ("$course", "$second", [{"uid": "$guest"}]),
            read=GUESTS,
            effect=members(guest=THERE),
        ),
        Call(
            "set_class_video_multiple",
            ("$course", [{"classId": "$class", "record": 1, "live": 1, "replay": 1}]),
            read="classes/{class}",
            effect=lambda s, _ids: s["live"] == 1 and s["live_url"],
        ),
        Call("get_webcast_url", ("$course", "$class")),
        # An action of newer pages, which this server does not have: 404.
        Call("set_webcast", (), by(courseId="$course", classId="$class", liveState=1), errno=0),
        Call("get_login_linked", ("$anna", "$course", "$class")),
        Call(
            "update_class_student_comment",
            ("$class", [{"studentUid": "$anna", "starNum": 4, "comment": "Well done"}]),
            read="comments",
            effect=holds(comment="Well done", starNum=4),
        ),
        Call(
            "del_course_class",
            ("$course", "$third"),
            read="classes/{third}",
            effect=has("classId", "third", state=4),
        ),
        Call(
            "del_course_student",
            ("$course", "$anna"),
            read=MEMBERS,
            effect=members(anna=None, ben=THERE),
        ),
        Call(
            "del_course_student_multiple",
            ("$course", ["$ben"]),
            read=MEMBERS,
            effect=members(anna=None, ben=None),
        ),
        Call(
            "create_unit",
            ("$course", "Unit", 0),
            save={"unit": "data.unitId"},
            read="units",
            effect=holds(name="Unit", publishFlag=0),
        ),
        Call("create_unit", ("$course", "Target", 2), save={"target": "data.unitId"}),
        Call(
            "update_unit",
            ("$course", "$unit", "Renamed"),
            by(publishFlag=2),
            read="units",
            effect=holds(name="Renamed", publishFlag=2),
        ),
        Call("add_course_student", ("$course", "$anna")),
        Call(
            "create_activity_no_class",
            ("$course", "$unit", 5, "Paper", "$teacher"),
            save={"paper": "data.activityId"},
            read="activities",
            effect=holds(name="Paper", publishFlag=0),
        ),
        Call(
            "release_activity",
            ("$course", "$paper"),
            read="activities",
            effect=holds(name="Paper", publishFlag=2),
        ),
        Call("activity_delete_student", ("$course", "$paper", ["$anna"])),
        Call("activity_add_student", ("$course", "$paper", ["$anna"])),
        Call(
            "create_lms_lesson",
            ("$course", "Classroom", "$teacher", last, last + 3600),
            by(unitId="$unit"),
            {"room": "data.activityId", "lms": "data.classId"},
            "activities",
            holds(name="Classroom"),
        ),
        Call(
            "update_lms_lesson",
            ("$course", "$room"),
            by(name="Changed"),
            read="classes/{lms}",
            effect=lambda s, _ids: s["className"] == "Changed",
        ),
        Call("move_unit", ("$course", "$unit", "$target")),
        Call(
            "delete_activity",
            ("$course", "$paper"),
            read="activities",
            effect=lambda s, _ids: row(s, "name", "Paper")["deletedTime"],
        ),
        Call(
            "delete_activity",
            ("$course", "$room"),
            read="classes/{lms}",
            effect=lambda s, _ids: s["state"] == 4,
        ),
        Call(
            "delete_unit",
            ("$course", "$unit"),
            read="units",
            effect=lambda s, _ids: row(s, "name", "Renamed")["deletedTime"],
        ),
        Call(
            "add_doubleTeacher_lesson",
            ("$course", "$second", [{"courseId": "$other", "className": "Sub"}]),
            save={"sub": "data.subClassData.0.classId"},
        ),
        Call(
            "edit_doubleTeacher_lesson",
            ("$course", "$second"),
            by(className="Main"),
            read=SECOND,
            effect=lambda s, _ids: s["className"] == "Main",
        ),
        Call(
            "del_doubleTeacher_lesson",
            ("$other", "$sub"),
            read="classes/{sub}",
            effect=lambda s, _ids: s["state"] == 4,
        ),
        Call("get_top_folder_id", save={"top": "data"}),
        Call(
            "create_folder",
            ("$top", "Papers"),
            save={"folder": "data"},
            read="folders",
            effect=holds(folderName="Papers"),
        ),
        Call(
            "rename_folder",
            ("$folder", "Sheets"),
            read="folders",
            effect=holds(folderName="Sheets"),
        ),
        Call("get_folder_list"),
        Call(
            "upload_file",
            ("$folder", str(file)),
            save={"file": "data"},
            read="files",
            effect=holds(fileName="handout.txt"),
        ),
        Call(
            "rename_file",
            ("$file", "renamed.txt"),
            read="files",
            effect=holds(fileName="renamed.txt"),
        ),
        Call("get_cloud_list", ("$folder",)),
        Call("del_file", ("$file",), read="files", effect=is_empty("fileName", "renamed.txt")),
        Call("del_folder", ("$folder",), read="folders", effect=is_empty("folderName", "Sheets")),
        Call(
            "delete_school_label",
            ("$label",),
            read="labels",
            effect=is_empty("labelName", "SDK second"),
        ),
        Call("end_course", ("$other",), read="courses", effect=has("courseId", "other", state=3)),
    ]


def sdk_calls_after() -> list[Call]:
    """Return calls of the methods that a class needs when it is over and has a recording."""
    lesson, clips = "classes/{class}", "classes/{class}/clips"
    return [
        # It sends lockStatus where the page has isLock: the server takes both.
        *(
            call
            for lock, state, errno in ((1, holds(state=1), 633), (0, is_empty("state", 1), 1))
            for call in (
                Call(
                    "update_class_lock_status",
                    ("$class", lock),
                    read=lesson,
                    effect=has("classId", "class", isLock=lock),
                ),
                Call("delete_class_video", ("$class",), read=clips, effect=state, errno=errno),
            )
        ),
    ]
