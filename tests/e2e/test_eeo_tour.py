"""All API methods of `eeo` 2.0.0, unmodified: each is answered as documented, and does its work."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from PIL import Image

from tests.e2e.test_published_clients import CLIENTS, LENGTH, OVERTIME, environment, now, run_script
from tests.support.process import Process

pytestmark = [pytest.mark.e2e, pytest.mark.clients]

EEO: Final = CLIENTS[0]
SCRIPT: Final = "tour_eeo.py"
UNTIL_BEGIN: Final = 3600
Seen = Any
Ids = dict[str, Any]
Effect = Callable[[Seen, Ids], object]
"""What the read-back after a step must show; anything true."""


def row(seen: Seen, key: str, value: object) -> dict[str, Any]:
    """Return the row with a value, or an empty one."""
    return next((entry for entry in seen if entry[key] == value), {})


def no_effect(_seen: Seen, _ids: Ids) -> bool:
    """Accept a step that only answers; later steps build on its effect."""
    return True


def has(key: str, thing: str, /, **wanted: object) -> Effect:
    """Return the check that the row of something the tour made has some values."""

    def check(seen: Seen, ids: Ids) -> bool:
        entry = row(seen, key, ids[thing]) if isinstance(seen, list) else seen
        return bool(entry) and {field: entry[field] for field in wanted} == wanted

    return check


def members(**wanted: tuple[int, ...] | None) -> Effect:
    """Return the check of who is in a course or a class, by the names of the tour."""

    def check(seen: Seen, ids: Ids) -> bool:
        roles = {entry["uid"]: entry.get("identity") for entry in seen}
        return all((ids[name] in roles) is bool(there) for name, there in wanted.items())

    return check


def lacks(key: str, name: str) -> Effect:
    """Return the check that a row of the tour is gone."""
    return lambda seen, ids: not row(seen, key, ids[name])


def holds(**wanted: object) -> Effect:
    """Return the check that some row has these values."""
    return lambda seen, _ids: any(
        all(entry.get(field) == value for field, value in wanted.items()) for entry in seen
    )


def is_empty(key: str, value: object) -> Effect:
    """Return the check that no row has a value."""
    return lambda seen, _ids: not row(seen, key, value)


THERE: Final = (1,)
SCHOOL: Final[list[tuple[str, int, Effect]]] = [
    ("register", 1, no_effect),
    ("register_multiple", 1, has("uid", "anna", isCancelled=0)),
    ("modify_password", 100, no_effect),
    ("register", 1, no_effect),
    ("add_teacher", 1, holds(name="Added")),
    ("edit_teacher", 1, has("uid", "teacher", name="Renamed")),
    ("stop_using_teacher", 1, has("uid", "spare", state="stopped")),
    ("restart_using_teacher", 1, has("uid", "spare", state="active")),
    ("register", 1, no_effect),
    ("add_school_student", 1, holds(name="Listed")),
    ("edit_school_student", 1, has("uid", "anna", name="Anna B.")),
    ("modify_school_conf", 1, holds(allowViewReplay=0)),
    ("modify_school_conf", 1, no_effect),
    ("add_school_label", 1, has("labelId", "label", labelName="First")),
    ("update_school_label", 1, has("labelId", "label", labelName="Second")),
    ("add_course", 1, no_effect),
    ("add_course", 1, no_effect),
    ("edit_course", 1, has("courseId", "course", courseName="Geometry")),
    ("add_course_labels", 1, lambda s, ids: row(s, "courseId", ids["course"])["labelIds"]),
    ("add_course_student", 1, members(anna=THERE, ben=None)),
    ("add_course_student_multiple", 1, members(anna=THERE, ben=THERE)),
    ("modify_course_student_nickname", 1, has("uid", "anna", nickname="Anna B.")),
    ("modify_group_member_nickname", 1, has("uid", "anna", nickname="Anna B.")),
    ("add_course_teacher", 1, no_effect),
    ("remove_course_teacher", 1, no_effect),
    ("add_course_group", 1, holds(groupName="Teams")),
    ("edit_course_group", 1, holds(groupName="Alone")),
    ("del_course_group", 1, is_empty("groupName", "Alone")),
    ("add_course_class", 1, no_effect),
    ("add_course_class_multiple", 1, has("classId", "third", className="Three")),
    ("edit_course_class", 1, has("classId", "second", className="Edited")),
    ("modify_class_seatNum", 1, has("classId", "second", seatNum=1, isHd=1)),
    ("add_class_labels", 1, lambda s, ids: s["classLabelId"] == [ids["label"]]),
    ("modify_course_teacher", 1, lambda s, ids: s["teacherUid"] == ids["helper"]),
    ("add_course_class_student", 1, members(guest=THERE)),
    ("del_class_student_multiple", 1, members(guest=None)),
    ("add_class_student_multiple", 1, members(guest=THERE)),
    ("set_class_video_multiple", 1, lambda s, _ids: s["live"] == 1 and s["live_url"]),
    ("get_webcast_url", 1, no_effect),
    ("get_login_linked", 1, no_effect),
    ("update_class_student_comment", 1, holds(comment="Well done", starNum=4)),
    ("del_course_class", 1, has("classId", "third", state=4)),
    ("del_course_student", 1, members(anna=None, ben=THERE)),
    ("del_course_student_multiple", 1, members(anna=None, ben=None)),
    ("create_unit", 1, holds(name="Unit", publishFlag=0)),
    ("create_unit", 1, no_effect),
    ("update_unit", 1, holds(name="Renamed", publishFlag=2)),
    ("add_course_student", 1, no_effect),
    ("create_activity_no_class", 1, holds(name="Paper", publishFlag=0)),
    ("release_activity", 1, holds(name="Paper", publishFlag=2)),
    ("delete_activity_student", 1, no_effect),
    ("add_activity_student", 1, no_effect),
    ("create_lms_lesson", 1, holds(name="Classroom")),
    ("update_lms_lesson", 1, lambda s, _ids: s["className"] == "Changed"),
    ("move_unit", 1, no_effect),
    ("delete_activity", 1, no_effect),
    ("delete_activity", 1, lambda s, _ids: s["state"] == 4),
    ("delete_unit", 1, no_effect),
    ("add_newDoubleTeacher_lesson", 1, no_effect),
    ("edit_newDoubleTeacher_lesson", 1, lambda s, _ids: s["className"] == "Main"),
    ("del_newDoubleTeacher_lesson", 1, lambda s, _ids: s["state"] == 4),
    ("get_top_folder_id", 1, no_effect),
    ("create_folder", 1, holds(folderName="Papers")),
    ("rename_folder", 1, holds(folderName="Sheets")),
    ("get_folder_list", 1, no_effect),
    ("upload_file", 1, holds(fileName="handout.txt")),
    ("rename_file", 1, holds(fileName="renamed.txt")),
    ("get_cloud_list", 1, no_effect),
    ("del_file", 1, is_empty("fileName", "renamed.txt")),
    ("del_folder", 1, is_empty("folderName", "Sheets")),
    ("delete_school_label", 1, lacks("labelId", "label")),
    ("end_course", 1, has("courseId", "other", state=3)),
]
VIDEO: Final[list[tuple[str, int, Effect]]] = [
    ("update_class_lock_status", 1, lambda s, _ids: s["isLock"] == 1),
    ("delete_class_video", 633, holds(state=1)),
    ("update_class_lock_status", 1, lambda s, _ids: s["isLock"] == 0),
    ("delete_class_video", 1, is_empty("state", 1)),
]


def test_every_method_is_answered_and_its_effect_seen(server: Process, tmp_path: Path) -> None:
    picture, file, clip = tmp_path / "a.png", tmp_path / "handout.txt", tmp_path / "lesson.mp4"
    Image.new("RGB", (300, 300), "teal").save(picture)
    file.write_text("read this")
    clip.write_bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(4096))
    server.cli("school", "set", str(server.sid), "stop_delay=0")
    facts: dict[str, object] = {
        "url": server.url,
        "sid": server.sid,
        "secret": server.secret,
        "token": server.token,
        "begin": now(server) + UNTIL_BEGIN,
        "phones": [f"17700009{place:03}" for place in range(8)],
        "picture": str(picture),
        "file": str(file),
        "ids": {},
    }
    school = run_script(EEO, SCRIPT, "school", facts)
    check(school, SCHOOL)
    server.advance(UNTIL_BEGIN + LENGTH + OVERTIME + 60)
    server.cli("clip", "add", str(school["ids"]["class"]), str(clip), "--json")
    video = run_script(EEO, SCRIPT, "video", facts | {"ids": school["ids"]})
    check(video, VIDEO)
    used = {step["method"] for step in (*school["steps"], *video["steps"])}
    assert used == methods_of_client()


def check(tour: dict[str, Any], wanted: list[tuple[str, int, Effect]]) -> None:
    """Compare the steps of a tour with those that are expected, and their effects."""
    steps = [(step["method"], step["errno"]) for step in tour["steps"]]
    assert steps == [(method, errno) for method, errno, _ in wanted]
    without_effect = [
        (step["method"], step["answer"], step["seen"])
        for step, (_, _, effect) in zip(tour["steps"], wanted, strict=True)
        if not effect(step["seen"], tour["ids"])
    ]
    assert without_effect == []
    for step in tour["steps"]:
        entries = step["answer"].get("data")
        for entry in entries if isinstance(entries, list) else ():
            assert entry.get("errno", entry.get("code")) == 1, (step["method"], entry)


def methods_of_client() -> set[str]:
    """Return the names of all methods of the client that call the API."""
    (module,) = environment(EEO).parents[1].glob("lib/*/site-packages/eeo/api.py")
    names = set(re.findall(r"^    def ([a-z]\w+)\(", module.read_text(), re.MULTILINE))
    return names - {"close"}
