"""Resetting a school: what goes, what stays, and that neighbours notice nothing."""

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import func, insert, literal, select

from homeroom.base.clock import DAY
from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.domain.chat import Author, EntryKind, NewChatEntry
from homeroom.domain.retention import SweptSort
from homeroom.domain.school_conf import SchoolConf
from homeroom.domain.schools import Plan
from homeroom.domain.streams import StreamKind
from homeroom.domain.viewers import ViewerKind
from homeroom.store import tables
from homeroom.store.publish_sessions import NewPublishSession
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import demo, resets
from tests.support.given import Given
from tests.support.message_rows import add_messages
from tests.support.pictures import padded, png
from tests.support.sandbox import Sandbox

MANY: Final = 10_000
MOST_OF_GROWTH: Final = 6
"""How many times the time that it takes to add classes their removal may take; 1 or 2 is usual."""
KEPT: Final = {
    "audit_entries",
    "maintenance",
    "server_state",
    "schools",
    "storages",
    "tokens",
    "jobs",
    "users",
    "presences",
    "outboxes",
}
"""Tables that a reset leaves alone: presence ends with the rooms of the classes, and a lease is not
the school's."""

PARENTS: Final = {
    "activity_id": tables.activities,
    "grouping_id": tables.groupings,
    "endpoint_id": tables.endpoints,
}
"""Of tables that name neither their school, nor a course or a class."""


def rows_of(given: Given) -> dict[str, int]:
    """Count what the tables hold of a school."""
    sid = given.school.id
    its_courses = select(tables.courses.c.id).where(tables.courses.c.school_id == sid)
    its_lessons = select(tables.lessons.c.id).where(tables.lessons.c.school_id == sid)
    counts = {}
    for table in tables.metadata.sorted_tables:
        query = select(func.count()).select_from(table)
        if "school_id" in table.c:
            query = query.where(table.c.school_id == sid)
        elif "course_id" in table.c:
            query = query.where(table.c.course_id.in_(its_courses))
        elif "lesson_id" in table.c:
            query = query.where(table.c.lesson_id.in_(its_lessons))
        for column, parent in PARENTS.items():
            if column in table.c and table is not parent:
                its_parents = select(parent.c.id).where(parent.c.school_id == sid)
                query = query.where(table.c[column].in_(its_parents))
        if table is tables.named_accounts:  # the school account stays, and may be seen
            query = query.where(table.c.user_id != given.school.owner)
        if table.name not in KEPT:
            counts[table.name] = int(given.rows(query)[0][0])
    return counts


def exists(given: Given, user: UserId) -> bool:
    """Tell whether there is an account."""
    return given.store.read(lambda uow: uow.accounts.get(user)) is not None


def full(given: Given) -> Path:
    """Put something into every table of a school; returns the file of its clip."""
    course = given.course(mainTeacherUid=given.teacher(), folderId=given.folder())
    helper, guest = given.teacher(), given.user()
    lesson = given.lesson(course, assistantUid=helper, record=1, folderId=given.folder("Second"))
    given.guest(lesson, guest)
    given.member(course)
    given.sub_account(given.user())
    given.preset()
    labels = [{"courseId": course, "labelIds": [given.label()]}]
    given.done("addCourseLabels", courseList=labels)
    given.stopping(given.teacher())
    assert given.api.call("addSchoolStudent", studentUid=10**9, studentName="x").errno == 113
    push = NewPublishSession(lesson, StreamKind.CLASS, "", "client", "", "")
    given.store.write(lambda uow: uow.publish_sessions.add(push, uow.now))
    given.store.write(lambda uow: uow.publish_sessions.renew_key(lesson))
    add_activity(given, lesson, guest)
    add_parts(given, course, lesson, guest)
    add_messages(given, lesson)
    clip = given.clip(lesson)
    return given.house.files.folder / clip.file.path


def add_parts(given: Given, course: CourseId, lesson: LessonId, user: UserId) -> None:
    """Put a row into each table of a class, a course or the drive that has none yet."""
    now = {"school_id": given.school.id, "created_at": 0}
    path = f"files/{given.school.id}"
    file = {"name": "a", "path": path, "size": 1, "sha256": "", "storage_id": None}
    folder = given.rows(select(func.max(tables.folders.c.id)))[0][0]
    activity = given.rows(
        select(tables.activities.c.id).where(tables.activities.c.lesson_id == lesson)
    )[0][0]
    given.write(insert(tables.files).values(**now, folder_id=folder, **file))
    comment = {"lesson_id": lesson, "user_id": user, "stars": 5, "text": "", "changed_at": 0}
    given.write(insert(tables.comments).values(**now, **comment))
    given.write(insert(tables.lesson_absences).values(lesson_id=lesson, user_id=user))
    given.write(insert(tables.activity_absences).values(activity_id=activity, user_id=user))
    label = given.label()
    given.write(insert(tables.lesson_labels).values(lesson_id=lesson, label_id=label, position=0))
    given.write(insert(tables.groupings).values(**now, course_id=course, name="Teams"))
    grouping = select(tables.groupings.c.id).where(tables.groupings.c.course_id == course)
    member = {"user_id": user, "team": 0, "position": 0, "is_leader": 1}
    given.write(
        insert(tables.grouping_members).values(grouping_id=given.rows(grouping)[0][0], **member)
    )


