"""The order of the first checks: size and shape, then the caller, then the action."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from urllib.parse import quote, urlencode

import pytest

from homeroom.base.clock import HOUR
from homeroom.base.ids import SchoolId
from homeroom.base.keys import md5_hex
from homeroom.contract.action import APIPath
from homeroom.contract.catalogue import WITHDRAWN
from homeroom.web import http
from tests.support.given import Given
from tests.support.pictures import padded, png
from tests.support.raw import COURSE, FORM, MULTIPART, answer, connected, head, multipart, sent
from tests.support.wire import Reply

MEBIBYTE: Final = 1024 * 1024
ADD: Final = f"{COURSE}?action=addCourse"
SUB: Final = f"{COURSE}?action=delCourseStudentMultiple"


@pytest.fixture(autouse=True)
def _no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail a test after which the log holds a traceback."""
    yield
    records = [record for when in ("setup", "call") for record in caplog.get_records(when)]
    assert not [record.getMessage() for record in records if record.exc_info]


def brief(value: object) -> str:
    """Return a name for a test of something long."""
    return repr(value)[:24]


def signed(given: Given, **changes: str | None) -> bytes:
    """Return a form of addCourse with other credentials than the right ones, or without."""
    form = {**given.api.signed(courseName="Course"), **changes}
    return urlencode({name: value for name, value in form.items() if value is not None}).encode()


# --- size -----------------------------------------------------------------------------------------


def test_a_head_without_an_end_is_refused(given: Given) -> None:
    with connected(given.house.url) as peer:
        peer.sendall(b"POST / HTTP/1.1\r\n")
        with suppress(ConnectionError):
            for _ in range(100):
                peer.sendall(b"x-more: " + b"a" * 8000 + b"\r\n")
        try:
            said = peer.recv(100)
        except ConnectionError:
            said = b""
    assert said[:12] in (b"", b"HTTP/1.1 400")


def test_a_head_that_takes_too_long_ends_the_connection(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "HEADER_TIMEOUT_SECONDS", 0.05)
    with connected(given.house.url) as silent, connected(given.house.url) as slow:
        slow.sendall(b"POST /healthz HTTP/1.1\r\nhost: school\r\n")
        assert silent.recv(1) == slow.recv(1) == b""
    assert sent(given.house.url, signed(given), ADD).errno == 1


def refused_by_size(given: Given, length: int, kind: str, target: str) -> Reply:
    """Announce a body, send none of it, and return the answer."""
    with connected(given.house.url) as peer:
        peer.sendall(head(target, length, content_type=kind))
        return answer(peer)


@pytest.mark.parametrize(
    ("length", "kind", "target"),
    [
        (MEBIBYTE + 1, FORM, ADD),
        (MEBIBYTE + 1, FORM, COURSE),
        (MEBIBYTE + 1, FORM, f"{COURSE}?action=register"),
        (MEBIBYTE + 1, MULTIPART, f"{COURSE}?action=addCourseClass"),
        (32 * MEBIBYTE + 1, MULTIPART, f"{COURSE}?action=register"),
        (32 * MEBIBYTE + 1, MULTIPART, COURSE),
        (10**15, MULTIPART, ADD),
    ],
)
def test_body_that_is_too_large_is_not_even_read(
    given: Given, length: int, kind: str, target: str
) -> None:
    reply = refused_by_size(given, length, kind, target)
    assert (reply.status, reply.errno) == (413, 100)
    assert reply.reason == "the body is too large"
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert "retry-after" not in reply.headers


def test_body_of_no_announced_length_is_cut_off(given: Given) -> None:
    with connected(given.house.url) as peer:
        peer.sendall(head(ADD, None, transfer_encoding="chunked"))
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(17):  # 16 of these are a mebibyte; the end is never sent
            peer.sendall(chunk)
        assert answer(peer).status == 413


def test_body_in_pieces_is_one_body(given: Given) -> None:
    body = signed(given)
    with connected(given.house.url) as peer:
        peer.sendall(head(ADD, None, transfer_encoding="chunked"))
        for byte in body:
            peer.sendall(b"1\r\n" + bytes([byte]) + b"\r\n")
        peer.sendall(b"0\r\n\r\n")
        assert answer(peer).errno == 1


