"""Bodies before the caller is known: little work, no memory, and dropped as soon as possible.

Case S3, and READINGS Q16: the credentials are in the body, and anywhere in it.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import urlencode

import pytest

from homeroom.base import scratch
from homeroom.base.scratch import Scratch
from homeroom.partner.wires import urlencoded
from homeroom.partner.wires.multipart import MultipartSplitter
from homeroom.partner.wires.urlencoded import FormError, UrlencodedForm
from tests.support.given import Given
from tests.support.pictures import padded, png
from tests.support.raw import (
    BOUNDARY,
    COURSE,
    MULTIPART,
    answer,
    connected,
    head,
    multipart,
    sent,
)

MEBIBYTE: Final = 1024 * 1024
ADD: Final = f"{COURSE}?action=addCourse"
LENGTH: Final = 30 * MEBIBYTE
SLICE_BYTES: Final = 64 * 1024


@pytest.fixture
def disk(given: Given) -> Iterator[Scratch]:
    """Give the scratch folder of the server, which is empty before and after a test."""
    disk = given.house.services.scratch
    wait_until_empty(disk)
    yield disk
    wait_until_empty(disk)
    assert list((given.house.services.settings.data / "scratch").iterdir()) == []


def wait_until_empty(disk: Scratch) -> None:
    """Wait until the server has noticed the end of a connection."""
    until = time.monotonic() + 10
    while disk.used_bytes:
        assert time.monotonic() < until, f"{disk.used_bytes} bytes are left"
        threading.Event().wait(0.005)


def wait_until_used(disk: Scratch, size: int) -> None:
    """Wait until files on disk have so many bytes."""
    until = time.monotonic() + 10
    while disk.used_bytes < size:
        assert time.monotonic() < until, f"only {disk.used_bytes} bytes are on disk"
        threading.Event().wait(0.005)


def begin(fields: dict[str, str]) -> bytes:
    """Write a form up to the first bytes of its file."""
    return multipart(fields, file=b"")[: -len(f"\r\n--{BOUNDARY}--\r\n")]


def finish(fields: dict[str, str]) -> bytes:
    """Write the rest of a form behind the bytes of its file."""
    return b"\r\n" + multipart(fields)


def test_wrong_credentials_before_a_file_are_refused_before_the_file_is_read(
    given: Given, disk: Scratch
) -> None:
    form = {**given.api.signed(courseName="Course"), "safeKey": "0" * 32}
    with connected(given.house.url) as peer:
        peer.sendall(head(ADD, LENGTH, content_type=MULTIPART) + begin(form))
        assert answer(peer).errno == 102
    assert disk.used_bytes == 0


def test_right_credentials_before_a_file(given: Given, disk: Scratch) -> None:
    form = given.api.signed(courseName="Course")
    body = begin(form) + padded(png(), 3 * MEBIBYTE) + finish({})
    with connected(given.house.url) as peer:
        peer.sendall(head(ADD, len(body), content_type=MULTIPART) + body[: 2 * MEBIBYTE])
        wait_until_used(disk, MEBIBYTE)
        peer.sendall(body[2 * MEBIBYTE :])
        assert answer(peer).errno == 1


@pytest.mark.parametrize("safe_key", ["", "0" * 32])
def test_a_file_before_the_credentials_waits_on_disk(
    given: Given, disk: Scratch, safe_key: str
) -> None:
    form = given.api.signed(courseName="Course")
    if safe_key:
        form["safeKey"] = safe_key
    body = begin({}) + padded(png(), 3 * MEBIBYTE) + finish(form)
    with connected(given.house.url) as peer:
        peer.sendall(head(ADD, len(body), content_type=MULTIPART) + body[: 2 * MEBIBYTE])
        wait_until_used(disk, MEBIBYTE)
        peer.sendall(body[2 * MEBIBYTE :])
        assert answer(peer).errno == (102 if safe_key else 1)


def test_credentials_that_change_behind_a_file_are_checked_again(
    given: Given, disk: Scratch
) -> None:
    form = given.api.signed(courseName="Course")
    body = begin(form) + padded(png(), 2 * MEBIBYTE) + finish({"safeKey": "0" * 32})
    assert sent(given.house.url, body, ADD, content_type=MULTIPART).errno == 102
    assert disk.used_bytes == 0


def test_a_file_whose_connection_ends_is_dropped(given: Given, disk: Scratch) -> None:
    form = given.api.signed(courseName="Course")
    with connected(given.house.url) as peer:
        peer.sendall(head(ADD, LENGTH, content_type=MULTIPART) + begin(form))
        peer.sendall(b"x" * MEBIBYTE)
        wait_until_used(disk, MEBIBYTE // 2)


@pytest.mark.usefixtures("disk")
def test_files_without_credentials_have_a_budget(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "MAX_UNPROVEN_BYTES", MEBIBYTE)
    with connected(given.house.url) as peer:
        peer.sendall(head(ADD, LENGTH, content_type=MULTIPART) + begin({}))
        with suppress(ConnectionError):
            peer.sendall(b"x" * 2 * MEBIBYTE)
        reply = answer(peer)
    assert (reply.status, reply.errno) == (503, 114)
    assert int(reply.headers["retry-after"]) > 0
    form = given.api.signed(courseName="Course")
    parts = multipart(form, file=padded(png(), 2 * MEBIBYTE))
    assert sent(given.house.url, parts, ADD, content_type=MULTIPART).errno == 1


def test_a_disk_that_is_full_is_no_failure_of_the_server(
    given: Given, disk: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "open_file", fail)
    form = given.api.signed(courseName="Course")
    parts = multipart(form, file=padded(png(), 2 * MEBIBYTE))
    reply = sent(given.house.url, parts, ADD, content_type=MULTIPART)
    assert (reply.status, reply.errno) == (503, 114)
    assert reply.reason == "the file cannot be stored: no space left on device"


def test_texts_of_a_multipart_form_are_no_larger_than_other_forms(
    given: Given, disk: Scratch
) -> None:
    parts = multipart({"x": "y" * 2 * MEBIBYTE, **given.api.signed(courseName="Course")})
    assert sent(given.house.url, parts, ADD, content_type=MULTIPART).status == 413
    assert disk.used_bytes == 0


@pytest.mark.parametrize("at_the_end", [True, False])
def test_credentials_may_be_anywhere_in_a_form_of_a_mebibyte(
    given: Given, *, at_the_end: bool
) -> None:
    signed = urlencode(given.api.signed(courseName="Course")).encode()
    long = b"x=" + b"%41" * ((MEBIBYTE - len(signed) - 30) // 3)
    body = long + b"&" + signed if at_the_end else signed + b"&" + long
    assert sent(given.house.url, body, ADD).errno == 1
    assert sent(given.house.url, body + b"&safeKey=0", ADD).errno == 102


def test_credentials_of_the_query_do_not_count(given: Given) -> None:
    signed = urlencode(given.api.signed())
    reply = sent(given.house.url, b"courseName=Course", f"{ADD}&{signed}")
    assert (reply.errno, reply.reason) == (100, "SID: is missing or empty")


def test_a_large_form_is_unescaped_only_for_a_caller_who_is_known(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    unescaped = []
    plain = urlencoded.unescape

    def record(escaped: bytes) -> bytes:
        unescaped.append(len(escaped))
        return plain(escaped)

    monkeypatch.setattr(urlencoded, "unescape", record)
    body = b"a=" + b"%41" * 300_000
    assert sent(given.house.url, body, ADD).errno == 100
    assert sum(unescaped) < SLICE_BYTES
    signed = urlencode(given.api.signed(courseName="Course")).encode()
    assert sent(given.house.url, body + b"&" + signed, ADD).errno == 1
    assert sum(unescaped) > 900_000


PART: Final = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
HOSTILE_FORMS: Final = {
    "escapes": b"a=" + b"%41" * 349_000,
    "escaped name": b"%41" * 349_000 + b"=1",
    "escaped SID": b"SID=" + b"%41" * 349_000,
    "percents": b"%" * MEBIBYTE,
    "ampersands": b"&" * MEBIBYTE,
    "fields": b"a&" * (MEBIBYTE // 2),
    "equals": b"=" * MEBIBYTE,
    "pluses": b"+" * MEBIBYTE,
    "brackets": b"userJson=" + b"[" * MEBIBYTE,
}
HOSTILE_PARTS: Final = {
    "parts": b"--b\r\n\r\n" * (MEBIBYTE // 7),
    "named parts": (PART + b"\r\n") * (MEBIBYTE // 50),
    "boundaries": PART + b"\r\n--bX" * (MEBIBYTE // 6),
    "dashes": PART + b"--b" * (MEBIBYTE // 3),
    "line ends": PART + b"\r" * MEBIBYTE,
    "empty lines": b"\r\n" * (MEBIBYTE // 2),
    "options": (b"--b\r\nContent-Disposition: form-data" + b";" * 4000 + b"\r\n\r\n\r\n") * 260,
    "blanks": (b"--b\r\nx:" + b" " * 4000 + b"\r\n\r\n\r\n") * 260,
}
MAX_SECONDS: Final = 0.06
"""The old parsers took 0.25 to 1.5 s for each of these; the new ones 10 ms at most when idle."""


@pytest.mark.parametrize("body", HOSTILE_FORMS.values(), ids=HOSTILE_FORMS)
def test_a_hostile_form_costs_little_before_the_caller_is_known(body: bytes) -> None:
    began = time.thread_time()
    with suppress(FormError):
        UrlencodedForm(body).pick({"SID", "safeKey", "timeStamp", "action"})
    assert time.thread_time() - began < MAX_SECONDS


@pytest.mark.parametrize("body", HOSTILE_PARTS.values(), ids=HOSTILE_PARTS)
def test_hostile_parts_cost_little_before_the_caller_is_known(body: bytes) -> None:
    splitter = MultipartSplitter(b"b")
    began = time.thread_time()
    with suppress(FormError):
        for start in range(0, len(body), SLICE_BYTES):
            list(splitter.feed(body[start : start + SLICE_BYTES]))
    assert time.thread_time() - began < MAX_SECONDS


def test_a_hostile_content_type_costs_little(given: Given) -> None:
    kind = "multipart/form-data" + ";" * 50_000
    began = time.thread_time()
    reply = sent(given.house.url, b"x", ADD, content_type=kind)
    assert time.thread_time() - began < 1
    assert (reply.status, reply.errno) == (200, 100)


def test_scratch_folder_is_private(given: Given) -> None:
    folder = given.house.services.settings.data / "scratch"
    assert folder.stat().st_mode & 0o077 == 0
