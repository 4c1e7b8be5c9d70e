"""Finishing clips: flat files, once each, whatever happens in between."""

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from homeroom.async_store import AsyncStore
from homeroom.base.clock import HOUR
from homeroom.base.settings import Settings
from homeroom.folder import open_store
from homeroom.media import flattening_worker
from homeroom.media.engine.flatten import FlatFile
from homeroom.media.flattening_worker import FlattenError, FlatteningWorker, flatten_in_subprocess
from homeroom.store.engine import StoreError
from homeroom.store.unit_of_work import Store
from tests.support import ffmpeg
from tests.support.recordings import Recorded

PATIENCE: Final = 30.0
DURATION: Final = 1234


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """Open a database of our own: a server's finisher would be at work on its clips."""
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").fresh()
    folder = tmp_path_factory.mktemp("finisher")
    with open_store(Settings(data=folder, database=database)) as store:
        yield store


@pytest.fixture
def recorded(store: Store, tmp_path: Path) -> Iterator[Recorded]:
    """Give a data folder without clips."""
    recorded = Recorded(store, tmp_path)
    yield recorded
    living = store.read(lambda uow: uow.clips.list_page(0, 1000))
    store.write(lambda uow: uow.clips.delete(living, uow.now))


@pytest.fixture(scope="module")
def fragmented(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Make a recording as an engine writes it, of two seconds."""
    folder = tmp_path_factory.mktemp("film")
    flv = ffmpeg.source(folder / "film.flv", seconds=2)
    path = folder / "film.mp4"
    how = "frag_keyframe+empty_moov+default_base_moof"
    ffmpeg.run("-i", str(flv), "-c", "copy", "-movflags", how, str(path))
    return path.read_bytes()


async def as_is(_source: Path, target: Path) -> FlatFile:
    """Stand in for flattening: another file, made at once."""
    await asyncio.to_thread(target.write_bytes, b"flat")
    sha256 = hashlib.sha256(b"flat").hexdigest()
    return FlatFile(size=4, sha256=sha256, duration=DURATION, changed=True)


def run(recorded: Recorded, uow: Callable[[AsyncStore], Coroutine[Any, Any, None]]) -> None:
    """Run something on a loop of its own that has a desk."""

    async def main() -> None:
        async with asyncio.timeout(PATIENCE):
            await uow(AsyncStore(recorded.store))

    asyncio.run(main())


def finish(recorded: Recorded, flatten: flattening_worker.Flatten = flatten_in_subprocess) -> None:
    """Finish all clips, once."""
    run(
        recorded,
        lambda async_store: FlatteningWorker(
            async_store, recorded.files, recorded.scratch, flatten
        ).finish_all(),
    )


def test_a_recording_becomes_a_flat_film_of_the_same_payload(
    recorded: Recorded, fragmented: bytes, tmp_path: Path
) -> None:
    before = tmp_path / "before.mp4"
    before.write_bytes(fragmented)
    clip = recorded.clip(fragmented)

    finish(recorded)

    path, seen = recorded.path(clip), recorded.seen(clip)
    content = path.read_bytes()
    assert b"moof" not in content
    assert content.index(b"moov") < content.index(b"mdat")
    for kind in "va":
        assert ffmpeg.payload(path, kind) == ffmpeg.payload(before, kind)
    assert seen.file.is_finished
    assert seen.file.size == len(content)
    assert seen.file.sha256 == hashlib.sha256(content).hexdigest()
    assert seen.file.duration_ms == pytest.approx(2000, abs=60)
    assert recorded.in_the_making() == []


def test_a_film_that_is_flat_stays_the_file_it_is(recorded: Recorded, fragmented: bytes) -> None:
    clip = recorded.clip(fragmented)
    finish(recorded)
    again = recorded.clip(recorded.path(clip).read_bytes())
    number = recorded.path(again).stat().st_ino

    finish(recorded)

    assert recorded.path(again).stat().st_ino == number
    assert recorded.seen(again).file.sha256 == recorded.seen(clip).file.sha256
    assert recorded.seen(again).file.is_finished


def test_what_is_finished_or_deleted_is_left_alone(recorded: Recorded) -> None:
    finished, gone = recorded.clip(), recorded.clip()
    recorded.delete(gone)
    finish(recorded, as_is)
    recorded.path(finished).write_bytes(b"touched by nobody")

    finish(recorded, as_is)

    assert recorded.path(finished).read_bytes() == b"touched by nobody"
    assert not recorded.path(gone).exists()


def test_a_clip_that_is_deleted_while_it_is_made_flat_stays_deleted(recorded: Recorded) -> None:
    clip = recorded.clip()

    async def slowly(source: Path, target: Path) -> FlatFile:
        await asyncio.to_thread(recorded.delete, clip)
        return await as_is(source, target)

    finish(recorded, slowly)

    assert not recorded.path(clip).exists()
    assert recorded.in_the_making() == []
    assert not recorded.seen(clip).file.is_finished


def test_one_that_fails_keeps_no_other_waiting_and_is_not_tried_at_once(
    recorded: Recorded,
) -> None:
    broken, good = recorded.clip(b"broken"), recorded.clip()
    tried: list[Path] = []

    async def picky(source: Path, target: Path) -> FlatFile:
        tried.append(source)
        if source == recorded.path(broken):
            await asyncio.to_thread(target.write_bytes, b"half")
            raise FlattenError("no MP4")
        return await as_is(source, target)

    async def twice(async_store: AsyncStore) -> None:
        worker = FlatteningWorker(async_store, recorded.files, recorded.scratch, picky)
        await worker.finish_all()
        await worker.finish_all()

    run(recorded, twice)

    assert tried == [recorded.path(broken), recorded.path(good)]
    assert recorded.seen(good).file.is_finished
    assert not recorded.seen(broken).file.is_finished
    assert recorded.path(broken).read_bytes() == b"broken"
    assert recorded.in_the_making() == []


def test_what_cannot_be_made_flat_is_finished_as_it_is_after_five_tries(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flattening_worker, "BACKOFF_SECONDS", (0.0,) * 4)
    clip = recorded.clip(b"no MP4 at all")
    tries: list[Path] = []

    async def failing(source: Path, _target: Path) -> FlatFile:
        tries.append(source)
        raise FlattenError("no MP4")

    async def often(async_store: AsyncStore) -> None:
        worker = FlatteningWorker(async_store, recorded.files, recorded.scratch, failing)
        for _ in range(5):
            await worker.finish_all()
            assert not recorded.seen(clip).file.is_finished
        await worker.finish_all()

    run(recorded, often)

    seen = recorded.seen(clip)
    assert len(tries) == 5
    assert seen.file.is_finished
    assert seen.file.sha256 == hashlib.sha256(b"no MP4 at all").hexdigest()
    assert seen.file.duration_ms is None
    assert recorded.path(clip).read_bytes() == b"no MP4 at all"


@pytest.mark.parametrize(
    "failure", [OSError("No space left on device"), TimeoutError(), StoreError("no database")]
)
def test_what_another_time_may_do_is_tried_for_ever(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(flattening_worker, "BACKOFF_SECONDS", (0.0,) * 4)
    clip = recorded.clip()
    tries: list[Path] = []

    async def at_last(source: Path, target: Path) -> FlatFile:
        tries.append(source)
        if len(tries) <= 20:
            raise failure
        return await as_is(source, target)

    async def often(async_store: AsyncStore) -> None:
        worker = FlatteningWorker(async_store, recorded.files, recorded.scratch, at_last)
        for _ in range(21):
            assert not recorded.seen(clip).file.is_finished
            await worker.finish_all()

    run(recorded, often)

    assert recorded.seen(clip).file.is_finished
    assert recorded.path(clip).read_bytes() == b"flat"


def test_of_two_servers_that_share_a_folder_one_finishes(recorded: Recorded) -> None:
    clip = recorded.clip()

    async def both(async_store: AsyncStore) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(source: Path, target: Path) -> FlatFile:
            begun.set()
            await go_on.wait()
            return await as_is(source, target)

        first = asyncio.create_task(
            FlatteningWorker(async_store, recorded.files, recorded.scratch, slowly).finish_all()
        )
        await begun.wait()
        await FlatteningWorker(async_store, recorded.files, recorded.scratch, as_is).finish_all()
        assert not recorded.seen(clip).file.is_finished
        go_on.set()
        await first

    run(recorded, both)

    assert recorded.seen(clip).file.is_finished


def test_a_child_says_why_it_failed(recorded: Recorded, tmp_path: Path) -> None:
    source, out = tmp_path / "no film.mp4", tmp_path / "out.partial"
    source.write_bytes(b"another container")

    async def flatten(_store: AsyncStore) -> None:
        with pytest.raises(FlattenError, match="there is no moov"):
            await flatten_in_subprocess(source, out)
        with pytest.raises(OSError, match="No such file"):
            await flatten_in_subprocess(tmp_path / "gone.mp4", out)

    run(recorded, flatten)


def test_a_child_that_is_stuck_is_ended(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flattening_worker, "MIN_TIMEOUT_SECONDS", 1.0)
    clip = recorded.clip()
    # It has no writer: a reader would wait without end.
    recorded.path(clip).unlink()
    os.mkfifo(recorded.path(clip))

    finish(recorded)

    assert not recorded.seen(clip).file.is_finished
    assert not running(str(recorded.path(clip)))


def gone(file: Path) -> None:
    """Wait until a file is gone."""
    deadline = time.monotonic() + PATIENCE
    while file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not file.exists()


def running(word: str) -> bool:
    """Tell whether a process was started with a word."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if word.encode() in words:
            return True
    return False


def test_a_recording_that_comes_in_is_finished_at_once_and_the_end_comes_as_fast(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flattening_worker, "POLL_SECONDS", PATIENCE)

    async def server(async_store: AsyncStore) -> None:
        begun = asyncio.Event()

        async def flatten(source: Path, target: Path) -> FlatFile:
            begun.set()
            return await flatten_in_subprocess(source, target)

        worker = FlatteningWorker(async_store, recorded.files, recorded.scratch, flatten)
        serving = asyncio.create_task(worker.run())
        paths = []
        for _ in range(2):
            paths.append(recorded.path(await asyncio.to_thread(recorded.clip)))
            worker.wake()
            await begun.wait()
            begun.clear()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert not any(running(str(path)) for path in paths)

    run(recorded, server)
    assert recorded.in_the_making() == []


def test_what_a_killed_server_left_in_the_making_goes_at_the_next_start(
    recorded: Recorded,
) -> None:
    left, fresh = (recorded.scratch / f"{name}.partial" for name in ("left", "fresh"))
    recorded.scratch.mkdir(parents=True)
    for file in (left, fresh):
        file.write_bytes(b"half")
    os.utime(left, (time.time() - HOUR - 60,) * 2)

    async def start(async_store: AsyncStore) -> None:
        serving = asyncio.create_task(
            FlatteningWorker(async_store, recorded.files, recorded.scratch, as_is).run()
        )
        await asyncio.to_thread(gone, left)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    run(recorded, start)
    assert fresh.exists()