def test_largest_form_is_read(given: Given) -> None:
    body = signed(given)
    body += b"&x=" + b"y" * (MEBIBYTE - len(body) - 3)
    assert sent(given.house.url, body, ADD).errno == 1


def test_file_may_be_larger_than_a_form(given: Given) -> None:
    file = padded(png(), 2 * MEBIBYTE)
    form = given.api.signed(courseName="Course")
    parts = multipart(form, file=file)
    assert sent(given.house.url, parts, ADD, content_type=MULTIPART).errno == 1
    parts = multipart({**form, "action": "addCourse"}, file=file)
    assert sent(given.house.url, parts, content_type=MULTIPART).errno == 1
    parts = multipart({**form, "action": "addCourseClass"}, file=file)
    assert sent(given.house.url, parts, content_type=MULTIPART).status == 413


def test_connection_goes_on_after_a_body_that_was_too_large(given: Given) -> None:
    too_large, body = b"x" * (2 * MEBIBYTE), signed(given)
    with connected(given.house.url) as peer:
        peer.sendall(head(ADD, len(too_large)) + too_large)
        assert answer(peer).status == 413
        peer.sendall(head(ADD, len(body)) + body)
        assert answer(peer).errno == 1


# --- shape ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(given: Given, method: str) -> None:
    reply = sent(given.house.url, signed(given), ADD, method)
    assert (reply.status, reply.errno, reply.reason) == (200, 100, "use POST")


@pytest.mark.parametrize(
    ("kind", "body", "word"),
    [
        ("application/json", b"{}", "send a form"),
        ("text/plain", b"SID=1", "send a form"),
        (FORM, b"SID=\xff\xfe", "UTF-8"),
        (FORM, b"SID=%ff", "UTF-8"),
        (FORM, b"SID=%ED%A0%80", "UTF-8"),
        (FORM, b"SID=1\x00", "NUL"),
        (FORM, b"SID=1%00", "NUL"),
        (FORM, b"%00=1", "NUL"),
        (FORM, b"&".join(b"f%d=1" % place for place in range(201)), "at most 200 fields"),
        (MULTIPART, b"", "ends too early"),
        (MULTIPART, b"nonsense", "broken"),
        (MULTIPART, multipart({"SID": "1"})[:-20], "ends too early"),
        (MULTIPART, multipart({"SID": b"\xff"}), "UTF-8"),
        (MULTIPART, multipart({"SID": b"\x00"}), "NUL"),
        (MULTIPART, multipart({"SI\0D": "1"}), "NUL"),
        (MULTIPART, multipart({f"f{place}": "" for place in range(201)}), "at most 200 fields"),
        (MULTIPART, multipart([("SID", "1")] * 10_000), "at most 200 fields"),
        (MULTIPART, multipart({"SID": "1"}, more="X: y\r\n" * 50), "broken"),
        ("multipart/form-data", multipart({"SID": "1"}), "no boundary"),
        ("multipart/form-data; boundary=", multipart({"SID": "1"}), "no boundary"),
        ("multipart/form-data; boundary=" + "b" * 5000, b"x", "broken"),
        ("multipart/form-data; boundary*=utf-9''%ff", multipart({"SID": "1"}), "boundary"),
        ("multipart/mixed; boundary=x", b"", "send a form"),
    ],
    ids=brief,
)
def test_what_is_no_form_is_refused_before_anybody_is_asked_for(
    given: Given, kind: str, body: bytes, word: str
) -> None:
    began = time.perf_counter()
    reply = sent(given.house.url, body, ADD, content_type=kind)
    assert time.perf_counter() - began < 1
    assert (reply.status, reply.errno) == (200, 100)
    assert word in reply.reason, reply.reason


def test_two_hundred_fields_are_read(given: Given) -> None:
    more = b"".join(b"&f%d=1" % place for place in range(196))
    assert sent(given.house.url, signed(given) + more + b"&", ADD).errno == 1
    assert sent(given.house.url, signed(given) + more + b"&f=1", ADD).errno == 100


