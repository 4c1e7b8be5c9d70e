"""Hook endpoint: a media engine asks for permission and reports events (SRS `http_hooks`)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
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
from homeroom.web import security_log
from homeroom.web.addresses import get_client_address
from homeroom.web.bodies import read_body
from homeroom.web.problems import json_response
from homeroom.web.security_log import SecurityEvent

log = logging.getLogger("homeroom.media")

HOOKS_PATH = "/media/hooks"
MAX_BODY_BYTES = 64 * 1024
MAX_TIMESTAMP = 253_402_300_799
"""The last second of the year 9999."""
RECORDING_SUFFIX = ".mp4"
FILE_ID_LENGTH = 32

HookText = Annotated[str, msgspec.Meta(max_length=4096, pattern=r"\A[^\0]*\Z")]
HookNumber = Annotated[float, msgspec.Meta(ge=0, le=MAX_TIMESTAMP)]


class HookRequest(msgspec.Struct, frozen=True):
    """Body of a hook. SRS sends more fields than we need; older versions send fewer."""

    action: str
    client_id: HookText | int = ""
    ip: HookText = ""
    app: HookText = ""
    stream: HookText = ""
    param: HookText = ""
    """Query of the stream URL, with its question mark."""
    cwd: HookText = ""
    file: HookText = ""
    started_at: HookNumber | None = None
    """Start of a recording in seconds since 1970 UTC; only our own engine sends it."""
    duration: HookNumber | None = None
    """Milliseconds of a recording from our own engine; an SRS sends seconds of HLS."""

    def client(self) -> streams.StreamClient:
        """Return the client that the hook is about."""
        return streams.StreamClient(str(self.client_id), self.ip, self.app, self.stream, self.param)


class RecordingIntake(msgspec.Struct, frozen=True):
    """Source folder, target storage and callback for new recordings."""

    folder: Path
    """Folder of the engine; a file outside of it is refused."""
    storage: Storage
    on_clip_added: Callable[[], None]
    """Called after a clip was added."""


class HookEndpoint:
    """Handles the hooks of one engine."""

    def __init__(
        self,
        store: AsyncStore,
        deps: Dependencies,
        secret: str,
        intake: RecordingIntake,
        engine_id: str,
        push_url: str = "",
    ) -> None:
        """`push_url` is the public base URL for pushing streams."""
        self._push_url = push_url
        self._engine_id = engine_id
        self._store = store
        self._deps = deps
        self._secret = secret
        self._intake = intake
        self._intake_lock = asyncio.Lock()
        self._handlers: dict[str, Callable[[HookRequest], Awaitable[Response]]] = {
            "on_publish": self._on_publish,
            "on_unpublish": self._on_unpublish,
            "on_play": self._on_play,
            "on_dvr": self._on_dvr,
        }

    def routes(self) -> list[Route]:
        """Return the single route of all hooks."""
        return [Route(HOOKS_PATH, self._handle, methods=["POST"])]

    async def _handle(self, request: Request) -> Response:
        if not secrets_equal(request.query_params.get("secret", ""), self._secret):
            security_log.report(
                SecurityEvent.HOOK_REFUSED,
                get_client_address(request.scope),
                reason="the secret is wrong",
            )
            return _reject(HTTPStatus.FORBIDDEN, "the secret is wrong")
        try:
            hook = msgspec.json.decode(await read_body(request, MAX_BODY_BYTES), type=HookRequest)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _reject(
                HTTPStatus.BAD_REQUEST, f"the body must be a hook of SRS in JSON: {error}"
            )
        handler = self._handlers.get(hook.action)
        try:
            # Other hooks of an SRS (on_connect, on_close, on_stop, on_hls) need no action.
            return await handler(hook) if handler is not None else _accept()
        except OperatorError as reason:
            log.info(
                "stream_refused",
                extra={
                    "action": hook.action,
                    "stream": hook.stream,
                    "ip": hook.ip,
                    "reason": str(reason),
                },
            )
            return _reject(HTTPStatus.FORBIDDEN, str(reason))

    async def _on_publish(self, hook: HookRequest) -> Response:
        def transaction(uow: UnitOfWork) -> int:
            streams.start_push(uow, self._deps, hook.client(), self._engine_id, self._push_url)
            return uow.now

        # Our own engine dates its recordings by the clock of the classes.
        return _accept(now=await self._store.write(transaction))

    async def _on_unpublish(self, hook: HookRequest) -> Response:
        await self._store.write(lambda uow: streams.end_push(uow, str(hook.client_id)))
        return _accept()

    async def _on_play(self, hook: HookRequest) -> Response:
        await self._store.read(lambda uow: streams.check_play(uow, self._deps, hook.client()))
        return _accept()

    async def _on_dvr(self, hook: HookRequest) -> Response:
        """Turn a recording into a clip.

        A recording that can never become a clip is logged and stays in its folder. Its bytes are
        not lost, and the engine does not repeat the report.
        """
        source = await asyncio.to_thread(_resolve_source, self._intake.folder, hook)
        try:
            # A large file may take so long that the engine repeats the report before the end.
            async with self._intake_lock:
                await self._ingest(hook, source)
        except (OperatorError, OSError) as reason:
            if isinstance(reason, OSError) and not await self._is_deleted(reason):
                log.exception("recording_intake_failed: the engine reports it again")
                message = f"the recording stays: {reason.strerror}"
                return _reject(HTTPStatus.SERVICE_UNAVAILABLE, message)
            log.error(  # noqa: TRY400  the reason is all there is to say
                "recording_rejected: `homeroom clip add` can make it a clip",
                extra={"file": str(source), "stream": hook.stream, "reason": str(reason)},
            )
        return _accept()

    async def _is_deleted(self, failure: OSError) -> bool:
        """Return True if the file is missing, unless its whole folder is missing (not mounted)."""
        is_missing = isinstance(failure, FileNotFoundError)
        return is_missing and await asyncio.to_thread(self._intake.folder.is_dir)

    async def _ingest(self, hook: HookRequest, source: Path) -> None:
        if source.suffix != RECORDING_SUFFIX:
            raise OperatorError(
                f"a recording must be an MP4: let its name end in {RECORDING_SUFFIX}"
            )
        # The id depends on the path within the folder, since the folder may move between reports.
        file_id = _file_id(str(source.relative_to(self._intake.folder.resolve())))
        if await self._has_clip(hook, file_id):
            # A repeated report, unless another recording has got the same name.
            replacement = await asyncio.to_thread(_identify_replacement, source)
            if replacement is None or await self._has_clip(hook, replacement):
                return
            file_id = replacement
        path = clip_path(file_id)
        size = await asyncio.to_thread(_move, source, self._intake.storage, path)

        def transaction(uow: UnitOfWork) -> None:
            _key, kind = parse_stream_name(hook.stream)
            started_at = int(hook.started_at) if hook.started_at is not None else uow.now
            began = datetime.fromtimestamp(started_at, UTC)
            file = NewClip(
                file_id=file_id,
                path=path,
                name=f"{kind}-{began:%Y%m%dT%H%M%SZ}{RECORDING_SUFFIX}",
                kind=kind,
                started_at=started_at,
                duration_ms=int(hook.duration) if hook.duration is not None else None,
                size=size,
                sha256=None,
                is_finished=False,
                storage=self._intake.storage.id,
            )
            streams.add_recorded_clip(uow, hook.stream, file)

        await self._store.write(transaction)
        self._intake.on_clip_added()

    async def _has_clip(self, hook: HookRequest, file_id: str) -> bool:
        return await self._store.read(lambda uow: streams.has_clip(uow, hook.stream, file_id))


def routes(
    store: AsyncStore,
    deps: Dependencies,
    secret: str,
    intake: RecordingIntake,
    engine_id: str,
    push_url: str,
) -> list[Route]:
    """Return the route of an engine's hooks; `engine_id` is empty for an external engine."""
    return HookEndpoint(store, deps, secret, intake, engine_id, push_url).routes()


