"""The streams of a class: let in, ended, and written when they were recorded."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.base.ids import LessonId, SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.values import replace
from homeroom.domain.clips import NewClip
from homeroom.domain.lessons import RecordingOptions
from homeroom.domain.refusal import OperatorError
from homeroom.domain.streams import StreamKind
from homeroom.usecases import operations, retention, streams
from tests.support.given import Given
from tests.support.scheduled import Scheduled
from tests.support.streams import LIVE, Streamed, peer
from tests.support.wire import Reply

NOBODYS = LessonId(10**9)
"""An id that no class has."""

# --- addresses -----------------------------------------------------------------------------------


def test_streams_are_named_after_the_class_and_its_scene(given: Given) -> None:
    held = Streamed(given)
    room, scene = held.streams.room, held.streams.scene
    assert room is not None
    assert scene is not None
    assert (room.name, scene.name) == (held.seen.key, f"{held.seen.key}-scene")
    assert urlsplit(room.push_url).path == f"/live/{room.name}"
    assert room.pull_urls is not None
    assert scene.pull_urls is not None
    more = held.edit().body["more_data"]["live_info"]
    assert more == {
        "RTMP": room.pull_urls.rtmp,
        "HLS": room.pull_urls.hls,
        "FLV": room.pull_urls.flv,
    }
    assert urlsplit(scene.pull_urls.flv).path == f"/live/{scene.name}.flv"


def test_a_class_has_the_streams_that_it_records(given: Given) -> None:
    shown = Streamed(given, recordScene=0).streams
    assert shown.room is not None
    assert shown.scene is None
    recorded_only = Streamed(given, live=0).streams
    assert recorded_only.room is not None
    assert recorded_only.room.pull_urls is None
    silent = Streamed(given, record=0, live=0).streams
    assert (silent.room, silent.scene) == (None, None)


def test_where_nothing_carries_streams_there_are_no_addresses(given: Given) -> None:
    """Of a class that was bound while something did."""
    held = Streamed(given)
    hosts = replace(given.house.hosts, push="")
    shown = given.store.read(lambda uow: streams.get_streams(uow, held.deps, hosts, held.lesson))
    assert (shown.room, shown.scene) == (None, None)


def test_a_push_address_ends_with_the_class_and_a_pull_address_in_ten_years(given: Given) -> None:
    held = Streamed(given)
    shown = held.streams
    assert shown.opens_at == held.begin - 20 * MINUTE
    assert shown.closes_at == held.begin + HOUR + 20 * MINUTE
    until = {
        address: int(parse_qs(urlsplit(address).query)["txTime"][0], 16)
        for address in (held.push_url, held.pull_url)
    }
    assert until == {held.push_url: shown.closes_at, held.pull_url: given.now + 10 * YEAR}


def test_a_new_key_makes_another_address_each_time(given: Given) -> None:
    held = Streamed(given)
    seen = {held.push_url}
    for _ in range(3):
        given.store.write(lambda uow: streams.renew_key(uow, held.lesson))
        seen.add(held.push_url)
    assert len(seen) == 4


def test_only_a_class_has_streams(given: Given) -> None:
    server = given.house.services
    with pytest.raises(OperatorError, match="no class has the id"):
        given.store.read(lambda uow: streams.get_streams(uow, server.deps, server.hosts, NOBODYS))
    with pytest.raises(OperatorError, match="no class has the id"):
        given.store.write(lambda uow: streams.renew_key(uow, NOBODYS))


# --- who is let in -------------------------------------------------------------------------------


def test_the_printed_addresses_are_good_from_20_minutes_before_until_20_after(given: Given) -> None:
    held = Streamed(given)
    push, pull, scene = held.push_url, held.pull_url, held.streams.scene
    assert scene is not None
    assert scene.pull_urls is not None
    with pytest.raises(OperatorError, match="opens 20 minutes before"):
        held.pushed(push)
    with pytest.raises(OperatorError, match="opens 20 minutes before"):
        held.pulled(pull)
    held.opened()
    held.pushed(push)
    held.pushed(scene.push_url)
    for address in (pull, scene.pull_urls.rtmp, scene.pull_urls.hls, scene.pull_urls.flv):
        held.pulled(address)
    kinds = [(one.kind, one.ip, one.started_at, one.ended_at) for one in held.pushes]
    assert kinds == [
        (StreamKind.SCENE, "192.0.2.7", given.now, None),
        (StreamKind.CLASS, "192.0.2.7", given.now, None),
    ]
    held.over()
    with pytest.raises(OperatorError, match="expired"):
        held.pushed(push)
    with pytest.raises(OperatorError, match="is over"):
        held.pulled(pull)
    assert len(held.pushes) == 2


def test_strangers_are_refused(given: Given) -> None:
    held, other = Streamed(given).opened(), Streamed(given)
    for address in (held.pull_url, other.push_url.replace(other.seen.key, held.seen.key)):
        with pytest.raises(OperatorError, match="signature is wrong"):
            held.pushed(address)
    with pytest.raises(OperatorError, match="signature is wrong"):
        held.pulled(held.push_url)
    with pytest.raises(OperatorError, match="not signed"):
        held.pushed(held.push_url.partition("?")[0])
    with pytest.raises(OperatorError, match="no class has a stream"):
        held.pushed(held.push_url.replace(held.seen.key, "0" * 16))
    with pytest.raises(OperatorError, match="called live"):
        held.pulled(held.pull_url.replace("/live/", "/other/"))
    assert held.pushes == []


def test_a_pull_address_is_good_whatever_becomes_of_the_key(given: Given) -> None:
    held = Streamed(given).opened()
    rotated = replace(held.deps, pull_key="another")
    client = peer(held.pull_url)
    given.store.read(lambda uow: streams.check_play(uow, rotated, client))


def test_a_push_that_ended_no_longer_runs(given: Given) -> None:
    held = Streamed(given).opened()
    client = held.pushed()
    given.clock.advance(MINUTE)
    given.store.write(lambda uow: streams.end_push(uow, client.client_id))
    given.clock.advance(MINUTE)
    given.store.write(lambda uow: streams.end_push(uow, client.client_id))
    assert [one.ended_at for one in held.pushes] == [given.now - MINUTE]


# --- what ends a push ----------------------------------------------------------------------------


def suspended(held: Streamed) -> None:
    held.given.plan(suspended=True)


def deleted(held: Streamed) -> None:
    lesson = held.seen
    held.given.store.write(lambda uow: uow.lessons.delete(lesson, uow.now, keeps_identity=False))


def renewed(held: Streamed) -> None:
    held.given.store.write(lambda uow: streams.renew_key(uow, held.lesson))


def replaced(held: Streamed) -> None:
    assert held.edit(teacherUid=held.given.teacher()).errno == 1


ENDS: list[tuple[Callable[[Streamed], Any], str]] = [
    (lambda held: held.over(), "expired"),
    (lambda held: held.given.closed_early(held.lesson), "is over"),
    (deleted, "was deleted"),
    (
        lambda held: held.given.set_course(held.course, deleted_at=held.given.now),
        "was deleted",
    ),
    (replaced, "signature is wrong"),
    (renewed, "signature is wrong"),
    (lambda held: held.given.cancelled(held.teacher), "was cancelled"),
    (suspended, "suspended"),
]


@pytest.mark.parametrize(
    ("happens", "reason"),
    ENDS,
    ids=["over", "closed", "deleted", "course", "teacher", "key", "cancelled", "suspended"],
)
def test_what_ends_a_push(given: Given, happens: Callable[[Streamed], Any], reason: str) -> None:
    held = Streamed(given).opened()
    client = held.pushed()
    other = Streamed(given.other())
    assert held.unwelcome(client) is None

    happens(held)

    assert reason in (held.unwelcome(client) or "")
    with pytest.raises(OperatorError):
        given.store.write(
            lambda uow: streams.start_push(
                uow, held.deps, replace(client, client_id="another client"), ""
            )
        )
    assert other.pushes == []


def test_a_push_that_ended_is_unwelcome_no_more(given: Given) -> None:
    held = Streamed(given).opened()
    client = held.pushed()
    renewed(held)
    assert held.unwelcome(client)
    given.store.write(lambda uow: streams.end_push(uow, client.client_id))
    assert held.unwelcome(client) is None


def test_a_push_that_the_engine_does_not_know_has_ended(given: Given) -> None:
    held = Streamed(given).opened()
    first, second = held.pushed(), held.pushed()
    elsewhere = held.pushed(engine="0a1b2c3d")
    held.settle({first.client_id, elsewhere.client_id}, {})
    assert [(one.client_id, one.ended_at) for one in held.pushes] == [
        (elsewhere.client_id, None),
        (second.client_id, None),
        (first.client_id, given.now),
    ]


def test_pushes_of_long_ago_are_forgotten(given: Given) -> None:
    held = Streamed(given).opened()
    ended, lost = held.pushed(), held.pushed(engine="0a1b2c3d")
    given.store.write(lambda uow: streams.end_push(uow, ended.client_id))
    school = SchoolId(given.school.id)
    given.clock.advance(30 * DAY - 1)
    given.store.write(lambda uow: retention.sweep(uow, school), school)
    assert [one.client_id for one in held.pushes] == [lost.client_id, ended.client_id]
    given.clock.advance(1)
    given.store.write(lambda uow: retention.sweep(uow, school), school)
    assert held.pushes == []


def test_what_went_wrong_with_a_recording_is_kept(given: Given) -> None:
    held = Streamed(given).opened()
    client, other = held.pushed(), held.pushed()
    held.settle((), {client.client_id: "No space left on device"})
    held.settle((), {})
    given.clock.advance(10)
    held.settle({client.client_id, other.client_id}, {})
    assert [(one.problem, one.ended_at) for one in held.pushes] == [
        (None, given.now),
        ("No space left on device", given.now),
    ]


def test_a_school_that_is_emptied_has_no_pushes(given: Given) -> None:
    held = Streamed(given).opened()
    client = held.pushed()
    renewed(held)
    emptied = given.store.write(lambda uow: uow.resets.empty(given.school.id))
    assert (emptied.rows["pushes"], emptied.rows["push_keys"]) == (1, 1)
    assert held.unwelcome(client) is None


# --- what was recorded ---------------------------------------------------------------------------


def recording(given: Given, kind: StreamKind = StreamKind.CLASS) -> NewClip:
    """Return the facts of a file that nobody has reported."""
    return NewClip(
        file_id=KeyGenerator().file_id(),
        path="clips/aa/a.mp4",
        name="a.mp4",
        kind=kind,
        started_at=given.now - MINUTE,
        duration_ms=60_000,
        size=3,
        sha256=None,
        is_finished=False,
    )


def test_a_recording_is_written_once_however_often_it_is_reported(given: Given) -> None:
    held = Streamed(given)
    file = recording(given, StreamKind.SCENE)
    stream = f"{held.seen.key}-scene"
    assert not given.store.read(lambda uow: streams.has_clip(uow, stream, file.file_id))
    first = given.store.write(lambda uow: streams.add_recorded_clip(uow, stream, file))
    again = given.store.write(lambda uow: streams.add_recorded_clip(uow, stream, file))
    assert given.store.read(lambda uow: streams.has_clip(uow, stream, file.file_id))
    assert (first, first.lesson, first.file) == (again, held.lesson, file)
    assert given.store.read(lambda uow: uow.clips.list_of_lesson(held.lesson)) == [first]


def test_a_recording_of_a_deleted_class_is_kept(given: Given) -> None:
    held = Streamed(given)
    key = held.seen.key
    assert held.delete().errno == 1
    kept = given.store.write(lambda uow: streams.add_recorded_clip(uow, key, recording(given)))
    assert kept.lesson == held.lesson


def test_a_recording_needs_a_class(given: Given) -> None:
    file = recording(given)
    with pytest.raises(OperatorError, match="no class has a stream"):
        given.store.read(lambda uow: streams.has_clip(uow, "0" * 16, file.file_id))
    with pytest.raises(OperatorError, match="no class has a stream"):
        given.store.write(lambda uow: streams.add_recorded_clip(uow, "0" * 16, file))


# --- without a media engine ----------------------------------------------------------------------


@pytest.fixture
def no_video(given: Given, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take the media engine away; what is called brings it back."""
    server = given.house.services
    monkeypatch.setattr(server.dispatcher, "_deps", replace(server.deps, video_works=lambda: False))
    return monkeypatch.undo


