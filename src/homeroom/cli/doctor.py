"""`homeroom doctor`."""

import http.client
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

import click
import msgspec

from homeroom.base.clock import SystemClock
from homeroom.base.settings import Settings
from homeroom.cli.command import CommandContext, format_time, json_option, to_json, with_context
from homeroom.domain.clips import Clip
from homeroom.folder import database_address, find_running_server, open_store
from homeroom.media.service import recordings_folder, spool_folder
from homeroom.store.engine import StoreError
from homeroom.store.inspection import check_database
from homeroom.store.local_storage import LocalStorage
from homeroom.store.migrate import is_current
from homeroom.store.records import JobCounts
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import clips, jobs, schools

LOW_SPACE_BYTES = 1_000_000_000
MIN_SPACE_BYTES = 100_000_000
MIN_CLOCK = 1_767_225_600
"""No clock that is right is earlier than 2026."""
MAX_AHEAD_SECONDS = 60
"""Seconds by which what is in the database may be ahead of the clock."""
PAGE_SIZE = 1000
MAX_EXAMPLES = 3
SERVER_TIMEOUT_SECONDS = 5
MAX_RESPONSE_BYTES = 10_000
"""Bytes of the response of /readyz that are read."""
MAX_REPORT_SECONDS = 60
"""Seconds after which a recording that ended, and its report, should have been taken in."""


