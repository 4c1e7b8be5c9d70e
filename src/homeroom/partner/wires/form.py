"""Forms of the v1 wire, in either encoding, read as they arrive and proven as soon as possible."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from homeroom.base.scratch import Scratch, ScratchFile, ScratchFullError
from homeroom.contract.upload import LargeUpload, Upload
from homeroom.domain.refusal import OverloadedError
from homeroom.partner.wires.multipart import MultipartSplitter, PartEvent, PartHead, parse_options
from homeroom.partner.wires.urlencoded import FormError, UrlencodedForm
from homeroom.web.bodies import BodyStream, BodyTooLargeError

MAX_FORM_BYTES = 1024 * 1024
"""Bytes of a form without its files."""
CREDENTIALS = ("SID", "safeKey", "timeStamp")
HEAD_FIELDS = frozenset({*CREDENTIALS, "action"})
"""Fields that are read before the others."""
RETRY_AFTER_SECONDS = 10
URLENCODED = b"application/x-www-form-urlencoded"
MULTIPART = b"multipart/form-data"

Form = dict[str, str | Upload]
Prove = Callable[[Form], Awaitable[None]]
"""Refuses fields with wrong credentials, or without any."""
BeginFile = Callable[[Form], Awaitable[LargeUpload | None]]
"""Returns what the action says of a large file, or refuses the fields that come before it."""


async def begin_small_file(_fields: Form) -> None:
    """Let a file be as large as its form may be."""


class FormReader:
    """Reads the form of one request; its files end with `close`.

    The caller is proven as soon as the credentials have come, and only then is the rest of a large
    form taken. Credentials behind a file are too late for that: the file waits in the scratch
    folder until they come.
    """

    def __init__(
        self,
        stream: BodyStream,
        scratch: Scratch,
        prove: Prove,
        begin_file: BeginFile = begin_small_file,
    ) -> None:
        self.fields: Form = {}
        """The fields as far as they are read."""
        self.before_file: Form | None = None
        """The fields that came before the first file."""
        self._stream = stream
        self._scratch = scratch
        self._prove = prove
        self._begin_file = begin_file
        self._proven: tuple[str | Upload | None, ...] = ()
        self._files: list[ScratchFile] = []

    async def read(self, content_type: bytes) -> Form:
        """Return the fields of a form whose caller is proven.

        Names and values lose the spaces around them; of a repeated name the last value counts.
        Raises `FormError`, `BodyError`, `OverloadedError` and what `prove` raises.
        """
        kind, options = parse_options(content_type)
        if kind == MULTIPART:
            await self._read_multipart(options.get(b"boundary", b""))
        elif kind in (URLENCODED, b""):
            await self._read_urlencoded()
        else:
            raise FormError(f"send a form: {URLENCODED.decode()} or {MULTIPART.decode()}")
        return self.fields

    async def close(self) -> None:
        """Drop the files."""
        for file in self._files:
            if file.is_on_disk:
                await asyncio.to_thread(file.close)

    async def _check_caller(self) -> None:
        """Prove the caller, unless the same credentials were proven before."""
        credentials = tuple(self.fields.get(name) for name in CREDENTIALS)
        if credentials != self._proven:
            await self._prove(self.fields)
            self._proven = credentials

    async def _read_urlencoded(self) -> None:
        form = UrlencodedForm(await self._stream.read_all())
        if form.is_small:
            self.fields.update(form.read())
            await self._prove(self.fields)
        else:
            self.fields = {**form.pick(HEAD_FIELDS)}
            await self._check_caller()
            self.fields = {**await asyncio.to_thread(form.read)}
            await self._check_caller()

    async def _read_multipart(self, boundary: bytes) -> None:
        parts = _PartCollector(self, MultipartSplitter(boundary))
        is_too_large = False
        try:
            while not self._stream.is_complete:
                await parts.add(await self._stream.read())
        except BodyTooLargeError:
            if not parts.is_in_large_file:
                raise
            is_too_large = True
        parts.finish(is_too_large=is_too_large)
        await self._check_caller()

    @property
    def is_large(self) -> bool:
        """Tell whether more has come than a form without files may have."""
        return self._stream.size > MAX_FORM_BYTES

    async def check_early(self) -> bool:
        """Prove the caller if all credentials have come; tells whether they have."""
        if not all(self.fields.get(name) for name in CREDENTIALS):
            return False
        await self._check_caller()
        return True

    async def create_file(self) -> tuple[ScratchFile, LargeUpload | None]:
        """Return a new file that ends with the form, and what the action says of a large one."""
        if self.before_file is None:
            self.before_file = dict(self.fields)
        is_proven = await self.check_early()
        large = await self._begin_file(self.fields)
        if large is not None:
            self._stream.limit = large.max_body_bytes
        file = self._scratch.create(
            is_proven=is_proven, max_bytes=large.max_bytes if large is not None else None
        )
        self._files.append(file)
        return file, large


class _PartCollector:
    """Collects the parts of a multipart form: texts in memory, files in scratch files."""

    def __init__(self, form: FormReader, splitter: MultipartSplitter) -> None:
        self._form = form
        self._splitter = splitter
        self._head = PartHead("", None)
        self._texts: list[bytes] = []
        self._text_bytes = 0
        self._file: ScratchFile | None = None
        self._large: LargeUpload | None = None

    @property
    def is_in_large_file(self) -> bool:
        """Tell whether the part that is being read is a file whose size its action judges."""
        return self._file is not None and self._large is not None

    async def add(self, chunk: bytes) -> None:
        """Take the next chunk of the body."""
        if self._form.is_large:
            await self._form.check_early()
        for event in self._splitter.feed(chunk):
            await self._handle(event)

    def finish(self, *, is_too_large: bool) -> None:
        """Refuse a form that ended before its last boundary, but for one that did in a large file.

        The action has errnos for that: the body ended there, or had too many bytes.
        """
        if self._splitter.is_complete:
            return
        if self._file is None or self._large is None:
            raise FormError("the multipart form ends too early")
        upload = self._make_upload(self._file)
        self._form.fields[self._head.name] = msgspec.structs.replace(
            upload, is_complete=False, is_too_large=upload.is_too_large or is_too_large
        )

    async def _handle(self, event: PartEvent) -> None:
        if isinstance(event, PartHead):
            self._head, self._texts = event, []
            self._file = self._large = None
            if event.file_name is not None:
                self._file, self._large = await self._form.create_file()
        elif event is None:
            self._form.fields[self._head.name] = self._finish_part()
            self._file = None
        elif self._file is not None:
            await _write(self._file, event)
        else:
            self._text_bytes += len(event)
            if self._text_bytes > MAX_FORM_BYTES:
                raise BodyTooLargeError
            self._texts.append(event)

    def _finish_part(self) -> str | Upload:
        """Return the value of the part that is complete."""
        if self._file is not None:
            return self._make_upload(self._file)
        try:
            text = b"".join(self._texts).decode()
        except UnicodeDecodeError:
            raise FormError("the form is not UTF-8") from None
        if "\0" in text:
            raise FormError("a form must not contain NUL")
        return text.strip()

    def _make_upload(self, file: ScratchFile) -> Upload:
        name = self._head.file_name or ""
        return Upload(name, file.file, file.size, file.sha256, is_too_large=file.is_too_large)


async def _write(file: ScratchFile, data: bytes) -> None:
    """Add bytes to a file; raises `OverloadedError` where there is no room."""
    try:
        if file.fits_memory(len(data)):
            file.write(data)
        else:
            await asyncio.to_thread(file.write, data)
    except ScratchFullError as error:
        raise OverloadedError(RETRY_AFTER_SECONDS, str(error)) from None
    except OSError as error:
        reason = f"the file cannot be stored: {(error.strerror or 'error').lower()}"
        raise OverloadedError(RETRY_AFTER_SECONDS, reason) from error
