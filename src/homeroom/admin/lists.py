"""The lists of the read-back: from what was asked to filters, and from rows to the wire."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec

from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.contract import readback as wire
from homeroom.contract.lessons import SECOND_CAMERA, SMART
from homeroom.contract.shown import LiveInfo, Switch
from homeroom.contract.streams import PushRow, StreamRow
from homeroom.contract.wire import Wire
from homeroom.domain.clips import URL_LIFE, clip_url
from homeroom.domain.courses import CourseKind
from homeroom.domain.streams import Push, StreamFacts, name_of
from homeroom.domain.webcasts import Addresses, Hosts, addresses
from homeroom.store.engine import Value
from homeroom.store.paging import SCHOOL, Filters, Page, Span, part
from homeroom.store.shown import (
    Person,
    ShownClip,
    ShownFolder,
    ShownLabel,
    ShownRosterMember,
    ShownSchool,
    ShownStudent,
    ShownTeacher,
)
from homeroom.store.work import Work
from homeroom.usecases import readback, streams
from homeroom.usecases.means import Means
from homeroom.usecases.readback import SeenCourse, SeenLesson
from homeroom.usecases.secrets import CLIP_KEY
from homeroom.web.problems import Problem

S = TypeVar("S")
T = TypeVar("T")

COURSE_TYPES: dict[str, int] = {CourseKind.STANDARD: 1, CourseKind.PUBLIC: 2, CourseKind.DUAL: 3}
OURSELVES = {"limit", "cursor", "sid"}
PARTS = {"course_name": "name", "class_name": "name", "label_name": "name", "folder_name": "name"}
NAMES = {
    "course_id": "course",
    "course_unique_identity": "identity",
    "main_teacher_uid": "teacher",
    "teacher_uid": "teacher",
    "assistant_uid": "helper",
    "label_id": "label",
    "parent_id": "parent",
    "identity": "role",
}
"""Where the store calls a filter by another name than the wire."""


@dataclass(frozen=True, slots=True)
class Around:
    """What answers need besides the store."""

    means: Means
    hosts: Hosts
    facts: Callable[[str], StreamFacts | None]
    """What the media engine says of a stream that runs, by its name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the read-back."""

    work: Work
    around: Around
    scope: SchoolId | None
    query: Wire
    path: int
    """The id in the path; 0 where the path has none."""
    span: Span

    def filters(self) -> Filters:
        """Return what the store filters by: what was asked, and the school."""
        given: dict[str, Value] = {}
        for name, value in msgspec.structs.asdict(self.query).items():
            if value is None or name in OURSELVES:
                continue
            if name in PARTS:
                given[PARTS[name]] = part(value)
            elif name == "account":
                given |= {"email": value.lower()} if "@" in value else {"telephone": value}
            else:
                given[NAMES.get(name, name)] = int(value) if isinstance(value, bool) else value
        if self.scope is not None:
            given[SCHOOL] = self.scope
        return given


def _shown(page: Page[S], show: Callable[[S], T]) -> Page[T]:
    return Page([show(row) for row in page.rows], page.next, page.order)


def _missing(what: str, name: str, number: int) -> Problem:
    detail = f"{name}: the token sees no {what} {number}"
    return Problem(HTTPStatus.NOT_FOUND, detail, parameter=name)


def _account(person: Person) -> str | None:
    return person.telephone or person.email


def _is_cancelled(person: Person) -> Switch:
    return _switch(person.cancelled_at is not None)


def _switch(value: object) -> Switch:
    return 1 if value else 0


# --- schools and their people --------------------------------------------------------------------


def _schools(asked: Asked) -> Page[wire.SchoolRow]:
    return _shown(asked.work.listing.schools(asked.filters(), asked.span), _school)


def _school(shown: ShownSchool) -> wire.SchoolRow:
    return wire.SchoolRow(
        sid=shown.id,
        school_name=shown.name,
        owner_uid=shown.owner,
        is_suspended=_switch(shown.plan.suspended),
        plan=msgspec.structs.asdict(shown.plan),
        created_time=shown.created_at,
    )


def _teachers(asked: Asked) -> Page[wire.TeacherRow]:
    return _shown(asked.work.listing.teachers(asked.filters(), asked.span), _teacher)


def _teacher(shown: ShownTeacher) -> wire.TeacherRow:
    return wire.TeacherRow(
        sid=shown.school,
        uid=shown.uid,
        account=_account(shown),
        name=shown.name,
        state=shown.state,
        is_cancelled=_is_cancelled(shown),
        created_time=shown.created_at,
    )


def _students(asked: Asked) -> Page[wire.StudentRow]:
    return _shown(asked.work.listing.students(asked.filters(), asked.span), _student)


def _student(shown: ShownStudent) -> wire.StudentRow:
    return wire.StudentRow(
        sid=shown.school,
        uid=shown.uid,
        account=_account(shown),
        name=shown.name,
        is_cancelled=_is_cancelled(shown),
        created_time=shown.created_at,
    )


# --- courses -------------------------------------------------------------------------------------


def _courses(asked: Asked) -> Page[wire.CourseRow]:
    return _shown(readback.courses(asked.work, asked.filters(), asked.span), _course)


def _course(seen: SeenCourse) -> wire.CourseRow:
    course = seen.course
    friends = course.allow_add_friend
    return wire.CourseRow(
        sid=course.school,
        course_id=course.id,
        course_name=course.name,
        course_type=COURSE_TYPES[course.kind],
        course_unique_identity=course.identity,
        state=course.state,
        main_teacher_uid=course.head_teacher,
        folder_id=course.folder,
        classroom_setting_id=course.preset,
        subject_id=course.subject,
        cat_id=course.category,
        course_introduce=course.introduction,
        allow_add_friend=None if friends is None else _switch(friends),
        allow_student_modify_nickname=_switch(course.allow_student_modify_nickname),
        not_allow_delete_course_student_replay=_switch(course.hides_replay_from_leavers),
        label_ids=list(seen.labels),
        expiry_time=course.expires_at or 0,
        created_time=course.created_at,
        ended_time=course.ended_at,
        deleted_time=course.deleted_at,
    )


def _members(asked: Asked) -> Page[wire.MemberRow]:
    course = CourseId(asked.path)
    if not readback.sees_course(asked.work, asked.scope, course):
        raise _missing("course", "courseId", course)
    return _shown(asked.work.listing.members(course, asked.filters(), asked.span), _roster_member)


def _roster_member(shown: ShownRosterMember) -> wire.MemberRow:
    return wire.MemberRow(
        course_id=shown.course,
        uid=shown.uid,
        account=_account(shown),
        identity=shown.role,
        name=shown.name,
        nickname=shown.nickname,
        is_cancelled=_is_cancelled(shown),
        joined_time=shown.joined_at,
    )


# --- classes -------------------------------------------------------------------------------------


def _lessons(asked: Asked) -> Page[wire.LessonRow]:
    page = readback.lessons(asked.work, asked.filters(), asked.span)
    return _shown(page, lambda seen: _lesson(seen, asked.around.hosts))


def _one_lesson(asked: Asked) -> wire.LessonRow:
    seen = readback.lesson(asked.work, asked.scope, LessonId(asked.path))
    if seen is None:
        raise _missing("class", "classId", asked.path)
    return _lesson(seen, asked.around.hosts)


def _person(person: Person, name: str) -> wire.Person:
    return wire.Person(uid=person.uid, account=_account(person), name=name)


def _lesson(seen: SeenLesson, hosts: Hosts) -> wire.LessonRow:
    lesson, stage, switches = seen.lesson, seen.lesson.stage, seen.lesson.switches
    where = addresses(lesson, hosts)
    return wire.LessonRow(
        sid=lesson.school,
        class_id=lesson.id,
        course_id=lesson.course,
        course_name=seen.shown.course_name,
        class_name=lesson.name,
        state=seen.shown.state,
        begin_time=lesson.hours.begin,
        end_time=lesson.hours.end,
        teacher_uid=lesson.teacher,
        teacher=_person(seen.shown, seen.shown.teacher_name),
        assistant_uids=[helper.uid for helper in seen.co_teachers],
        assistants=[_person(helper, helper.name) for helper in seen.co_teachers],
        folder_id=lesson.folder,
        seat_num=stage.seats,
        is_hd=stage.resolution,
        is_dc=SECOND_CAMERA if stage.has_two_cameras else 0,
        teach_mode=SMART if stage.is_smart else 1,
        is_auto_onstage=_switch(stage.enters_off_stage),
        omo_station_broadcast=_switch(stage.is_broadcast),
        record=_switch(switches.record),
        record_scene=_switch(switches.scene),
        live=_switch(switches.live),
        replay=_switch(switches.replay),
        watch_by_login=_switch(lesson.audience.watch_by_login),
        allow_unlogged_chat=_switch(lesson.audience.allow_unlogged_chat),
        class_introduce=lesson.introduction,
        course_unique_identity=lesson.identity,
        is_lock=_switch(lesson.is_locked),
        live_url=where.live_url,
        live_info=_live_info(where),
        created_time=lesson.created_at,
        closed_time=lesson.closed_at,
        deleted_time=lesson.deleted_at,
    )


def _live_info(where: Addresses) -> LiveInfo:
    return LiveInfo(rtmp=where.rtmp, hls=where.hls, flv=where.flv)


def _streams(asked: Asked) -> StreamRow:
    lesson = readback.seen_lesson(asked.work, asked.scope, LessonId(asked.path))
    if lesson is None:
        raise _missing("class", "classId", asked.path)
    shown = streams.streams(asked.work, asked.around.means, asked.around.hosts, lesson.id)
    room, scene = shown.room, shown.scene
    problems = (push.problem for push in shown.pushes if push.problem is not None)
    return StreamRow(
        class_id=lesson.id,
        push_url=None if room is None else room.push,
        scene_push_url=None if scene is None else scene.push,
        opens_at=shown.opens_at,
        closes_at=shown.closes_at,
        pull=None if room is None or room.pull is None else _live_info(room.pull),
        scene_pull=None if scene is None or scene.pull is None else _live_info(scene.pull),
        pushes=[
            _push(push, asked.around.facts(name_of(lesson.key, push.kind)))
            for push in shown.pushes
            if push.ended_at is None
        ],
        last_problem=next(problems, None),
    )


def _push(push: Push, told: StreamFacts | None) -> PushRow:
    told = told or StreamFacts(None, {}, None, None)
    return PushRow(
        kind=push.kind,
        started_at=push.started_at,
        ip=push.ip,
        key_frame_ms=told.key_frame_ms,
        viewers=dict(told.viewers),
        recording=told.recording,
        recording_error=told.recording_error,
    )


def _clips(asked: Asked) -> Page[wire.ClipRow]:
    lesson = LessonId(asked.path)
    if readback.seen_lesson(asked.work, asked.scope, lesson) is None:
        raise _missing("class", "classId", lesson)
    key = asked.work.operations.kept(CLIP_KEY) or ""
    expires_at = asked.work.now + URL_LIFE

    def show(shown: ShownClip) -> wire.ClipRow:
        return _clip(shown, clip_url(asked.around.hosts.pages, shown.file_id, expires_at, key))

    return _shown(asked.work.listing.clips(lesson, asked.filters(), asked.span), show)


def _clip(shown: ShownClip, url: str) -> wire.ClipRow:
    return wire.ClipRow(
        class_id=shown.lesson,
        file_id=shown.file_id,
        file_name=shown.name,
        kind=shown.kind,
        started_at=shown.started_at,
        duration_ms=shown.duration,
        size=shown.size,
        sha256=shown.sha256,
        is_finished=_switch(shown.is_finished),
        state=shown.state,
        url=url if shown.deleted_at is None else None,
        created_time=shown.created_at,
        deleted_time=shown.deleted_at,
    )


# --- labels and folders --------------------------------------------------------------------------


def _labels(asked: Asked) -> Page[wire.LabelRow]:
    return _shown(asked.work.listing.labels(asked.filters(), asked.span), _label)


def _label(shown: ShownLabel) -> wire.LabelRow:
    return wire.LabelRow(
        sid=shown.school,
        label_id=shown.id,
        label_name=shown.name,
        colour=shown.colour,
        created_time=shown.created_at,
    )


def _folders(asked: Asked) -> Page[wire.FolderRow]:
    return _shown(asked.work.listing.folders(asked.filters(), asked.span), _folder)


def _folder(shown: ShownFolder) -> wire.FolderRow:
    return wire.FolderRow(
        sid=shown.school,
        folder_id=shown.id,
        parent_id=shown.parent,
        folder_name=shown.name,
        depth=shown.depth,
        is_writable=_switch(shown.is_writable),
        created_time=shown.created_at,
    )


ANSWERS: Mapping[str, Callable[[Asked], Any]] = {
    wire.SCHOOLS.name: _schools,
    wire.TEACHERS.name: _teachers,
    wire.STUDENTS.name: _students,
    wire.COURSES.name: _courses,
    wire.MEMBERS.name: _members,
    wire.LESSONS.name: _lessons,
    wire.LESSON.name: _one_lesson,
    wire.STREAM.name: _streams,
    wire.CLIPS.name: _clips,
    wire.LABELS.name: _labels,
    wire.FOLDERS.name: _folders,
}
"""What answers each address of the read-back, in one look."""
