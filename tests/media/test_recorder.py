"""Recordings on a disk that fails, and in a folder that holds other things too."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from homeroom.media.engine.disk import DiskWriter
from homeroom.media.engine.hooks_client import ClientInfo, HooksClient
from homeroom.media.engine.packets import AUDIO, VIDEO
from homeroom.media.engine.recorder import Recorder, RecordingArchive, RecordingFile
from homeroom.media.engine.spool import Spool, read_file
from tests.support import flv
from tests.support.engine import until
from tests.support.flv import headers, picture, sound

CLIENT = ClientInfo("c", "127.0.0.1", "live", "s", "", "")
PACKETS = [
    *headers(VIDEO, AUDIO),
    *(one for at in range(0, 2000, 40) for one in (picture(at, key=at % 1000 == 0), sound(at))),
]


def recorded(
    folder: Path, does: Callable[[RecordingArchive, Recorder], Awaitable[None]]
) -> RecordingArchive:
    """Do something with a recorder; returns when the disk has done its part."""

    async def run() -> RecordingArchive:
        recordings = folder / "recordings"
        spool = Spool(folder / "spool", HooksClient("http://127.0.0.1:1/"), recordings)
        disk = DiskWriter()
        archive = RecordingArchive(recordings, spool, disk, 3600)
        await does(archive, Recorder(archive, CLIENT, 0))
        assert disk.close(10)
        await asyncio.sleep(0)
        return archive

    return asyncio.run(run())


def reports(folder: Path) -> list[dict[str, Any]]:
    return [read_file(path) or {} for path in sorted((folder / "spool").glob("*.json"))]


def test_the_last_write_may_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The part written before the failure is reported, and the failure is counted."""
    append = RecordingFile.append
    left = [4]

    def failing(self: RecordingFile, data: bytes) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise OSError(28, os.strerror(28))
        append(self, data)

    monkeypatch.setattr(RecordingFile, "append", failing)

    async def push(_archive: RecordingArchive, recorder: Recorder) -> None:
        for chunk in flv.packed(PACKETS)[:3]:
            recorder.add(chunk)
        recorder.end()

    archive = recorded(tmp_path, push)
    assert archive.failures == 1
    (report,) = reports(tmp_path)
    assert (tmp_path / "recordings" / report["file"]).exists()
    assert 300 < report["duration"] < 500
    assert not list((tmp_path / "recordings").glob("*.json"))


def test_what_an_operator_keeps_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    kept = {"lecture.mp4": b"no film", "lecture.json": b"{}", "x.partial": b"", "a.json": b"["}
    for name, content in kept.items():
        (folder / name).write_bytes(content)

    async def recover(archive: RecordingArchive, _recorder: Recorder) -> None:
        await asyncio.to_thread(archive.recover)

    recorded(tmp_path, recover)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    assert reports(tmp_path) == []


def test_a_note_that_cannot_be_read_now_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def push(_archive: RecordingArchive, recorder: Recorder) -> None:
        for chunk in flv.packed(PACKETS):
            recorder.add(chunk)
        recorder.end()

    with monkeypatch.context() as patch:
        # No report can be written, so that the note is what there is.
        patch.setattr(Spool, "add", _too_many)
        recorded(tmp_path, push)
    (note,) = (tmp_path / "recordings").glob("*.json")

    async def recover(archive: RecordingArchive, _recorder: Recorder) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", _too_many)
            await asyncio.to_thread(archive.recover)
        assert note.exists()
        await asyncio.to_thread(archive.recover)

    recorded(tmp_path, recover)
    (report,) = reports(tmp_path)
    assert report["file"] == note.with_suffix(".mp4").name
    assert not note.exists()


def test_a_disk_that_is_slow_to_make_things_last_holds_up_no_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_free = threading.Event()

    def waiting(_descriptor: int) -> None:
        assert is_free.wait(20)

    monkeypatch.setattr(os, "fsync", waiting)

    async def push(_archive: RecordingArchive, recorder: Recorder) -> None:
        for chunk in flv.packed(PACKETS):
            recorder.add(chunk)
        until(lambda: list((tmp_path / "recordings").glob("*.mp4")))
        (path,) = (tmp_path / "recordings").glob("*.mp4")
        whole = sum(len(chunk.data) for chunk in flv.packed(PACKETS))
        until(lambda: path.stat().st_size > whole)
        recorder.end()
        is_free.set()

    recorded(tmp_path, push)
    assert len(reports(tmp_path)) == 1


def _too_many(*_args: object, **_more: object) -> None:
    raise OSError(24, os.strerror(24))
