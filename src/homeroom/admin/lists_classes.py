"""Handlers of the read-back of classes: classes, streams, recordings, viewers and messages."""

from homeroom.admin.request import (
    ReadBackRequest,
    get_account,
    map_page,
    not_found_error,
    to_switch,
)
from homeroom.base.ids import LessonId
from homeroom.base.stream_problems import REMEDIES
from homeroom.contract import readback as wire
from homeroom.contract.lessons import SECOND_CAMERA, SMART
from homeroom.contract.results import LiveInfo
from homeroom.contract.streams import PushRow, StreamProblemRow, StreamRow
from homeroom.contract.viewers import MessageRow, ViewerRow
from homeroom.domain.clips import CLIP_URL_SECONDS, sign_clip_url
from homeroom.domain.lessons import Lesson
from homeroom.domain.streams import PublishSession, StreamFacts, stream_name
from homeroom.domain.viewers import ViewerKind
from homeroom.domain.webcasts import (
    Hosts,
    StreamAddresses,
    build_lesson_addresses,
    build_page_url,
)
from homeroom.store.paging import Page
from homeroom.store.readback_records import ClipRecord, MessageRecord, PersonRecord, ViewerRecord
from homeroom.usecases import readback, streams
from homeroom.usecases.readback import ListedLesson

# --- classes -------------------------------------------------------------------------------------


def list_lessons(request: ReadBackRequest) -> Page[wire.LessonRow]:
    """Return a page of classes."""
    page = readback.list_lessons(request.uow, request.reader, request.build_filters(), request.page)
    return map_page(page, lambda listed: _to_lesson_row(listed, request.context.hosts))


def get_lesson(request: ReadBackRequest) -> wire.LessonRow:
    """Return the class in the path."""
    listed = readback.find_lesson(
        request.uow, request.reader, request.scope, LessonId(request.path_id)
    )
    if listed is None:
        raise not_found_error("class", "classId", request.path_id)
    return _to_lesson_row(listed, request.context.hosts)


def _to_person_row(person: PersonRecord, name: str) -> wire.LessonTeacherRow:
    return wire.LessonTeacherRow(uid=person.uid, account=get_account(person), name=name)


def _to_lesson_row(listed: ListedLesson, hosts: Hosts) -> wire.LessonRow:
    lesson, classroom, recording = listed.lesson, listed.lesson.classroom, listed.lesson.recording
    addresses = build_lesson_addresses(lesson, hosts, listed.source)
    return wire.LessonRow(
        sid=lesson.school,
        class_id=lesson.id,
        course_id=lesson.course,
        course_name=listed.row.course_name,
        class_name=lesson.name,
        state=listed.row.state,
        begin_time=lesson.hours.begin,
        end_time=lesson.hours.end,
        teacher_uid=lesson.teacher,
        teacher=_to_person_row(listed.row, listed.row.teacher_name),
        assistant_uids=[helper.uid for helper in listed.co_teachers],
        assistants=[_to_person_row(helper, helper.name) for helper in listed.co_teachers],
        folder_id=lesson.folder,
        seat_num=classroom.seats,
        is_hd=classroom.resolution,
        is_dc=SECOND_CAMERA if classroom.has_two_cameras else 0,
        teach_mode=SMART if classroom.is_smart else 1,
        is_auto_onstage=to_switch(classroom.enters_off_stage),
        omo_station_broadcast=to_switch(classroom.is_broadcast),
        record=to_switch(recording.record),
        record_scene=to_switch(recording.scene),
        live=to_switch(recording.live),
        replay=to_switch(recording.replay),
        watch_by_login=to_switch(lesson.watch_policy.watch_by_login),
        allow_unlogged_chat=to_switch(lesson.watch_policy.allow_unlogged_chat),
        class_introduce=lesson.introduction,
        class_label_id=list(listed.labels),
        course_unique_identity=lesson.identity,
        is_lock=to_switch(lesson.is_locked),
        main_class_id=lesson.main,
        sub_class_ids=list(listed.subs),
        use_co_main_record=to_switch(lesson.uses_main_recording),
        live_url=addresses.live_url,
        live_info=_to_live_info(addresses),
        page_url=build_page_url(lesson, hosts),
        created_time=lesson.created_at,
        closed_time=lesson.closed_at,
        deleted_time=lesson.deleted_at,
    )


def _to_live_info(addresses: StreamAddresses) -> LiveInfo:
    return LiveInfo(rtmp=addresses.rtmp, hls=addresses.hls, flv=addresses.flv)


