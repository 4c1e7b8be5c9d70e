"""`homeroom doctor`."""

import http.client
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from homeroom.base.clock import SystemClock
from homeroom.base.settings import Settings
from homeroom.cli.frame import Place, as_json, at, in_json, on_data
from homeroom.domain.clips import Clip
from homeroom.folder import address, opened_store, running_server
from homeroom.media.room import recordings, spool
from homeroom.store.engine import StoreError
from homeroom.store.files import Files
from homeroom.store.inspection import problems
from homeroom.store.migrate import is_current
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import schools

LITTLE_SPACE = 1_000_000_000
NO_SPACE = 100_000_000
RELEASED = 1_767_225_600
"""No clock that is right is earlier than 2026."""
AHEAD = 60
"""Seconds by which what is in the database may be ahead of the clock."""
PAGE = 1000
SHOWN = 3
SERVER_SECONDS = 5
MOST_SAID = 10_000
"""Bytes of what a server says of itself."""
LATE_REPORT = 60
"""Seconds after which a recording that ended, and its report, should have been taken in."""


class State(StrEnum):
    """How a check ends."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and how it ended."""

    check: str
    state: State
    said: str


@click.command()
@as_json
@on_data
def doctor(place: Place, *, as_json: bool) -> None:
    """Check the data folder, the database, the clock, jobs, clips and the server.

    A line a check: ok, warn or fail; ends with 1 if one fails. Changes nothing.
    """
    found = list(_findings(place.settings()))
    if as_json:
        click.echo(in_json(found))
    else:
        width = max(len(one.check) for one in found)
        for one in found:
            click.echo(f"{one.state.value:<4}  {one.check:<{width}}  {one.said}")
    if any(one.state is State.FAIL for one in found):
        sys.exit(1)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield _folder(settings.data)
    if settings.data.is_dir():
        yield _space("disk space", settings.data)
    database = _database(settings)
    yield database
    if database.state is not State.FAIL:
        tables = _tables(settings)
        yield tables
        if tables.state is State.OK:
            yield _whole(settings)
            with opened_store(settings) as store:
                yield _clock(store)
                yield _jobs(store)
                yield from _clips(store, settings.data)
                yield _schools(store)
    if settings.media != "none":
        yield from _media(settings)
    yield _server(settings)


def _folder(folder: Path) -> Finding:
    check = "data folder"
    if not folder.is_dir():
        return Finding(check, State.FAIL, f"{folder} is not there")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding(check, State.FAIL, f"{folder} is not writable: {error.strerror}")
    return Finding(check, State.OK, f"{folder.resolve()} is writable")


