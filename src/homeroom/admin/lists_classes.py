"""The read-back of classes: their streams, their recordings, who watched, and what was said."""

from homeroom.admin.asked import Asked, account, each, missing, switch
from homeroom.base.ids import LessonId
from homeroom.contract import readback as wire
from homeroom.contract.lessons import SECOND_CAMERA, SMART
from homeroom.contract.results import LiveInfo
from homeroom.contract.streams import PushRow, StreamRow
from homeroom.contract.viewers import MessageRow, ViewerRow
from homeroom.domain.clips import CLIP_URL_SECONDS, sign_clip_url
from homeroom.domain.lessons import Lesson
from homeroom.domain.streams import PublishSession, StreamFacts, stream_name
from homeroom.domain.viewers import ViewerKind
from homeroom.domain.webcasts import Hosts, StreamAddresses, build_lesson_addresses
from homeroom.store.paging import Page
from homeroom.store.readback_records import ClipRecord, MessageRecord, PersonRecord, ViewerRecord
from homeroom.usecases import readback, streams
from homeroom.usecases.readback import ListedLesson

# --- classes -------------------------------------------------------------------------------------


def lessons(asked: Asked) -> Page[wire.LessonRow]:
    """Return a page of classes."""
    page = readback.list_lessons(asked.uow, asked.filters(), asked.span)
    return each(page, lambda seen: _lesson(seen, asked.around.hosts))


def one_lesson(asked: Asked) -> wire.LessonRow:
    """Return one class."""
    seen = readback.find_lesson(asked.uow, asked.scope, LessonId(asked.path))
    if seen is None:
        raise missing("class", "classId", asked.path)
    return _lesson(seen, asked.around.hosts)


def _person(person: PersonRecord, name: str) -> wire.LessonTeacherRow:
    return wire.LessonTeacherRow(uid=person.uid, account=account(person), name=name)


def _lesson(seen: ListedLesson, hosts: Hosts) -> wire.LessonRow:
    lesson, stage, switches = seen.lesson, seen.lesson.classroom, seen.lesson.recording
    where = build_lesson_addresses(lesson, hosts)
    return wire.LessonRow(
        sid=lesson.school,
        class_id=lesson.id,
        course_id=lesson.course,
        course_name=seen.row.course_name,
        class_name=lesson.name,
        state=seen.row.state,
        begin_time=lesson.hours.begin,
        end_time=lesson.hours.end,
        teacher_uid=lesson.teacher,
        teacher=_person(seen.row, seen.row.teacher_name),
        assistant_uids=[helper.uid for helper in seen.co_teachers],
        assistants=[_person(helper, helper.name) for helper in seen.co_teachers],
        folder_id=lesson.folder,
        seat_num=stage.seats,
        is_hd=stage.resolution,
        is_dc=SECOND_CAMERA if stage.has_two_cameras else 0,
        teach_mode=SMART if stage.is_smart else 1,
        is_auto_onstage=switch(stage.enters_off_stage),
        omo_station_broadcast=switch(stage.is_broadcast),
        record=switch(switches.record),
        record_scene=switch(switches.scene),
        live=switch(switches.live),
        replay=switch(switches.replay),
        watch_by_login=switch(lesson.watch_policy.watch_by_login),
        allow_unlogged_chat=switch(lesson.watch_policy.allow_unlogged_chat),
        class_introduce=lesson.introduction,
        course_unique_identity=lesson.identity,
        is_lock=switch(lesson.is_locked),
        live_url=where.live_url,
        live_info=_live_info(where),
        created_time=lesson.created_at,
        closed_time=lesson.closed_at,
        deleted_time=lesson.deleted_at,
    )


def _live_info(where: StreamAddresses) -> LiveInfo:
    return LiveInfo(rtmp=where.rtmp, hls=where.hls, flv=where.flv)