class CheckStatus(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class CheckResult(msgspec.Struct, frozen=True):
    """The result of one check."""

    check: str
    state: CheckStatus
    message: str = msgspec.field(name="said")
    """The key in --json has the name that scripts read."""


@click.command()
@json_option
@with_context
def doctor(context: CommandContext, *, as_json: bool) -> None:
    """Check the data folder, the database, the clock, jobs, clips and the server.

    A line a check: ok, warn or fail; ends with 1 if one fails. Changes nothing.
    """
    results = list(_run_checks(context.load_settings()))
    if as_json:
        click.echo(to_json(results))
    else:
        width = max(len(result.check) for result in results)
        for result in results:
            click.echo(f"{result.state.value:<4}  {result.check:<{width}}  {result.message}")
    if any(result.state is CheckStatus.FAIL for result in results):
        sys.exit(1)


def _run_checks(settings: Settings) -> Iterator[CheckResult]:
    yield _check_folder(settings.data)
    if settings.data.is_dir():
        yield _check_space("disk space", settings.data)
    database = _check_database(settings)
    yield database
    if database.state is not CheckStatus.FAIL:
        tables = _check_tables(settings)
        yield tables
        if tables.state is CheckStatus.OK:
            yield _check_integrity(settings)
            with open_store(settings) as store:
                yield _check_clock(store)
                yield _check_jobs(store)
                yield from _check_clips(store, settings.data)
                yield _check_schools(store)
    if settings.media != "none":
        yield from _check_media(settings)
    yield _check_server(settings)


def _check_folder(folder: Path) -> CheckResult:
    check = "data folder"
    if not folder.is_dir():
        return CheckResult(check, CheckStatus.FAIL, f"{folder} is not there")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return CheckResult(check, CheckStatus.FAIL, f"{folder} is not writable: {error.strerror}")
    return CheckResult(check, CheckStatus.OK, f"{folder.resolve()} is writable")


def _check_space(check: str, folder: Path) -> CheckResult:
    free = shutil.disk_usage(folder).free
    text = f"{free / 10**9:.1f} GB free"
    if free < MIN_SPACE_BYTES:
        return CheckResult(check, CheckStatus.FAIL, text)
    return CheckResult(check, CheckStatus.WARN if free < LOW_SPACE_BYTES else CheckStatus.OK, text)


def _check_database(settings: Settings) -> CheckResult:
    check, where = "database", database_address(settings)
    if isinstance(where, Path):
        if not where.exists():
            return CheckResult(check, CheckStatus.FAIL, f"{where} is not there")
        text = f"SQLite, {where.stat().st_size / 10**6:.1f} MB"
    else:
        text = "PostgreSQL"
    try:
        is_current(where)
    except StoreError as failure:
        return CheckResult(check, CheckStatus.FAIL, str(failure))
    return CheckResult(check, CheckStatus.OK, text)


def _check_tables(settings: Settings) -> CheckResult:
    if is_current(database_address(settings)):
        return CheckResult("tables", CheckStatus.OK, "are those of this version")
    return CheckResult("tables", CheckStatus.FAIL, "are of another version: homeroom migrate")


def _check_integrity(settings: Settings) -> CheckResult:
    wrong = check_database(database_address(settings))
    if wrong:
        return CheckResult("integrity", CheckStatus.FAIL, "; ".join(wrong))
    return CheckResult("integrity", CheckStatus.OK, "pages, indexes and foreign keys are whole")


def _check_clock(store: Store) -> CheckResult:
    now, store_now = SystemClock().now(), store.clock.now()
    newest = store.read(schools.get_newest_creation_time) or 0
    text = f"it is {format_time(now)}"
    if now < MIN_CLOCK:
        return CheckResult("clock", CheckStatus.FAIL, f"{text}: earlier than this program")
    if abs(store_now - now) > 1:
        return CheckResult(
            "clock", CheckStatus.OK, f"{text}; the sandbox's shows {format_time(store_now)}"
        )
    if newest > now + MAX_AHEAD_SECONDS:
        return CheckResult(
            "clock", CheckStatus.WARN, f"{text}, but something was written at {format_time(newest)}"
        )
    return CheckResult("clock", CheckStatus.OK, text)


def _check_jobs(store: Store) -> CheckResult:
    def read(uow: UnitOfWork) -> tuple[JobCounts, list[str], list[str]]:
        failing = [
            f"{job.kind} {job.id}, {job.attempts} times: {error}"
            for job, error in jobs.list_failing(uow)
        ]
        set_aside = [f"{job.kind} {job.id}: {reason}" for job, reason in jobs.list_set_aside(uow)]
        return jobs.get_counts(uow), failing, set_aside

    counts, failing, set_aside = store.read(read)
    if set_aside:
        text = f"{counts.set_aside} set aside until the next start: "
        return CheckResult("jobs", CheckStatus.WARN, text + "; ".join(set_aside[:MAX_EXAMPLES]))
    if failing:
        return CheckResult(
            "jobs", CheckStatus.WARN, f"{len(failing)} fail: {'; '.join(failing[:MAX_EXAMPLES])}"
        )
    return CheckResult("jobs", CheckStatus.OK, f"{counts.pending} wait, none fails")


def _check_clips(store: Store, folder: Path) -> Iterator[CheckResult]:
    """Compare the rows of clips with the files, both ways."""
    storage = LocalStorage(folder)
    living: set[str] = set()
    missing: list[str] = []
    sizes = 0
    after = 0
    while page := store.read(_clip_page(after)):
        after = page[-1].id
        for clip in page:
            if clip.deleted_at is not None:
                continue
            living.add(clip.file.path)
            size = storage.size(clip.file.path)
            if size is None:
                missing.append(f"{clip.file.path} is not there")
            elif size != clip.file.size:
                missing.append(f"{clip.file.path} has not {clip.file.size} bytes")
            else:
                sizes += clip.file.size
    if missing:
        text = f"{len(missing)} of {len(living)}: {'; '.join(missing[:MAX_EXAMPLES])}"
        yield CheckResult("clips", CheckStatus.FAIL, text)
    else:
        yield CheckResult("clips", CheckStatus.OK, f"{len(living)} files, {sizes / 10**6:.1f} MB")
    lost = sorted(set(storage.list_names("clips")) - living)
    if lost:
        text = f"{len(lost)} files belong to no clip, as {'; '.join(lost[:MAX_EXAMPLES])}"
        yield CheckResult("stray files", CheckStatus.WARN, text)


def _clip_page(after: int) -> Callable[[UnitOfWork], list[Clip]]:
    return lambda uow: clips.list_page(uow, after, PAGE_SIZE)


def _check_schools(store: Store) -> CheckResult:
    count = len(store.read(schools.list_schools))
    if count == 0:
        return CheckResult("schools", CheckStatus.WARN, "none yet: homeroom school create")
    return CheckResult("schools", CheckStatus.OK, f"{count}")


def _check_server(settings: Settings) -> CheckResult:
    running = find_running_server(settings)
    if running is None:
        return CheckResult("server", CheckStatus.OK, "none runs on this data folder")
    pid, url = running.pid, running.url
    if not url:
        return CheckResult("server", CheckStatus.WARN, f"pid {pid} is starting, or stuck at that")
    where = urlsplit(url)
    connection = http.client.HTTPConnection(
        where.hostname or "localhost", where.port, timeout=SERVER_TIMEOUT_SECONDS
    )
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        text = answer.read(MAX_RESPONSE_BYTES)
    except (OSError, http.client.HTTPException) as error:
        return CheckResult(
            "server", CheckStatus.FAIL, f"pid {pid} does not answer at {url}: {error}"
        )
    finally:
        connection.close()
    if answer.status >= http.client.INTERNAL_SERVER_ERROR:
        why = _parse_reasons(text) or answer.status
        return CheckResult("server", CheckStatus.FAIL, f"pid {pid} at {url} is not ready: {why}")
    return CheckResult("server", CheckStatus.OK, f"pid {pid} answers at {url}")


def _parse_reasons(text: bytes) -> str:
    try:
        return "; ".join(msgspec.json.decode(text, type=_NotReady).reasons)
    except ValueError:
        return ""


class _NotReady(msgspec.Struct):
    reasons: list[str]


def _check_media(settings: Settings) -> Iterator[CheckResult]:
    """Look at the folders of the media engine, which need not be where the data are."""
    folder = recordings_folder(settings)
    if folder.is_dir():
        yield _check_space("recordings", folder)
        yield from _check_stray_recordings(folder, spool_folder(settings))
    elif settings.media == "external":
        yield CheckResult(
            "recordings", CheckStatus.WARN, f"{folder} is not there: nothing is taken in"
        )
    if settings.media == "embedded":
        yield _check_reports(spool_folder(settings))


def _check_stray_recordings(folder: Path, spooled: Path) -> Iterator[CheckResult]:
    """Look for recordings that are not being written, and that no report will ever tell of."""
    by_now = SystemClock().now() - MAX_REPORT_SECONDS
    reported: set[str] = set()
    quiet: list[Path] = []
    for file in sorted(folder.rglob("*.mp4")):
        with suppress(FileNotFoundError):  # it has become a clip
            if file.stat().st_mtime < by_now and not file.with_suffix(".json").exists():
                quiet.append(file)
    # In this order, for an engine writes its report before it removes its note.
    for report in spooled.glob("*.json"):
        with suppress(FileNotFoundError, msgspec.DecodeError):
            reported.add(
                Path(msgspec.json.decode(report.read_bytes(), type=_SpooledReport).file).name
            )
    lost = [file for file in quiet if file.name not in reported and file.exists()]
    if lost:
        names = "; ".join(file.name for file in lost[:MAX_EXAMPLES])
        text = f"{len(lost)} became no clip, as {names}: homeroom clip add, or delete them"
        yield CheckResult("stray recordings", CheckStatus.WARN, text)


class _SpooledReport(msgspec.Struct):
    file: str = ""


def _check_reports(folder: Path) -> CheckResult:
    waiting = sorted(folder.glob("*.json"))
    if not waiting:
        return CheckResult("reports", CheckStatus.OK, "none of the media engine waits")
    age = SystemClock().now() - int(waiting[0].stat().st_mtime)
    text = f"{len(waiting)} of the media engine wait, for up to {max(age, 0)} s"
    return CheckResult(
        "reports", CheckStatus.WARN if age > MAX_REPORT_SECONDS else CheckStatus.OK, text
    )
