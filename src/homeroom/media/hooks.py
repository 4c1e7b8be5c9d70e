"""The hooks: what a media engine asks and reports, as SRS has it (http_hooks)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.base.keys import fingerprint, secrets_equal
from homeroom.domain.clips import NewClip, clip_path
from homeroom.domain.refusal import OperatorError
from homeroom.domain.streams import parse_stream_name
from homeroom.store.local_storage import sync_folder
from homeroom.store.storage import Storage
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import streams
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.bodies import read_body
from homeroom.web.problems import json_response

log = logging.getLogger("homeroom.media")

MAX_BODY_BYTES = 64 * 1024
WARNING_INTERVAL_SECONDS = 60.0
"""Seconds between two warnings of forged hooks."""
MAX_TIMESTAMP = 253_402_300_799
"""The last second of the year 9999."""
RECORDING_SUFFIX = ".mp4"
FILE_ID_LENGTH = 32

HookText = Annotated[str, msgspec.Meta(max_length=4096, pattern=r"\A[^\0]*\Z")]
HookNumber = Annotated[float, msgspec.Meta(ge=0, le=MAX_TIMESTAMP)]


class HookRequest(msgspec.Struct, frozen=True):
    """One hook; SRS sends more than is of use here, and an old one less."""

    action: str
    client_id: HookText | int = ""
    ip: HookText = ""
    app: HookText = ""
    stream: HookText = ""
    param: HookText = ""
    """The query of the address, its question mark included."""
    cwd: HookText = ""
    file: HookText = ""
    started_at: HookNumber | None = None
    """Seconds since 1970 UTC; only our own engine tells."""
    duration: HookNumber | None = None
    """Milliseconds, where our own engine tells of a recording; an SRS means seconds of HLS."""

    def client(self) -> streams.StreamClient:
        """Return who the hook is about."""
        return streams.StreamClient(str(self.client_id), self.ip, self.app, self.stream, self.param)


@dataclass(frozen=True, slots=True)
class RecordingIntake:
    """Where recordings come from, where they go, and who is told."""

    folder: Path
    """The engine's own folder; a file elsewhere is none of ours."""
    storage: Storage
    on_clip_added: Callable[[], None]
    """Called when there is a new clip."""