def switched(held: Scheduled) -> Reply:
    entry = {"classId": held.lesson, **LIVE}
    return held.given.api.call("setClassVideoMultiple", courseId=held.course, classJson=[entry])


def test_without_video_a_class_is_made_unrecorded_and_repaired_later(
    given: Given, no_video: Callable[[], None]
) -> None:
    course = given.course()
    made = given.api.call("addCourseClass", **given.lesson_form(course, **LIVE))
    assert made.errno == 281
    assert made.body["more_data"]["live_url"] == ""
    assert given.seen(made.data).recording == RecordingOptions()

    no_video()

    entry = {"classId": made.data, **LIVE}
    reply = given.done("setClassVideoMultiple", courseId=course, classJson=[entry])
    assert reply.data[0]["more_data"]["live_info"]["RTMP"]
    assert given.seen(made.data).recording == RecordingOptions(record=True, live=True)


@pytest.mark.usefixtures("no_video")
def test_without_video_no_recording_begins_and_none_ends(given: Given) -> None:
    silent = Scheduled(given)
    assert silent.edit(**LIVE).errno == 284
    assert switched(silent).errnos == [253]
    assert silent.seen.recording == RecordingOptions()


def test_without_video_a_class_that_is_recorded_stays_so(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Streamed(given)
    server = given.house.services
    monkeypatch.setattr(server.dispatcher, "_deps", replace(server.deps, video_works=lambda: False))
    assert held.edit(**LIVE).errno == 1
    assert switched(held).errnos == [1]


def test_closing_a_class_ends_its_push(given: Given) -> None:
    """As `homeroom class close` does it; RealCloseTime is kept."""
    held = Streamed(given)
    held.running()
    client = held.pushed()
    given.store.write(lambda uow: operations.close_lesson(uow, held.lesson))
    assert held.unwelcome(client)
    assert given.seen(held.lesson).closed_at == given.now