def add_activity(given: Given, lesson: LessonId, user: UserId) -> None:
    """Let a user log in, watch a class, chat and like."""
    viewer = given.viewer(lesson, identity=f"user:{user}", kind=ViewerKind.USER, user=user)
    message = NewChatEntry(
        lesson, EntryKind.MESSAGE, Author(viewer.name, viewer=viewer.id), "hello"
    )

    def unit(uow: UnitOfWork) -> None:
        uow.sessions.add(SchoolId(given.school.id), user, uow.now, uow.now + DAY)
        uow.chats.add(message, uow.now)
        uow.chats.add_likes({lesson: 1})

    given.store.write(unit)
    old = [given.viewer(lesson).id]
    given.store.write(
        lambda uow: uow.swept_rows.sweep(SweptSort.VIEWERS, old, uow.now, uow.now + DAY)
    )


def test_emptied_school_has_nothing_and_its_neighbour_all(given: Given, sandbox: Sandbox) -> None:
    file, neighbours = full(given), full(given.other())
    before = rows_of(given.other())
    assert 0 not in rows_of(given).values()
    assert 0 not in before.values()
    removed = sandbox.reset(given.school.id)
    assert set(rows_of(given).values()) == {0}
    assert rows_of(given.other()) == before
    assert removed == {
        "classes": 1,
        "courses": 1,
        "teachers": 4,
        "students": 1,
        "labels": 2,
        "folders": 3,
        "accounts": 7,
        "files": 2,
    }
    assert not file.exists()
    assert neighbours.exists()
    given.lesson(given.course())


def test_sid_and_secrets_stay_and_the_plan_is_that_of_a_new_school(
    given: Given, sandbox: Sandbox
) -> None:
    given.plan(monthly_classes=1, suspended=True)
    assert given.api.call("getTopFolderId").errno == 102
    sandbox.reset(given.school.id)
    given.lesson()
    given.lesson()
    school = given.store.read(lambda uow: uow.schools.get(SchoolId(given.school.id)))
    assert school == given.school
    assert school.plan == Plan()


def test_settings_are_those_of_a_new_school(given: Given, sandbox: Sandbox) -> None:
    before = given.store.read(lambda uow: uow.schools.get_conf(SchoolId(given.school.id)))
    off = {"allowViewReplay": 0, "allowNewStudentViewReplay": 0}
    assert given.api.call("modifySchoolConf", **off).errno == 1
    sandbox.reset(given.school.id)
    after = given.store.read(lambda uow: uow.schools.get_conf(SchoolId(given.school.id)))
    assert after == before == SchoolConf()


def test_accounts_go_that_only_this_school_uses(given: Given, sandbox: Sandbox) -> None:
    other = given.other()
    its_course = other.course()
    telephone = given.telephone()
    alone = [given.teacher(), given.student(), given.user(telephone=telephone)]
    shared = [given.teacher(), given.student(), given.user(), given.student()]
    other.done("addTeacher", teacherUid=shared[0], teacherName="Teacher")
    other.done("addSchoolStudent", studentUid=shared[1], studentName="Student")
    other.sub_account(shared[2])
    other.guest(other.lesson(its_course), shared[3])
    given.cancelled(alone[0])
    registered_there = other.user()
    given.done("addTeacher", teacherUid=registered_there, teacherName="Teacher")
    sandbox.reset(given.school.id)
    assert [exists(given, user) for user in alone] == [False] * 3
    assert [exists(given, user) for user in shared] == [True] * 4
    assert exists(given, registered_there)
    assert exists(given, given.school.owner)
    assert given.api.call("register", telephone=telephone, password="secret").errno == 1


def test_the_same_call_after_a_reset_is_no_repetition(given: Given, sandbox: Sandbox) -> None:
    form = {"telephone": given.telephone(), "md5pass": "0" * 32}
    assert given.api.call("register", **form).errno == 1
    assert given.api.call("register", **form).errno == 101003002
    sandbox.reset(given.other().school.id)
    assert given.api.call("register", **form).errno == 101003002
    sandbox.reset(given.school.id)
    assert given.api.call("register", **form).errno == 1


def test_identities_of_before_are_free(given: Given, sandbox: Sandbox) -> None:
    first = given.lesson(courseUniqueIdentity="identity")
    sandbox.reset(given.school.id)
    again = given.api.call("addCourseClass", **given.lesson_form(courseUniqueIdentity="identity"))
    assert again.errno == 1
    assert given.seen(again.data).course != 0
    assert first


def test_picture_goes_when_nobody_has_it_any_more(given: Given, sandbox: Sandbox) -> None:
    mine, everybodys = padded(png(), 2001), padded(png(), 2002)
    pictures = {}
    for name, content, schools in (
        ("mine", mine, [given]),
        ("everybodys", everybodys, [given, given.other()]),
    ):
        for school in schools:
            form = {"telephone": school.telephone(), "md5pass": "0" * 32}
            assert school.api.upload("register", content, **form).errno == 1
        digest = hashlib.sha256(content).hexdigest()
        folder = given.house.files.folder
        (pictures[name],) = (folder / "pictures").glob(f"{digest}.*")
    sandbox.reset(given.school.id)
    assert not pictures["mine"].exists()
    assert pictures["everybodys"].exists()
    sandbox.reset(given.other().school.id)
    assert not pictures["everybodys"].exists()