class HookEndpoint:
    """What answers the hooks of an engine."""

    def __init__(
        self,
        store: AsyncStore,
        deps: Dependencies,
        secret: str,
        intake: RecordingIntake,
        engine_id: str,
    ) -> None:
        self._engine_id = engine_id
        self._store = store
        self._deps = deps
        self._secret = secret
        self._intake = intake
        self._warned_at = -WARNING_INTERVAL_SECONDS
        self._intake_lock = asyncio.Lock()
        self._handlers: dict[str, Callable[[HookRequest], Awaitable[Response]]] = {
            "on_publish": self._on_publish,
            "on_unpublish": self._on_unpublish,
            "on_play": self._on_play,
            "on_dvr": self._on_dvr,
        }

    def routes(self) -> list[Route]:
        """Return the one address of all hooks."""
        return [Route("/media/hooks", self._handle, methods=["POST"])]

    async def _handle(self, request: Request) -> Response:
        if not secrets_equal(request.query_params.get("secret", ""), self._secret):
            self._warn_of_forgery(request)
            return _reject(HTTPStatus.FORBIDDEN, "the secret is wrong")
        try:
            hook = msgspec.json.decode(await read_body(request, MAX_BODY_BYTES), type=HookRequest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _reject(
                HTTPStatus.BAD_REQUEST, f"the body must be a hook of SRS in JSON: {error}"
            )
        handler = self._handlers.get(hook.action)
        try:
            # What else an SRS tells (on_connect, on_close, on_stop, on_hls) is of no concern here.
            return _accept() if handler is None else await handler(hook)
        except OperatorError as reason:
            log.info(
                "a stream is refused",
                extra={
                    "action": hook.action,
                    "stream": hook.stream,
                    "ip": hook.ip,
                    "reason": str(reason),
                },
            )
            return _reject(HTTPStatus.FORBIDDEN, str(reason))

    def _warn_of_forgery(self, request: Request) -> None:
        if monotonic() - self._warned_at < WARNING_INTERVAL_SECONDS:
            return
        self._warned_at = monotonic()
        ip = request.client.host if request.client is not None else ""
        log.warning("a hook came without the right secret", extra={"ip": ip})

    async def _on_publish(self, hook: HookRequest) -> Response:
        def transaction(uow: UnitOfWork) -> int:
            streams.start_push(uow, self._deps, hook.client(), self._engine_id)
            return uow.now

        # Our own engine dates its recordings by the clock that classes go by.
        return _accept(now=await self._store.write(transaction))

    async def _on_unpublish(self, hook: HookRequest) -> Response:
        await self._store.write(lambda uow: streams.end_push(uow, str(hook.client_id)))
        return _accept()

    async def _on_play(self, hook: HookRequest) -> Response:
        await self._store.read(lambda uow: streams.check_play(uow, self._deps, hook.client()))
        return _accept()

    async def _on_dvr(self, hook: HookRequest) -> Response:
        """Take a recording in.

        One that can never be a clip is reported once more in our log and stays where it is: its
        bytes are not lost, and the engine does not report it for ever.
        """
        source = await asyncio.to_thread(_resolve_source, self._intake.folder, hook)
        try:
            # A large one may take so long that it is reported again meanwhile.
            async with self._intake_lock:
                await self._ingest(hook, source)
        except (OperatorError, OSError) as reason:
            if isinstance(reason, OSError) and not await self._is_deleted(reason):
                log.exception("a recording cannot be taken in; the engine reports it again")
                message = f"the recording stays: {reason.strerror}"
                return _reject(HTTPStatus.SERVICE_UNAVAILABLE, message)
            log.error(  # noqa: TRY400  the reason is all there is to say
                "a recording cannot become a clip; `homeroom clip add` can make it one",
                extra={"file": str(source), "stream": hook.stream, "reason": str(reason)},
            )
        return _accept()

    async def _is_deleted(self, failure: OSError) -> bool:
        """Tell whether a file is not there, and not because its whole folder is away."""
        is_missing = isinstance(failure, FileNotFoundError)
        return is_missing and await asyncio.to_thread(self._intake.folder.is_dir)

    async def _ingest(self, hook: HookRequest, source: Path) -> None:
        if source.suffix != RECORDING_SUFFIX:
            raise OperatorError(
                f"a recording must be an MP4: let its name end in {RECORDING_SUFFIX}"
            )
        # By its place in the folder: the folder may have moved before a report is repeated.
        file_id = _file_id(str(source.relative_to(self._intake.folder.resolve())))
        if await self._has_clip(hook, file_id):
            # Reported again: unless its name was given to another recording meanwhile.
            replacement = await asyncio.to_thread(_identify_replacement, source)
            if replacement is None or await self._has_clip(hook, replacement):
                return
            file_id = replacement
        path = clip_path(file_id)
        size = await asyncio.to_thread(_move, source, self._intake.storage, path)

        def transaction(uow: UnitOfWork) -> None:
            _key, kind = parse_stream_name(hook.stream)
            started_at = uow.now if hook.started_at is None else int(hook.started_at)
            began = datetime.fromtimestamp(started_at, UTC)
            file = NewClip(
                file_id=file_id,
                path=path,
                name=f"{kind}-{began:%Y%m%dT%H%M%SZ}{RECORDING_SUFFIX}",
                kind=kind,
                started_at=started_at,
                duration_ms=None if hook.duration is None else int(hook.duration),
                size=size,
                sha256=None,
                is_finished=False,
            )
            streams.add_recorded_clip(uow, hook.stream, file)

        await self._store.write(transaction)
        self._intake.on_clip_added()

    async def _has_clip(self, hook: HookRequest, file_id: str) -> bool:
        return await self._store.read(lambda uow: streams.has_clip(uow, hook.stream, file_id))


def routes(
    store: AsyncStore, deps: Dependencies, secret: str, intake: RecordingIntake, engine_id: str
) -> list[Route]:
    """Return the address of the hooks of an engine, our own by its id, an external one by none."""
    return HookEndpoint(store, deps, secret, intake, engine_id).routes()


def _resolve_source(folder: Path, hook: HookRequest) -> Path:
    """Return where a reported file is; raises `OperatorError` outside the engine folder."""
    try:
        file = (Path(hook.cwd) / hook.file).resolve()
        # It may be gone, or not to be read for now; a name that no file can have is another thing.
        with suppress(FileNotFoundError, PermissionError):
            file.lstat()
    except (OSError, RuntimeError):  # too long a name, or links that go round in circles
        file = None
    if not hook.file or file is None or not file.is_relative_to(folder.resolve()):
        raise OperatorError("the file is not in the folder of recordings")
    return file


def _move(source: Path, storage: Storage, path: str) -> int:
    """Move a recording into the storage and return its bytes; once more is no error."""
    try:
        with source.open("rb") as file:
            size = storage.put(path, file)
    except FileNotFoundError:
        stored = storage.size(path)
        if stored is None:
            raise
        return stored
    source.unlink()
    # A report that is repeated after a power cut must not find the recording a second time.
    sync_folder(source.parent)
    return size


def _file_id(text: str) -> str:
    return fingerprint(text)[:FILE_ID_LENGTH]


def _identify_replacement(source: Path) -> str | None:
    """Return the fileId of a file under a name that was taken in before, none where none is."""
    try:
        facts = source.stat()
    except FileNotFoundError:
        return None
    return _file_id(f"{source} {facts.st_mtime_ns} {facts.st_size}")


def _accept(**more: int) -> Response:
    return json_response({"code": 0, **more})


def _reject(status: HTTPStatus, reason: str) -> Response:
    return json_response({"code": int(status), "msg": reason}, status)