def _resolve_source(folder: Path, hook: HookRequest) -> Path:
    """Return the path of a reported file; raises `OperatorError` outside of the engine folder."""
    try:
        file = (Path(hook.cwd) / hook.file).resolve()
        # A missing or unreadable file is handled later; an impossible file name is an error here.
        with suppress(FileNotFoundError, PermissionError):
            file.lstat()
    except (OSError, RuntimeError):  # the name is too long, or symbolic links form a loop
        file = None
    if not hook.file or file is None or not file.is_relative_to(folder.resolve()):
        raise OperatorError("the file is not in the folder of recordings")
    return file


def _move(source: Path, storage: Storage, path: str) -> int:
    """Move a recording into the storage and return its size in bytes; idempotent."""
    try:
        with source.open("rb") as file:
            size = storage.put(path, file)
    except FileNotFoundError:
        stored = storage.size(path)
        if stored is None:
            raise
        return stored
    source.unlink()
    # After a power cut, a repeated report must not find the recording again.
    sync_folder(source.parent)
    return size


def _file_id(text: str) -> str:
    return fingerprint(text)[:FILE_ID_LENGTH]


def _identify_replacement(source: Path) -> str | None:
    """Return the fileId of a new file that reuses a known name; None if there is no file."""
    try:
        facts = source.stat()
    except FileNotFoundError:
        return None
    return _file_id(f"{source} {facts.st_mtime_ns} {facts.st_size}")


def _accept(**more: int) -> Response:
    return json_response({"code": 0, **more})


def _reject(status: HTTPStatus, reason: str) -> Response:
    return json_response({"code": int(status), "msg": reason}, status)