@pytest.mark.parametrize(
    ("spelled", "errno"),
    [
        (json.dumps(list(range(1, 1002))), 100),
        ("[" * 9 + "1" + "]" * 9, 100),
        ("[" * 300_000, 100),
        ("[" + '{"a":' * 40_000, 100),
        ('["\\u0000"]', 100),
        ('[{"\\u0000": 1}]', 100),
        ('["\\ud800"]', 155),
        ('["\\udc00\\ud800"]', 155),
        (f"[{10**30}]", 1),
        (f"[{'9' * 5000}]", 1),
        ("[1e999]", 1),
        ("[NaN]", 1),
        ('[-1, 0, 1.5, true, null, {}, [], "", "x"]', 1),
        ("[" + " " * 200_000 + "x", 155),
        ("[" + "," * 200_000 + "]", 155),
        ("[" + "'" * 200_000 + "]", 155),
        ("['" + "a" * 200_000 + "']", 1),
    ],
    ids=brief,
)
def test_lists_that_are_no_lists_of_the_api(given: Given, spelled: str, errno: int) -> None:
    began = time.perf_counter()
    form = given.api.signed(courseId=given.course(), identity=1, studentUidJson=spelled)
    reply = sent(given.house.url, urlencode(form).encode(), SUB)
    assert time.perf_counter() - began < 2
    assert (reply.status, reply.errno) == (200, errno), reply.reason
    assert set(reply.errnos if errno == 1 else ()) <= {100, 162, 400}


@pytest.mark.parametrize(
    "value",
    ["1" * 5000, "-" * 20, "१२३", "1_0", "+1", "1.0", "0x1", "9" * 18, "-1", "\uff11"],
    ids=brief,
)
def test_numbers_that_are_none(given: Given, value: str) -> None:
    form = given.api.signed(courseId=value, classId=value)
    body = urlencode(form).encode()
    reply = sent(given.house.url, body, f"{COURSE}?action=delCourseClass")
    assert reply.errno in {100, 144}


def test_a_bad_entry_comes_back_as_it_was(given: Given) -> None:
    spelled = f'[{{"CourseId": {10**30}}}, {{"CourseId": 1e308}}, {{"CourseId": "x"}}, 7, {{}}]'
    reply = given.api.call("addCourseLabels", CourseList=spelled)
    assert (reply.status, reply.errno) == (200, 1)
    assert len(reply.errnos) == 5
    assert 1 not in reply.errnos


# --- who calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SID", "safeKey", "timeStamp"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_missing_credentials(given: Given, name: str, value: str | None) -> None:
    reply = sent(given.house.url, signed(given, **{name: value}), ADD)
    assert (reply.errno, reply.reason) == (100, f"{name}: is missing or empty")


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("SID", "x", "SID must be a number"),
        ("SID", "-1", "SID must be a number"),
        ("SID", "9" * 19, "SID must be a number"),
        ("SID", "999999999", "no school has the SID 999999999"),
        ("SID", "9" * 18, "no school has the SID"),
        ("safeKey", "0" * 32, "safeKey is not md5"),
        ("safeKey", "x", "safeKey is not md5"),
        ("safeKey", "密" * 32, "safeKey is not md5"),
        ("timeStamp", "now", "must be digits"),
        ("timeStamp", "1.5", "must be digits"),
        ("timeStamp", "-5", "must be digits"),
        ("timeStamp", "\uff11" * 10, "must be digits"),
        ("timeStamp", "9" * 19, "must be digits"),
        ("timeStamp", "0", "behind the server's clock"),
    ],
)
def test_wrong_credentials(given: Given, name: str, value: str, word: str) -> None:
    reply = sent(given.house.url, signed(given, **{name: value}), ADD)
    assert reply.errno == 102
    assert word in reply.reason


def at(given: Given, stamp: str) -> Reply:
    """Call with a timeStamp, rightly signed."""
    key = md5_hex(given.school.secret + stamp)
    return sent(given.house.url, signed(given, timeStamp=stamp, safeKey=key), ADD)


