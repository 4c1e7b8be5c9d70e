"""The commands of an operator beside a running server: each has an effect a partner can see."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from homeroom.base.clock import HOUR
from homeroom.base.mp4 import looks_like_mp4
from homeroom.contract.errno import Errno
from tests.support.operator import LET_IN, School, refused, run_json
from tests.support.process import CommandFailed, Process
from tests.support.wire import Value

pytestmark = pytest.mark.e2e

MP4: Final = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(4096)
ADD_CLASS: Final = "addCourseClass"


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.api.close()


def test_a_school_is_listed_and_shown(server: Process, school: School) -> None:
    names = {row["sid"]: row["name"] for row in run_json(server, "school", "list")}
    details = run_json(server, "school", "show", str(school.sid))

    assert names[school.sid] == "学校"
    assert (details["secret"], details["former_secret"]) == (school.secret, None)
    assert details["plan"]["max_seats"] == 12
    assert len(school.secret) >= 32
    assert (
        f"SID {school.sid + 900} " in refused(server, "school", "show", f"{school.sid + 900}") + " "
    )


def test_what_a_school_may_do_is_set(server: Process, school: School) -> None:
    form = school.form(record=1, live=1)

    assert school.set("live=off", "max_labels=1")["live"] is False

    assert school.errno(ADD_CLASS, **form) == Errno.LIVE_NOT_IN_PLAN.number
    school.set("live=on")
    school.done(ADD_CLASS, **form)
    assert "lives: no such key; known are time_zone, suspended," in refused(
        server, "school", "set", str(school.sid), "lives=off"
    )


def test_a_suspended_school_is_let_in_no_more(school: School) -> None:
    school.set("suspended=on")
    assert school.soon(Errno.NOT_AUTHORISED)
    school.set("suspended=off")
    assert school.soon(LET_IN)


def test_a_rotated_secret_leaves_the_former_one_good_until_it_is_dropped(
    server: Process, school: School
) -> None:
    sid, former = str(school.sid), school.secret

    rotated = run_json(server, "school", "rotate-secret", sid)

    assert rotated["former_secret"] == former != rotated["secret"]
    school.api.secret = rotated["secret"]
    assert school.soon(LET_IN)
    school.api.secret = former
    assert school.soon(LET_IN)
    assert "two secrets already" in refused(server, "school", "rotate-secret", sid)
    run_json(server, "school", "rotate-secret", sid, "--drop-former")
    assert school.soon(Errno.NOT_AUTHORISED)
    school.api.secret = rotated["secret"]
    assert school.soon(LET_IN)
    assert "no former secret" in refused(server, "school", "rotate-secret", sid, "--drop-former")


def test_a_sub_account_is_not_stopped(server: Process, school: School) -> None:
    sid, teacher = str(school.sid), school.person(2)

    run_json(server, "subaccount", "add", sid, str(teacher))

    stop = {"teacherUid": teacher}
    assert [row["uid"] for row in run_json(server, "subaccount", "list", sid)] == [teacher]
    assert school.errno("stopUsingTeacher", **stop) == Errno.SUB_ACCOUNT_NOT_STOPPABLE.number
    assert "already" in refused(server, "subaccount", "add", sid, str(teacher))
    run_json(server, "subaccount", "remove", sid, str(teacher))
    school.done("stopUsingTeacher", **stop)
    assert "is no sub-account" in refused(server, "subaccount", "remove", sid, str(teacher))


def test_a_cancelled_user_teaches_no_more(server: Process, school: School) -> None:
    teacher = school.person(2)
    form = school.form(teacherUid=teacher)
    details = run_json(server, "user", "show", str(teacher))

    run_json(server, "user", "cancel", details["telephone"])

    assert details["posts"] == [{"sid": school.sid, "post": "teacher, active"}]
    assert school.errno(ADD_CLASS, **form) == Errno.TEACHER_CANCELLED.number
    assert run_json(server, "user", "show", str(teacher))["cancelled"] is True
    assert "is cancelled" in refused(server, "user", "cancel", str(teacher))
    owner = run_json(server, "school", "show", str(school.sid))["owner"]
    assert "is the school account" in refused(server, "user", "cancel", str(owner))


def test_a_user_gets_another_telephone_number(server: Process, school: School) -> None:
    teacher, other = school.person(2), school.person(1)
    number = f"139{teacher:08}"

    changed = run_json(server, "user", "change-phone", str(teacher), number)

    assert changed == {"uid": teacher, "telephone": number}
    assert run_json(server, "user", "show", number)["uid"] == teacher
    assert "already" in refused(server, "user", "change-phone", str(teacher), number)
    assert f"UID {teacher} has" in refused(server, "user", "change-phone", str(other), number)
    assert "telephone number is" in refused(server, "user", "change-phone", str(other), "139")


def test_a_course_is_made_public_and_deleted(server: Process, school: School) -> None:
    course = school.course()
    change: dict[str, Value] = {"courseId": course, "courseName": "Other"}

    run_json(server, "course", "set", str(course), "kind=public")
    assert school.errno("editCourse", **change) == Errno.KIND_NOT_SUPPORTED.number
    run_json(server, "course", "set", str(course), "kind=standard")
    school.done("editCourse", **change)
    run_json(server, "course", "delete", str(course))
    assert school.errno("editCourse", **change) == Errno.COURSE_DELETED.number
    assert "is deleted" in refused(server, "course", "delete", str(course))
    assert "must be one of standard, public, dual" in refused(
        server, "course", "set", str(course), "kind=open"
    )


def test_a_deleted_course_frees_the_identities_of_its_classes(
    server: Process, school: School
) -> None:
    form = school.form(courseUniqueIdentity="one")
    first = school.done(ADD_CLASS, **form)

    run_json(server, "course", "delete", str(form["courseId"]))

    assert school.done(ADD_CLASS, **form | {"courseId": school.course()}) != first


def test_no_class_may_touch_a_maintenance_window(server: Process, school: School) -> None:
    form = school.form()
    begin = int(str(form["beginTime"]))
    window = str(
        run_json(server, "maintenance", "add", "--from", str(begin), "--to", str(begin + HOUR))[
            "window"
        ]
    )

    assert school.errno(ADD_CLASS, **form) == Errno.MAINTENANCE_OVERLAP.number
    assert str(run_json(server, "maintenance", "list")[0]["window"]) == window
    run_json(server, "maintenance", "remove", window)
    school.done(ADD_CLASS, **form)
    assert "no maintenance window" in refused(server, "maintenance", "remove", window)


def test_a_blocking_window_closes_the_partner_api(server: Process, school: School) -> None:
    when = ["--from", "2020-01-01", "--to", "2099-12-31T00:00+08:00"]
    window = run_json(server, "maintenance", "add", *when, "--block")

    try:
        is_blocked = school.soon(Errno.IN_MAINTENANCE)
    finally:
        run_json(server, "maintenance", "remove", str(window["window"]))

    assert is_blocked
    assert window["to"] == "2099-12-30T16:00:00+00:00"
    assert school.soon(LET_IN)


def test_a_class_made_elsewhere_is_not_edited(server: Process, school: School) -> None:
    form = school.form()
    lesson = school.done(ADD_CLASS, **form)
    change = {"courseId": form["courseId"], "classId": lesson, "className": "Other"}

    run_json(server, "class", "set", str(lesson), "origin=client")
    assert school.errno("editCourseClass", **change) == Errno.LESSON_MADE_ELSEWHERE.number
    run_json(server, "class", "set", str(lesson), "origin=v1")
    school.done("editCourseClass", **change)
    assert "must be one of v1, client, lms" in refused(
        server, "class", "set", str(lesson), "origin=web"
    )


def test_a_guest_of_a_class_does_not_teach_it(server: Process, school: School) -> None:
    form = school.form()
    lesson, guest = school.done(ADD_CLASS, **form), school.person(2)
    change = {"courseId": form["courseId"], "classId": lesson, "teacherUid": guest}

    run_json(server, "class", "guest", str(lesson), "--add", str(guest))
    assert school.errno("editCourseClass", **change) == Errno.TEACHER_IS_GUEST.number
    run_json(server, "class", "guest", str(lesson), "--remove", str(guest))
    school.done("editCourseClass", **change)
    assert "is no guest" in refused(server, "class", "guest", str(lesson), "--remove", str(guest))
    assert "teaches class" in refused(server, "class", "guest", str(lesson), "--add", str(guest))


def test_a_clip_of_a_closed_class_is_added_listed_and_deleted(
    server: Process, school: School, tmp_path: Path
) -> None:
    recording = tmp_path / "第一课.mp4"
    recording.write_bytes(MP4)
    lesson = school.done(ADD_CLASS, **school.form(record=1))
    video = {"classId": lesson}
    assert school.errno("deleteClassVideo", **video) == Errno.LESSON_NOT_OVER.number

    run_json(server, "class", "close", str(lesson))
    added = run_json(server, "clip", "add", str(lesson), str(recording), "--kind", "scene")

    stored = server.data / added["path"]
    assert stored.read_bytes() == MP4
    (row,) = list_clips(server, lesson)
    assert (row["name"], row["size"], row["deleted"]) == ("第一课.mp4", len(MP4), None)
    assert (row["kind"], row["isFinished"], row["sha256"]) == ("scene", True, added["sha256"])
    assert httpx.get(row["url"], trust_env=False).content == MP4
    school.done("deleteClassVideo", **video)
    assert not stored.exists()
    assert list_clips(server, lesson)[0]["deleted"] is not None
    assert list_clips(server, lesson)[0]["url"] is None
    assert "is over already" in refused(server, "class", "close", str(lesson))


def test_a_stream_is_shown_and_given_another_key(server: Process, school: School) -> None:
    form = school.form(record=1, live=1, recordScene=1)
    reply = school.api.call(ADD_CLASS, **form)
    lesson = str(reply.data)

    details = run_json(server, "stream", lesson)

    for name in ("push_url", "scene_push_url"):
        assert details[name].startswith(f"{server.push_url}/")
    bound = reply.body["more_data"]["live_info"]
    assert [details[f"{name.lower()}_url"] for name in bound] == list(bound.values())
    assert details["rtmp_url"].startswith(f"{server.pull_urls[0]}/")
    assert "-scene.m3u8?" in details["scene_hls_url"]
    token = run_json(server, "token", "create", "--school", str(school.sid), "--name", "t")["token"]
    read = httpx.get(
        f"{server.url}/admin/v1/classes/{lesson}/stream",
        headers={"authorization": f"Bearer {token}"},
        trust_env=False,
    ).json()
    assert (read["pushUrl"], read["scenePushUrl"]) == (
        details["push_url"],
        details["scene_push_url"],
    )
    moments = (form["beginTime"], form["endTime"])
    assert (read["opensAt"] + 1200, read["closesAt"] - 1200) == moments
    renewed = run_json(server, "stream", lesson, "--new-key")
    changed = {name for name in details if details[name] != renewed[name]}
    assert changed == {"push_url", "scene_push_url", "teach_url"}
    silent = run_json(server, "stream", str(school.done(ADD_CLASS, **school.form())))
    assert {name for name in silent if silent[name] and name.endswith("_url")} == {"teach_url"}


def test_a_recording_of_another_kind_is_kept_with_a_warning(
    school: School, server: Process, tmp_path: Path
) -> None:
    film = tmp_path / "old.mp4"
    film.write_bytes(b"another container")
    lesson = school.done(ADD_CLASS, **school.form(record=1))
    assert run_json(server, "clip", "add", str(lesson), str(film))["size"] == len(
        b"another container"
    )
    with film.open("rb") as file:
        assert not looks_like_mp4(file)


def list_clips(server: Process, lesson: int) -> list[dict[str, Any]]:
    return list(run_json(server, "clip", "list", str(lesson)))


def test_what_is_no_recording_is_not_kept(server: Process, school: School, tmp_path: Path) -> None:
    lesson = str(school.done(ADD_CLASS, **school.form()))
    empty, huge, good = tmp_path / "a.mp4", tmp_path / "b.mp4", tmp_path / "c.mp4"
    empty.touch()
    good.write_bytes(MP4)
    with huge.open("wb") as file:
        file.write(MP4)
        file.truncate(20_000_000_001)
    before = files(server)

    assert "is empty" in refused(server, "clip", "add", lesson, str(empty))
    assert "has more than 20 GB" in refused(server, "clip", "add", lesson, str(huge))
    assert "is not a regular file" in refused(server, "clip", "add", lesson, str(tmp_path))
    assert "No such file" in refused(server, "clip", "add", lesson, str(tmp_path / "d.mp4"))
    assert "no class has the id" in refused(server, "clip", "add", "999999", str(good))
    assert files(server) == before


def files(server: Process) -> set[Path]:
    return {file for file in (server.data / "clips").rglob("*") if file.is_file()}


def test_a_preset_can_be_named_by_a_course(server: Process, school: School) -> None:
    preset = run_json(server, "preset", "add", str(school.sid), "Small room")["preset"]

    school.done("addCourse", courseName="Course", classroomSettingId=preset)

    assert run_json(server, "preset", "list", str(school.sid)) == [
        {"preset": preset, "name": "Small room"}
    ]
    assert "no school" in refused(server, "preset", "add", "999", "Small room")


def test_a_folder_that_is_not_writable_takes_no_folder(server: Process, school: School) -> None:
    top = school.done("getTopFolderId")
    new = {"folderId": top, "folderName": "Worksheets"}

    run_json(server, "folder", "set", str(top), "writable=0")
    assert school.errno("createFolder", **new) == Errno.FOLDER_NOT_WRITABLE.number
    run_json(server, "folder", "set", str(top), "writable=1")
    school.done("createFolder", **new)
    assert "no folder has the id" in refused(server, "folder", "set", "99999", "writable=1")


def test_a_token_opens_the_read_back_until_it_is_revoked(server: Process, school: School) -> None:
    made = run_json(server, "token", "create", "--school", str(school.sid), "--name", "reports")

    assert read_back(server, made["token"]) == 200
    assert made["token"] not in server.cli("token", "list")
    assert [
        row["school"] for row in run_json(server, "token", "list") if row["id"] == made["id"]
    ] == [school.sid]
    run_json(server, "token", "revoke", str(made["id"]))
    assert read_back(server, made["token"]) == 401
    assert "no token in force" in refused(server, "token", "revoke", str(made["id"]))
    assert "no school" in refused(server, "token", "create", "--school", "999")


def test_the_demo_gives_the_operator_a_token(server: Process) -> None:
    assert server.token is not None
    assert read_back(server, server.token) == 200


def read_back(server: Process, token: str) -> int:
    return httpx.get(
        f"{server.url}/admin/v1/schools",
        headers={"authorization": f"Bearer {token}"},
        trust_env=False,
    ).status_code


def test_the_doctor_finds_the_server_and_what_is_missing(
    server: Process, school: School, tmp_path: Path
) -> None:
    recording = tmp_path / "lesson.mp4"
    recording.write_bytes(MP4)
    lesson = str(school.done(ADD_CLASS, **school.form(record=1)))
    path = server.data / run_json(server, "clip", "add", lesson, str(recording))["path"]
    healthy = {row["check"]: row["state"] for row in run_json(server, "doctor")}

    path.rename(path.with_suffix(".away"))
    with pytest.raises(CommandFailed) as failed:
        server.cli("doctor")
    path.with_suffix(".away").rename(path)

    assert set(healthy.values()) == {"ok"}
    assert "server" in healthy
    assert failed.value.code == 1
    assert re.search(
        r"^fail  clips +1 of \d+: clips/.*\.mp4 is not there$", failed.value.stdout, re.MULTILINE
    )
    assert re.search(r"^warn  stray files +1 file belongs", failed.value.stdout, re.MULTILINE)


def test_migrating_what_is_current_changes_nothing(server: Process) -> None:
    assert run_json(server, "migrate") == {"changed": False}