def test_school_can_be_made_as_the_demo_is(given: Given, sandbox: Sandbox) -> None:
    full(given)
    sandbox.reset(given.school.id, "demo")
    once = rows_of(given)
    assert once["lessons"] == 3
    assert once["courses"] == 3
    assert once["teachers"] == len(demo.TEACHERS)
    sandbox.reset(given.school.id, "demo")
    assert rows_of(given) == once
    assert given.lesson(given.course())


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ({"to": "empty"}, 400, "missing required field `sid`"),
        ({"sid": 1, "to": "full"}, 400, "Invalid enum value"),
        ({"sid": 10**9, "to": "empty"}, 404, "no school has the SID"),
        ({"sid": 10**25, "to": "empty"}, 404, "no school has the SID"),
        ({"sid": -1, "to": "empty"}, 404, "no school has the SID"),
    ],
)
def test_reset_of_nothing_is_refused(
    sandbox: Sandbox, body: dict[str, object], status: int, word: str
) -> None:
    answer = sandbox.http.post("/reset", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert word in answer.json()["detail"]


def test_ten_thousand_classes_are_gone_in_well_under_a_second(
    given: Given, sandbox: Sandbox
) -> None:
    """On an idle machine; on a busy one the time that it took to add them is longer too."""
    began = time.perf_counter()
    grow(given, given.lesson(assistantUid=given.teacher(), record=1, live=1))
    grown = time.perf_counter()
    removed = sandbox.reset(given.school.id)
    took = time.perf_counter() - grown
    assert removed["classes"] == MANY
    assert took < MOST_OF_GROWTH * (grown - began)


def test_large_school_goes_in_slices(
    given: Given, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resets, "SLICE_ROWS", 3)
    full(given)
    total = sum(rows_of(given).values())
    units = given.store.engine.stats.units
    sandbox.reset(given.school.id)
    assert given.store.engine.stats.units - units >= total // 3
    assert set(rows_of(given).values()) == {0}


@pytest.mark.parametrize("slices", [1, 3, 7, 15])
def test_reset_that_was_cut_off_is_repeated(
    given: Given, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, slices: int
) -> None:
    monkeypatch.setattr(resets, "SLICE_ROWS", 2)
    file = full(given)
    people = [given.student(), given.user()]
    guest = given.user()
    given.guest(given.lesson(), guest)
    sid = SchoolId(given.school.id)
    for _ in range(slices):
        given.store.write(lambda uow: resets.delete_slice(uow, sid))
    # What the school adds between two slices is whole until it is deleted, too.
    added = given.lesson(given.course())
    assert given.seen(added).deleted_at is None
    sandbox.reset(sid)
    assert set(rows_of(given).values()) == {0}
    assert [exists(given, user) for user in (*people, guest)] == [False] * 3
    assert not file.exists()


def test_slice_is_of_one_school(
    given: Given, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resets, "SLICE_ROWS", 2)
    full(given.other())
    before = rows_of(given.other())
    full(given)
    sandbox.reset(given.school.id)
    assert rows_of(given.other()) == before


def grow(given: Given, lesson: LessonId) -> None:
    """Copy a class with its co-teacher until the school has many."""
    lessons = tables.lessons
    copied = [column for column in lessons.c if column.name not in {"id", "key"}]
    mine = lessons.c.school_id == given.school.id
    (helper,) = given.store.read(lambda uow: uow.class_roles.list_co_teachers(lesson))
    for turn in range(14):
        # Each turn doubles them; the key of a copy is the one of its original and the turn.
        copies = min(2**turn, MANY - 2**turn)
        keys = lessons.c.key.concat(f"-{turn}")
        given.write(
            insert(lessons).from_select(
                [*(column.name for column in copied), "key"],
                select(*copied, keys).where(mine).limit(copies),
            )
        )
    given.write(
        insert(tables.co_teachers).from_select(
            ["lesson_id", "user_id", "position"],
            select(lessons.c.id, literal(helper), literal(0)).where(mine, lessons.c.id != lesson),
        )
    )


def test_account_that_another_school_takes_meanwhile_stays_or_is_refused(
    given: Given, sandbox: Sandbox
) -> None:
    other = given.other()

    def take(users: list[UserId], name: str) -> list[int]:
        calls = (other.api.call("addTeacher", teacherUid=user, teacherName=name) for user in users)
        return [call.errno for call in calls]

    with ThreadPoolExecutor(1) as client:
        for turn in range(10):
            users = [given.teacher() for _ in range(3)]
            taken = client.submit(take, users, f"Teacher {turn}")
            sandbox.reset(given.school.id)
            for user, errno in zip(users, taken.result(), strict=True):
                assert errno in {1, 400}
                assert exists(given, user) is (errno == 1)