@pytest.mark.parametrize("skew", [-1200, 0, 1200])
def test_time_stamp_within_twenty_minutes(given: Given, skew: int) -> None:
    assert at(given, str(given.now + skew)).errno == 1


@pytest.mark.parametrize(
    ("skew", "word"),
    [(-1201, "1201 s behind"), (1201, "1201 s ahead of"), (-HOUR, "3600 s behind")],
)
def test_time_stamp_further_off_is_told_by_how_much(given: Given, skew: int, word: str) -> None:
    reply = at(given, str(given.now + skew))
    assert reply.errno == 102
    assert word in reply.reason


def test_time_stamp_in_milliseconds(given: Given) -> None:
    reply = at(given, str(given.now * 1000))
    assert reply.errno == 102
    assert "milliseconds" in reply.reason


def test_safe_key_is_lower_case(given: Given) -> None:
    stamp = str(given.now)
    key = md5_hex(given.school.secret + stamp).upper()
    assert sent(given.house.url, signed(given, timeStamp=stamp, safeKey=key), ADD).errno == 102


def test_school_may_have_two_secrets(given: Given) -> None:
    sid, old = SchoolId(given.school.id), given.school.secret

    def rotate(new: str, former: str | None) -> None:
        given.store.write(lambda uow: uow.schools.save_secrets(sid, new, former))
        given.house.forget_credentials()

    rotate("n" * 40, old)
    assert given.api.call("addCourse", courseName="Course").errno == 1
    given.api.secret = "n" * 40
    assert given.api.call("addCourse", courseName="Course").errno == 1
    rotate("n" * 40, None)
    assert given.api.call("addCourse", courseName="Course").errno == 1
    given.api.secret = old
    assert given.api.call("addCourse", courseName="Course").errno == 102


def test_suspended_school(given: Given) -> None:
    given.plan(suspended=True)
    reply = given.api.call("addCourse", courseName="Course")
    assert (reply.errno, reply.reason) == (102, "the school is suspended")
    given.plan(suspended=False)
    assert given.api.call("addCourse", courseName="Course").errno == 1


def test_maintenance_that_blocks(given: Given) -> None:
    authenticator = given.house.services.authenticator
    window = given.store.write(
        lambda uow: uow.maintenance.add(given.now, given.now + 1, blocks=True)
    )
    authenticator.forget()
    try:
        assert given.api.call("addCourse", courseName="Course").errno == 901
        assert given.api.post("addCourse", data={**given.api.signed(), "safeKey": "x"}).errno == 102
        assert given.api.call("noSuchAction").errno == 901
    finally:
        given.store.write(lambda uow: uow.maintenance.delete(window))
        authenticator.forget()
    assert given.api.call("addCourse", courseName="Course").errno == 1


# --- what for -------------------------------------------------------------------------------------


def called(given: Given, path: APIPath, action: str, **changes: str | None) -> Reply:
    """Call an action by its name, with the right credentials unless changed."""
    return sent(given.house.url, signed(given, **changes), f"{path}?action={quote(action)}")


@pytest.mark.parametrize("path", APIPath)
@pytest.mark.parametrize(
    "action", ["noSuchAction", "ADDCOURSE", "addCourse2", "x" * 9999, "代"], ids=brief
)
def test_name_that_nobody_knows(given: Given, path: APIPath, action: str) -> None:
    reply = called(given, path, action)
    assert reply.errno == 100
    assert reply.reason.startswith("action: there is none named")
    assert called(given, path, action, safeKey="0" * 32).errno == 102


def test_no_name_at_all(given: Given) -> None:
    for target in (COURSE, f"{COURSE}?action=", f"{COURSE}?action", f"{COURSE}?x=%ff%00"):
        reply = sent(given.house.url, signed(given), target)
        assert reply.errno == 100
        assert reply.reason.startswith("action")


@pytest.mark.parametrize("action", sorted(WITHDRAWN))
def test_action_that_was_withdrawn(given: Given, action: str) -> None:
    reply = called(given, APIPath.COURSE, action)
    assert (reply.errno, reply.reason) == (102, f"action {action} was withdrawn from the API")