def _space(check: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    said = f"{free / 10**9:.1f} GB free"
    if free < NO_SPACE:
        return Finding(check, State.FAIL, said)
    return Finding(check, State.WARN if free < LITTLE_SPACE else State.OK, said)


def _database(settings: Settings) -> Finding:
    check, where = "database", address(settings)
    if isinstance(where, Path):
        if not where.exists():
            return Finding(check, State.FAIL, f"{where} is not there")
        said = f"SQLite, {where.stat().st_size / 10**6:.1f} MB"
    else:
        said = "PostgreSQL"
    try:
        is_current(where)
    except StoreError as failure:
        return Finding(check, State.FAIL, str(failure))
    return Finding(check, State.OK, said)


def _tables(settings: Settings) -> Finding:
    if is_current(address(settings)):
        return Finding("tables", State.OK, "are those of this version")
    return Finding("tables", State.FAIL, "are of another version: homeroom migrate")


def _whole(settings: Settings) -> Finding:
    wrong = problems(address(settings))
    if wrong:
        return Finding("integrity", State.FAIL, "; ".join(wrong))
    return Finding("integrity", State.OK, "pages, indexes and foreign keys are whole")


def _clock(store: Store) -> Finding:
    now, shown = SystemClock().now(), store.clock.now()
    newest = store.read(lambda uow: uow.schools.get_newest_created_at()) or 0
    said = f"it is {at(now)}"
    if now < RELEASED:
        return Finding("clock", State.FAIL, f"{said}: earlier than this program")
    if abs(shown - now) > 1:
        return Finding("clock", State.OK, f"{said}; the sandbox's shows {at(shown)}")
    if newest > now + AHEAD:
        return Finding("clock", State.WARN, f"{said}, but something was written at {at(newest)}")
    return Finding("clock", State.OK, said)


def _jobs(store: Store) -> Finding:
    def facts(uow: UnitOfWork) -> tuple[int, list[str]]:
        failing = uow.jobs.failing()
        said = [f"{job.kind.value} {job.id}, {job.attempts} times: {why}" for job, why in failing]
        return uow.jobs.count(), said

    count, failing = store.read(facts)
    if failing:
        return Finding("jobs", State.WARN, f"{len(failing)} fail: {'; '.join(failing[:SHOWN])}")
    return Finding("jobs", State.OK, f"{count} wait, none fails")


def _clips(store: Store, folder: Path) -> Iterator[Finding]:
    """Compare the rows of clips with the files, both ways."""
    scratch = Files(folder).scratch
    living: set[str] = set()
    missing: list[str] = []
    sizes = 0
    after = 0
    while page := store.read(_page_of_clips(after)):
        after = page[-1].id
        for clip in page:
            if clip.deleted_at is not None:
                continue
            living.add(clip.file.path)
            file = folder / clip.file.path
            if not file.is_file():
                missing.append(f"{clip.file.path} is not there")
            elif file.stat().st_size != clip.file.size:
                missing.append(f"{clip.file.path} has not {clip.file.size} bytes")
            else:
                sizes += clip.file.size
    if missing:
        said = f"{len(missing)} of {len(living)}: {'; '.join(missing[:SHOWN])}"
        yield Finding("clips", State.FAIL, said)
    else:
        yield Finding("clips", State.OK, f"{len(living)} files, {sizes / 10**6:.1f} MB")
    kept = {
        os.path.relpath(file, folder)
        for file in (folder / "clips").rglob("*")
        if file.is_file() and file.parent != scratch
    }
    lost = sorted(kept - living)
    if lost:
        said = f"{len(lost)} files belong to no clip, as {'; '.join(lost[:SHOWN])}"
        yield Finding("stray files", State.WARN, said)


def _page_of_clips(after: int) -> Callable[[UnitOfWork], list[Clip]]:
    return lambda uow: uow.clips.list_page(after, PAGE)


def _schools(store: Store) -> Finding:
    count = len(store.read(schools.every))
    if count == 0:
        return Finding("schools", State.WARN, "none yet: homeroom school create")
    return Finding("schools", State.OK, f"{count}")


def _server(settings: Settings) -> Finding:
    running = running_server(settings)
    if running is None:
        return Finding("server", State.OK, "none runs on this data folder")
    pid, url = running.pid, running.url
    if not url:
        return Finding("server", State.WARN, f"pid {pid} is starting, or stuck at that")
    where = urlsplit(url)
    connection = http.client.HTTPConnection(
        where.hostname or "localhost", where.port, timeout=SERVER_SECONDS
    )
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        said = answer.read(MOST_SAID)
    except (OSError, http.client.HTTPException) as error:
        return Finding("server", State.FAIL, f"pid {pid} does not answer at {url}: {error}")
    finally:
        connection.close()
    if answer.status >= http.client.INTERNAL_SERVER_ERROR:
        why = _reasons(said) or answer.status
        return Finding("server", State.FAIL, f"pid {pid} at {url} is not ready: {why}")
    return Finding("server", State.OK, f"pid {pid} answers at {url}")


def _reasons(said: bytes) -> str:
    try:
        return "; ".join(msgspec.json.decode(said, type=_NotReady).reasons)
    except ValueError:
        return ""


class _NotReady(msgspec.Struct):
    reasons: list[str]


def _media(settings: Settings) -> Iterator[Finding]:
    """Look at the folders of the media engine, which need not be where the data are."""
    folder = recordings(settings)
    if folder.is_dir():
        yield _space("recordings", folder)
        yield from _unreported(folder, spool(settings))
    elif settings.media == "external":
        yield Finding("recordings", State.WARN, f"{folder} is not there: nothing is taken in")
    if settings.media == "embedded":
        yield _reports(spool(settings))


def _unreported(folder: Path, spooled: Path) -> Iterator[Finding]:
    """Look for recordings that are not being written, and that no report will ever tell of."""
    by_now = SystemClock().now() - LATE_REPORT
    told: set[str] = set()
    quiet: list[Path] = []
    for file in sorted(folder.rglob("*.mp4")):
        with suppress(FileNotFoundError):  # taken in meanwhile
            if file.stat().st_mtime < by_now and not file.with_suffix(".json").exists():
                quiet.append(file)
    # In this order, for an engine writes its report before it removes its note.
    for report in spooled.glob("*.json"):
        with suppress(FileNotFoundError, msgspec.DecodeError):
            told.add(Path(msgspec.json.decode(report.read_bytes(), type=_Report).file).name)
    lost = [file for file in quiet if file.name not in told and file.exists()]
    if lost:
        names = "; ".join(file.name for file in lost[:SHOWN])
        said = f"{len(lost)} became no clip, as {names}: homeroom clip add, or delete them"
        yield Finding("stray recordings", State.WARN, said)


class _Report(msgspec.Struct):
    file: str = ""


def _reports(folder: Path) -> Finding:
    waiting = sorted(folder.glob("*.json"))
    if not waiting:
        return Finding("reports", State.OK, "none of the media engine waits")
    age = SystemClock().now() - int(waiting[0].stat().st_mtime)
    said = f"{len(waiting)} of the media engine wait, for up to {max(age, 0)} s"
    return Finding("reports", State.WARN if age > LATE_REPORT else State.OK, said)