def get_stream(request: ReadBackRequest) -> StreamRow:
    """Return the streams of a class."""
    lesson = get_lesson_in_path(request)
    info = streams.get_streams(request.uow, request.context.deps, request.context.hosts, lesson.id)
    room, scene = info.room, info.scene
    problems = (push.problem for push in info.sessions if push.problem is not None)
    return StreamRow(
        class_id=lesson.id,
        teach_url=info.teach_url,
        push_url=room.push_url if room is not None else None,
        scene_push_url=scene.push_url if scene is not None else None,
        opens_at=info.opens_at,
        closes_at=info.closes_at,
        pull=None if room is None or room.pull_urls is None else _to_live_info(room.pull_urls),
        scene_pull=None
        if scene is None or scene.pull_urls is None
        else _to_live_info(scene.pull_urls),
        pushes=[
            _to_push_row(push, request.context.get_stream_facts(stream_name(lesson.key, push.kind)))
            for push in info.sessions
            if push.ended_at is None
        ],
        last_problem=next(problems, None),
    )


def _to_push_row(push: PublishSession, facts: StreamFacts | None) -> PushRow:
    facts = facts or StreamFacts(None, {}, None, None)
    figures = facts.figures
    return PushRow(
        kind=push.kind,
        started_at=push.started_at,
        ip=push.ip,
        key_frame_ms=facts.key_frame_ms,
        longest_key_frame_ms=figures.longest_key_frame_ms if figures else None,
        video_kbps=figures.video_kbps if figures else None,
        audio_kbps=figures.audio_kbps if figures else None,
        frame_rate=figures.frame_rate if figures else None,
        dropped_frames={str(reason): count for reason, count in figures.dropped_frames.items()}
        if figures
        else None,
        problems=[
            StreamProblemRow(code=problem, remedy=REMEDIES[problem]) for problem in facts.problems
        ]
        if figures
        else None,
        viewers=dict(facts.viewers),
        recording=facts.recording,
        recording_error=facts.recording_error,
    )


def list_clips(request: ReadBackRequest) -> Page[wire.ClipRow]:
    """Return a page of the recordings of a class."""
    lesson = get_lesson_in_path(request).id
    key = request.context.deps.clip_key
    expires_at = request.uow.now + CLIP_URL_SECONDS

    def convert(record: ClipRecord) -> wire.ClipRow:
        return _to_clip_row(
            record, sign_clip_url(request.context.hosts.pages, record.file_id, expires_at, key)
        )

    return map_page(
        readback.list_clips(request.uow, lesson, request.build_filters(), request.page), convert
    )


def _to_clip_row(record: ClipRecord, url: str) -> wire.ClipRow:
    return wire.ClipRow(
        class_id=record.lesson,
        file_id=record.file_id,
        file_name=record.name,
        kind=record.kind,
        started_at=record.started_at,
        duration_ms=record.duration,
        size=record.size,
        sha256=record.sha256,
        is_finished=to_switch(record.is_finished),
        state=record.state,
        url=None if record.deleted_at is not None else url,
        created_time=record.created_at,
        deleted_time=record.deleted_at,
    )


# --- viewers and their chat ----------------------------------------------------------------------


def list_viewers(request: ReadBackRequest) -> Page[ViewerRow]:
    """Return a page of the viewers of a school."""
    return map_page(
        readback.list_viewers(request.uow, request.reader, request.build_filters(), request.page),
        to_viewer_row,
    )


def list_lesson_viewers(request: ReadBackRequest) -> Page[ViewerRow]:
    """Return a page of the viewers of a class."""
    lesson = get_lesson_in_path(request).id
    return map_page(
        readback.list_viewers_of_lesson(
            request.uow, request.reader, lesson, request.build_filters(), request.page
        ),
        to_viewer_row,
    )


def to_viewer_row(record: ViewerRecord) -> ViewerRow:
    """Convert a viewer to a row of the wire."""
    by_link = record.kind == ViewerKind.LINK
    return ViewerRow(
        sid=record.school,
        class_id=record.lesson,
        class_name=record.lesson_name,
        course_id=record.course,
        course_name=record.course_name,
        begin_time=record.begins_at,
        viewer_id=record.id,
        kind=record.kind,
        uid=record.uid,
        account=record.identity.partition(":")[2] if by_link else record.account,
        nickname=record.name,
        telephone=record.telephone,
        watched_seconds=record.watched,
        first_seen=record.first_seen_at,
        last_seen=record.last_seen_at,
        is_muted=to_switch(record.muted_at),
    )


def list_messages(request: ReadBackRequest) -> Page[MessageRow]:
    """Return a page of the chat of a class."""
    lesson = get_lesson_in_path(request).id
    return map_page(
        readback.list_messages(request.uow, lesson, request.build_filters(), request.page),
        _to_message_row,
    )


def _to_message_row(record: MessageRecord) -> MessageRow:
    return MessageRow(
        class_id=record.lesson,
        message_id=record.id,
        viewer_id=record.viewer,
        nickname=record.name,
        role=record.role,
        text=record.text,
        sent_time=record.sent_at,
        deleted_time=record.deleted_at,
    )


def get_lesson_in_path(request: ReadBackRequest) -> Lesson:
    """Return the class in the path; raises `HTTPError` 404 if the token may not see it."""
    lesson = readback.find_lesson_alone(request.uow, request.scope, LessonId(request.path_id))
    if lesson is None:
        raise not_found_error("class", "classId", request.path_id)
    return lesson
