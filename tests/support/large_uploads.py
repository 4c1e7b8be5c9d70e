"""Uploads to the drive for tests: a small limit in the place of 500 MB, and forms byte for byte."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from homeroom.contract.files import UPLOAD_FILE
from tests.support.given import Given
from tests.support.raw import BOUNDARY, MULTIPART, multipart
from tests.support.wire import Reply, Value

END = f"\r\n--{BOUNDARY}--\r\n".encode()


@contextmanager
def limited_uploads(size: int) -> Iterator[None]:
    """Let uploadFile of servers of this process take files of at most so many bytes."""
    large = UPLOAD_FILE.v1.large_upload
    assert large is not None
    usual = large.max_bytes
    msgspec.structs.force_setattr(large, "max_bytes", size)
    try:
        yield
    finally:
        msgspec.structs.force_setattr(large, "max_bytes", usual)


def upload_form(fields: dict[str, str], content: bytes, *, is_whole: bool = True) -> bytes:
    """Write the form of an upload; one that is not whole ends inside the file."""
    form = multipart(fields, file=content)
    return form if is_whole else form.removesuffix(END)


def upload_raw(given: Given, content: bytes, *, is_whole: bool = True, **fields: Value) -> Reply:
    """Call uploadFile with a form that this module writes."""
    form = upload_form(given.api.signed(**fields), content, is_whole=is_whole)
    return given.api.post("uploadFile", content=form, headers={"content-type": MULTIPART})