def stream(asked: Asked) -> StreamRow:
    """Return the streams of a class."""
    lesson = _asked_for(asked)
    shown = streams.get_streams(asked.uow, asked.around.deps, asked.around.hosts, lesson.id)
    room, scene = shown.room, shown.scene
    problems = (push.problem for push in shown.sessions if push.problem is not None)
    return StreamRow(
        class_id=lesson.id,
        teach_url=shown.teach_url,
        push_url=None if room is None else room.push_url,
        scene_push_url=None if scene is None else scene.push_url,
        opens_at=shown.opens_at,
        closes_at=shown.closes_at,
        pull=None if room is None or room.pull_urls is None else _live_info(room.pull_urls),
        scene_pull=None
        if scene is None or scene.pull_urls is None
        else _live_info(scene.pull_urls),
        pushes=[
            _push(push, asked.around.facts(stream_name(lesson.key, push.kind)))
            for push in shown.sessions
            if push.ended_at is None
        ],
        last_problem=next(problems, None),
    )


def _push(push: PublishSession, told: StreamFacts | None) -> PushRow:
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


def clips(asked: Asked) -> Page[wire.ClipRow]:
    """Return a page of the recordings of a class."""
    lesson = _asked_for(asked).id
    key = asked.around.deps.clip_key
    expires_at = asked.uow.now + CLIP_URL_SECONDS

    def show(shown: ClipRecord) -> wire.ClipRow:
        return _clip(shown, sign_clip_url(asked.around.hosts.pages, shown.file_id, expires_at, key))

    return each(readback.list_clips(asked.uow, lesson, asked.filters(), asked.span), show)


def _clip(shown: ClipRecord, url: str) -> wire.ClipRow:
    return wire.ClipRow(
        class_id=shown.lesson,
        file_id=shown.file_id,
        file_name=shown.name,
        kind=shown.kind,
        started_at=shown.started_at,
        duration_ms=shown.duration,
        size=shown.size,
        sha256=shown.sha256,
        is_finished=switch(shown.is_finished),
        state=shown.state,
        url=url if shown.deleted_at is None else None,
        created_time=shown.created_at,
        deleted_time=shown.deleted_at,
    )


# --- viewers and their chat ----------------------------------------------------------------------


def viewers(asked: Asked) -> Page[ViewerRow]:
    """Return a page of the viewers of a school."""
    return each(readback.list_viewers(asked.uow, asked.filters(), asked.span), viewer)


def viewers_of_one(asked: Asked) -> Page[ViewerRow]:
    """Return a page of the viewers of a class."""
    lesson = _asked_for(asked).id
    return each(
        readback.list_viewers_of_lesson(asked.uow, lesson, asked.filters(), asked.span), viewer
    )


def viewer(shown: ViewerRecord) -> ViewerRow:
    """Return a viewer as the wire has them."""
    by_link = shown.kind == ViewerKind.LINK
    return ViewerRow(
        sid=shown.school,
        class_id=shown.lesson,
        class_name=shown.lesson_name,
        course_id=shown.course,
        course_name=shown.course_name,
        begin_time=shown.begins_at,
        viewer_id=shown.id,
        kind=shown.kind,
        uid=shown.uid,
        account=shown.identity.partition(":")[2] if by_link else shown.account,
        nickname=shown.name,
        telephone=shown.telephone,
        watched_seconds=shown.watched,
        first_seen=shown.first_seen_at,
        last_seen=shown.last_seen_at,
        is_muted=switch(shown.muted_at),
    )


def messages(asked: Asked) -> Page[MessageRow]:
    """Return a page of the chat of a class."""
    lesson = _asked_for(asked).id
    return each(readback.list_messages(asked.uow, lesson, asked.filters(), asked.span), _message)


def _message(shown: MessageRecord) -> MessageRow:
    return MessageRow(
        class_id=shown.lesson,
        message_id=shown.id,
        viewer_id=shown.viewer,
        nickname=shown.name,
        role=shown.role,
        text=shown.text,
        sent_time=shown.sent_at,
        deleted_time=shown.deleted_at,
    )


def _asked_for(asked: Asked) -> Lesson:
    """Return the class in the path, or say that the token sees none."""
    lesson = readback.find_lesson_alone(asked.uow, asked.scope, LessonId(asked.path))
    if lesson is None:
        raise missing("class", "classId", asked.path)
    return lesson
