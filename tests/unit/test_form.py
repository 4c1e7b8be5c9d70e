"""Any bytes are either a form of texts and files, or refused with a reason.

However a form is cut into chunks, it is the same form.
"""

import asyncio
import tempfile
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeroom.base import scratch
from homeroom.base.scratch import Scratch, ScratchFullError
from homeroom.base.text import escape_non_ascii
from homeroom.contract.upload import Upload
from homeroom.partner.wires import urlencoded
from homeroom.partner.wires.form import Form, FormReader
from homeroom.partner.wires.urlencoded import FormError, UrlencodedForm, unescape
from homeroom.web.bodies import BodyStream
from tests.support.raw import BOUNDARY, MULTIPART, multipart


@pytest.fixture(scope="module")
def disk() -> Iterator[Scratch]:
    """Give a scratch folder."""
    with tempfile.TemporaryDirectory() as folder:
        yield Scratch(Path(folder))


async def accept(_fields: Form) -> None:
    """Prove any caller."""


def read(
    content_type: bytes, chunks: Iterable[bytes], disk: Scratch
) -> dict[str, str | tuple[str, bytes]]:
    """Return the fields of a form; of a file its name and content."""
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def run() -> dict[str, str | tuple[str, bytes]]:
        reader = FormReader(BodyStream(receive, b"", 10**8), disk, accept)
        try:
            form = await reader.read(content_type)
            return {
                name: (v.name, v.open().read()) if isinstance(v, Upload) else v
                for name, v in form.items()
            }
        finally:
            await reader.close()

    return asyncio.run(run())


def form_or_empty(content_type: bytes, body: bytes, disk: Scratch) -> dict[str, Any]:
    """Return the fields of a form; no fields for a body that is refused."""
    try:
        return read(content_type, [body], disk)
    except FormError:
        return {}


@given(body=st.binary(), content_type=st.binary())
def test_any_bytes_are_a_form_or_refused(disk: Scratch, body: bytes, content_type: bytes) -> None:
    for kind in (b"", MULTIPART.encode(), content_type, b"multipart/form-data;" + content_type):
        for value in form_or_empty(kind, body, disk).values():
            assert isinstance(value, tuple) or "\0" not in value


PIECES = st.sampled_from(
    (
        f"--{BOUNDARY}".encode(),
        b"--",
        b"\r\n",
        b"\r",
        b"Content-Disposition: form-data",
        b'; name="SID"',
        b"; name*=utf-8''%ff",
        b'; filename="\xff.png"',
        b": ",
        b"\0",
        b"x",
    )
)


@given(pieces=st.lists(PIECES, max_size=30))
def test_any_pieces_of_a_multipart_form_are_one_or_refused(
    disk: Scratch, pieces: list[bytes]
) -> None:
    form_or_empty(MULTIPART.encode(), b"".join(pieces), disk)
    body = f"--{BOUNDARY}\r\n".encode() + b"".join(pieces)
    whole = form_or_empty(MULTIPART.encode(), body, disk)
    try:
        in_chunks = read(MULTIPART.encode(), [f"--{BOUNDARY}\r\n".encode(), *pieces], disk)
    except FormError:
        in_chunks = {}
    assert in_chunks == whole


@given(value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_multipart_carries_any_text(disk: Scratch, value: str) -> None:
    form = read(MULTIPART.encode(), [multipart({"name": value})], disk)
    assert form == {"name": value.strip()}


@given(cuts=st.lists(st.integers(0, 400), max_size=20), size=st.integers(0, 150))
def test_a_form_may_be_cut_anywhere(disk: Scratch, cuts: list[int], size: int) -> None:
    content = (b"\r\n--" + BOUNDARY.encode()[:5] + b"\r\n\r")[:size]
    body = multipart({"a": "1", "b": "\r\n--x\r\n"}, file=content)
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    chunks = [body[start:end] for start, end in pairwise(places)]
    expected = {"a": "1", "b": "--x", "Filedata": ("图.png", content)}
    assert read(MULTIPART.encode(), chunks, disk) == expected


def test_large_files_go_to_disk_and_leave_nothing(disk: Scratch) -> None:
    content = b"\x00\xff" * scratch.MAX_MEMORY_BYTES
    body = multipart({"a": "1"}, file=content)
    chunks = [body[start : start + 50_000] for start in range(0, len(body), 50_000)]
    assert read(MULTIPART.encode(), chunks, disk)["Filedata"] == ("图.png", content)
    assert disk.used_bytes == 0


def test_scratch_files_have_a_budget(disk: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "MAX_UNPROVEN_BYTES", 10**6)
    monkeypatch.setattr(scratch, "MAX_SCRATCH_BYTES", 2 * 10**6)
    stranger, known = disk.create(is_proven=False), disk.create(is_proven=True)
    stranger.write(b"x" * 10**6)
    with pytest.raises(ScratchFullError):
        stranger.write(b"x")
    known.write(b"x" * 10**6)
    with pytest.raises(ScratchFullError):
        known.write(b"x")
    stranger.close()
    known.write(b"x" * 10**6)
    known.close()
    assert disk.used_bytes == 0


def test_scratch_files_have_no_names_and_old_ones_are_removed(tmp_path: Path) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    (folder / "left-by-a-crash").write_bytes(b"x")
    file = Scratch(folder).create(is_proven=True)
    file.write(b"x" * 10**6)
    assert file.is_on_disk
    assert list(folder.iterdir()) == []
    file.close()


@pytest.mark.parametrize("step", [5, urlencoded.STEP_BYTES])
@given(escaped=st.lists(st.sampled_from([b"%", b"4", b"aF", b"=", b"\r\n", b"_ ", b"\xff"])))
def test_unescaping_is_that_of_urllib(step: int, escaped: list[bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(urlencoded, "STEP_BYTES", step)
        assert unescape(b"".join(escaped)) == unquote_to_bytes(b"".join(escaped))


def test_large_urlencoded_forms_are_picked_from() -> None:
    body = b"%41=1&%53ID=+1%30+&x=%" + b"y" * 10**6 + b"&SID=7"
    form = UrlencodedForm(body)
    assert not form.is_small
    assert form.pick({"SID"}) == {"SID": "7"}
    assert form.read()["A"] == "1"
    assert UrlencodedForm(b"%53ID=+1%30+").pick({"SID"}) == {"SID": "10"}


@given(text=st.text())
def test_any_text_becomes_one_that_a_header_can_carry(text: str) -> None:
    header = escape_non_ascii(text)
    assert header.isascii()
    assert header.isprintable()
