"""Messages about recordings: by their causes (Q97)."""

from contextlib import closing

import pytest
from sqlalchemy import select

from homeroom.domain.clips import NewClip
from homeroom.domain.streams import StreamKind
from homeroom.store.tables import messages
from homeroom.usecases import clips
from tests.interfaces.test_attendance import encoder
from tests.interfaces.test_hooks import Engine
from tests.support.attended import Attended
from tests.support.given import Given
from tests.support.sandbox import Sandbox

Moved = tuple[Given, Sandbox]


def path_of(attended: Attended, kind: str) -> str:
    """Return the stored file of the only message of a kind."""
    query = select(messages.c.file_path).where(
        messages.c.lesson_id == attended.lesson, messages.c.kind == kind
    )
    ((path,),) = attended.given.rows(query)
    return str(path)


@pytest.mark.parametrize(("resolution", "size"), [(0, "HD(1280*720)"), (2, "FHD(1920*1080)")])
def test_each_push_of_a_recorded_class_starts_a_recording(
    moved: Moved, resolution: int, size: str
) -> None:
    attended = Attended(*moved, seatNum=1, isHd=resolution)
    client = encoder(attended)
    with closing(Engine(attended.given.house)) as engine:
        for _ in range(2):
            assert engine.allows("on_publish", client)
            engine.says("on_unpublish", client)
    first, second = attended.bodies("recording_started")
    assert first["Cmd"] == "LiveDetail"
    assert first["Data"] == second["Data"] == {
        "Audio mode": "ClassIn Audio",
        "HighBitRate": "Standard",
        "IP": "127.0.0.1",
        "Micphone is recorded": "Yes",
        "Video Scope": "Classroom",
        "Video Size": size,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "camera"), [(StreamKind.CLASS, "ClassRoom"), (StreamKind.SCENE, "Camera.3")]
)
def test_a_recording_is_sent_once_when_its_file_is_ready(
    moved: Moved, kind: StreamKind, camera: str
) -> None:
    attended = Attended(*moved)
    given = attended.given
    file = NewClip(
        file_id=f"{attended.lesson}-{kind}",
        path="clips/ab/abc.mp4",
        name="class.mp4",
        kind=kind,
        started_at=attended.begin,
        duration_ms=None,
        size=1,
        sha256=None,
        is_finished=False,
    )
    lesson = attended.seen
    clip = given.store.write(lambda uow: clips.add_recorded(uow, lesson, file))
    assert attended.bodies("recording_file") == []

    for _ in range(2):
        given.store.write(lambda uow: clips.finish(uow, clip.id, 61_400, 1234, "0" * 64))

    (body,) = attended.bodies("recording_file")
    assert (body["Cmd"], body["VUrl"], body["CIDExt"]) == ("Record", "$file", camera)
    assert (body["Size"], body["Duration"], body["FileId"]) == (1234, 61, clip.file.file_id)
    assert (body["VST"], body["VET"]) == (clip.file.started_at, clip.file.started_at + 61)
    assert path_of(attended, "recording_file") == clip.file.path


def test_a_clip_added_by_hand_is_an_upload(moved: Moved) -> None:
    attended = Attended(*moved)
    clip = attended.given.clip(attended.lesson)
    (body,) = attended.bodies("replay_uploaded")
    assert (body["Cmd"], body["FileId"], body["Size"]) == ("Upload", clip.file.file_id, 11)
    assert path_of(attended, "replay_uploaded") == clip.file.path
    assert "recording_file" not in attended.sent
