"""All API methods of `classin` 0.1.1."""

from pathlib import Path

from tests.e2e.client_calls import DAY, GUESTS, MEMBERS, SECOND, THERE, Call, by, person
from tests.e2e.test_eeo_tour import has, holds, is_empty, members
from tests.e2e.test_published_clients import LENGTH


def classin_calls(begin: int, file: Path) -> list[Call]:
    """Return calls of all methods of `classin` before the class; it unwraps what goes well."""
    end = begin + LENGTH
    later = {"beginTime": begin + DAY, "endTime": end + DAY, "teacherUid": "$teacher"}
    register = by(password="secret-1", add_to_school_member=2)
    return [
        Call("user.register", ("17700012000", "王"), register, {"teacher": ""}),
        Call(
            "user.register_multiple",
            ([person(f"1770001200{place}", 1 if place < 4 else 2) for place in range(1, 6)],),
            save={
                name: f"{place}.data"
                for place, name in enumerate(("anna", "ben", "guest", "helper", "spare"))
            },
            read="students",
            effect=has("uid", "anna", isCancelled=0),
        ),
        Call("user.modify_password", ("$anna", "0" * 32, "secret-3"), errno=100),
        Call("user.register", ("17700012006", "Ann"), by(password="secret-4")),
        Call(
            "user.add_teacher",
            ("17700012006", "Added"),
            read="teachers",
            effect=holds(name="Added"),
        ),
        Call(
            "user.edit_teacher",
            ("Renamed", 1, "$teacher"),
            read="teachers",
            effect=has("uid", "teacher", name="Renamed"),
        ),
        Call(
            "user.stop_using_teacher",
            ("$spare",),
            read="teachers",
            effect=has("uid", "spare", state="stopped"),
        ),
        Call(
            "user.restart_using_teacher",
            ("$spare",),
            read="teachers",
            effect=has("uid", "spare", state="active"),
        ),
        Call("user.register", ("17700012007", "Bob"), by(password="secret-5")),
        Call(
            "user.add_school_student",
            ("17700012007", "Listed"),
            read="students",
            effect=holds(name="Listed"),
        ),
        Call(
            "user.edit_school_student",
            ("$anna", "Anna B."),
            read="students",
            effect=has("uid", "anna", name="Anna B."),
        ),
        Call(
            "school.add_school_label",
            ("C first",),
            save={"label": ""},
            read="labels",
            effect=holds(labelName="C first"),
        ),
        Call(
            "school.update_school_label",
            ("$label", "C second"),
            read="labels",
            effect=holds(labelName="C second"),
        ),
        Call("classroom.add_course", ("Algebra",), by(main_teacher_uid="$teacher"), {"course": ""}),
        Call("classroom.add_course", ("Other",), save={"other": ""}),
        Call(
            "classroom.edit_course",
            ("$course",),
            by(course_name="Geometry"),
            read="courses",
            effect=has("courseId", "course", courseName="Geometry"),
        ),
        Call(
            "classroom.add_course_student",
            ("$course", 1, "$anna"),
            read=MEMBERS,
            effect=members(anna=THERE, ben=None),
        ),
        Call(
            "classroom.add_course_student_multiple",
            ("$course", [{"uid": "$ben"}]),
            read=MEMBERS,
            effect=members(anna=THERE, ben=THERE),
        ),
        Call(
            "group.modifyGroupMemberNickname",
            ("$course",),
            read=MEMBERS,
            effect=has("uid", "anna", nickname="Anna B."),
        ),
        Call(
            "classroom.add_course_class",
            ("$course", "One", begin, end, "$teacher"),
            by(record=True),
            {"class": "data"},
        ),
        Call(
            "classroom.add_course_class_multiple",
            ("$course", [{"className": name, **later} for name in ("Two", "Three")]),
            save={"second": "0.data", "third": "1.data"},
            read="classes",
            effect=has("classId", "third", className="Three"),
        ),
        Call(
            "classroom.edit_course_class",
            ("$course", "$second"),
            by(class_name="Edited"),
            read=SECOND,
            effect=has("classId", "second", className="Edited"),
        ),
        Call(
            "classroom.modify_class_seat_num",
            ("$course", "$second", 1, 1),
            read=SECOND,
            effect=has("classId", "second", seatNum=1, isHd=1),
        ),
        Call(
            "classroom.add_class_labels",
            ("$course", [{"classId": "$second", "classLabelId": ["$label"]}]),
            read=SECOND,
            effect=lambda s, ids: s["classLabelId"] == [int(ids["label"])],
        ),
        Call(
            "classroom.modify_course_teacher",
            ("$course", "$helper"),
            read=SECOND,
            effect=lambda s, ids: s["teacherUid"] == ids["helper"],
        ),
        Call("classroom.remove_course_teacher", ("$course", "$spare"), errno=316),
        Call(
            "classroom.add_course_class_student",
            ("$course", "$guest", ["$second"]),
            read=GUESTS,
            effect=members(guest=THERE),
        ),
        Call(
            "classroom.del_class_student_multiple",
            ("$course", "$second", ["$guest"]),
            read=GUESTS,
            effect=members(guest=None),
        ),
        Call(
            "classroom.add_class_student_multiple",
            ("$course", "$second", [{"uid": "$guest"}]),
            read=GUESTS,
            effect=members(guest=THERE),
        ),
        Call(
            "broadcast.set_class_video_multiple",
            ("$course", [{"classId": "$class", "record": 1, "live": 1, "replay": 1}]),
            read="classes/{class}",
            effect=lambda s, _ids: s["live"] == 1 and s["live_url"],
        ),
        Call("broadcast.get_webcast_url", ("$course",), save={"webcast": ""}),
        Call("broadcast.get_webcast_partner_url_by_url", ("13800000000", "Ann", "$webcast")),
        Call(
            "classroom.get_live_partner_url",
            ("13800000000", "Ann", "http://127.0.0.1/live.php?lessonKey=0123456789abcdef"),
        ),
        Call("broadcast.get_login_linked", ("$anna", "$class", "$course")),
        Call(
            "user.update_class_student_comment",
            ("$class", [{"studentUid": "$anna", "starNum": 4, "comment": "Well done"}]),
            read="comments",
            effect=holds(comment="Well done", starNum=4),
        ),
        Call(
            "classroom.del_course_class",
            ("$course", "$third"),
            read="classes/{third}",
            effect=has("classId", "third", state=4),
        ),
        Call(
            "classroom.del_course_student",
            ("$course", "$anna"),
            read=MEMBERS,
            effect=members(anna=None, ben=THERE),
        ),
        Call(
            "classroom.del_course_student_multiple",
            ("$course", ["$ben"]),
            read=MEMBERS,
            effect=members(anna=None, ben=None),
        ),
        Call("cloud.get_top_folder_id", save={"top": ""}),
        Call(
            "cloud.create_folder",
            ("$top", "Papers"),
            save={"folder": ""},
            read="folders",
            effect=holds(folderName="Papers"),
        ),
        Call(
            "cloud.rename_folder",
            ("$folder", "Sheets"),
            read="folders",
            effect=holds(folderName="Sheets"),
        ),
        Call("cloud.get_folder_list"),
        # It encodes the fields before `requests` can add the file, so it sends nothing.
        Call("cloud.upload_file", ("$folder", f"@{file}"), errno=0),
        Call(
            "cloud.rename_file",
            ("$file", "renamed.txt"),
            read="files",
            effect=holds(fileName="renamed.txt"),
        ),
        Call("cloud.get_cloud_list", ("$folder",)),
        Call(
            "cloud.del_file", ("$file",), read="files", effect=is_empty("fileName", "renamed.txt")
        ),
        Call(
            "cloud.del_folder",
            ("$folder",),
            read="folders",
            effect=is_empty("folderName", "Sheets"),
        ),
        Call(
            "school.delete_school_label",
            ("$label",),
            read="labels",
            effect=is_empty("labelName", "C second"),
        ),
        Call(
            "classroom.end_course",
            ("$other",),
            read="courses",
            effect=has("courseId", "other", state=3),
        ),
    ]


def classin_calls_after() -> list[Call]:
    """Return calls of the methods that a class needs when it is over and has a recording."""
    lesson, clips = "classes/{class}", "classes/{class}/clips"
    return [
        Call(
            "broadcast.update_class_lock_status",
            ("$class", True),
            read=lesson,
            effect=lambda s, _ids: s["isLock"] == 1,
        ),
        Call(
            "broadcast.delete_class_video",
            ("$class",),
            read=clips,
            effect=holds(state=1),
            errno=633,
        ),
        Call(
            "broadcast.update_class_lock_status",
            ("$class", False),
            read=lesson,
            effect=lambda s, _ids: s["isLock"] == 0,
        ),
        Call("broadcast.delete_class_video", ("$class",), read=clips, effect=is_empty("state", 1)),
    ]
