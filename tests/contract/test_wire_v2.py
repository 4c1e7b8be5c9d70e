"""The v2 wire: what is understood, who may call, and what every answer looks like."""

import json
from contextlib import suppress
from typing import Any, Final

import httpx
import pytest

from homeroom.base.ids import SchoolId
from homeroom.domain.refusal import OverloadedError
from homeroom.testing.sandbox import SandboxClient
from homeroom.usecases import school_conf
from tests.support.given import Given
from tests.support.raw import sent
from tests.support.signers import SIGNERS, Body, Signer
from tests.support.wire import Reply

CONF: Final = "/school/modifySchoolConf"
ON: Final = b'{"allowViewReplay":1}'


def post(
    given: Given,
    content: bytes = ON,
    path: str = CONF,
    method: str = "POST",
    **changes: str | None,
) -> Reply:
    """Send a body, signed unless headers are changed or, with None, left out."""
    headers: dict[str, Any] = {}
    with suppress(ValueError):
        headers = {**given.api.sign(content)}
    for name, value in changes.items():
        headers[name.replace("_", "-")] = value
    kept = {name: value for name, value in headers.items() if value is not None}
    return sent(given.house.url, content, path, method, **kept)


# --- bodies ---------------------------------------------------------------------------------------


def test_the_envelope(given: Given) -> None:
    done = post(given)
    assert done.body == {"code": 1, "msg": "程序正常执行", "data": {}}
    assert done.headers["content-type"] == "application/json; charset=utf-8"
    refused = post(given, b"{}")
    assert refused.body == {"code": 121601030, "msg": "缺少必传参数", "data": None}
    assert "must be given" in refused.reason
    ignored = post(given, b'{"allowViewreplay":1,"x":2}').headers["x-homeroom-ignored"]
    assert ignored == "allowViewreplay (allowViewReplay), x"
    assert refused.headers["x-request-id"] != done.headers["x-request-id"]


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"{", b'{"a":"\\ud800"}', b"\xef\xbb\xbf{}"])
def test_bodies_that_are_no_object(given: Given, body: bytes) -> None:
    reply = post(given, body)
    assert (reply.status, reply.errno, reply.data) == (200, 101001001, None)
    # The shape is checked before the headers.
    assert post(given, body, X_EEO_TS=None, X_EEO_SIGN="x").errno == 101001001


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_other_methods(given: Given, method: str) -> None:
    reply = post(given, method=method)
    assert (reply.status, reply.errno, reply.reason) == (200, 101001001, "use POST")


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_the_body_decides_and_not_its_content_type(given: Given, content_type: str | None) -> None:
    assert post(given, Content_Type=content_type or "").errno == 1


def test_a_body_over_its_limit(given: Given) -> None:
    body = b'{"x":"' + b"x" * (1024 * 1024) + b'"}'
    reply = post(given, body)
    assert (reply.status, reply.errno, reply.data) == (413, 101001001, None)
    fits = b'{"allowViewReplay":1,"x":"' + b"x" * (1024 * 1024 - 28) + b'"}'
    assert len(fits) == 1024 * 1024
    assert post(given, fits).errno == 1


def test_the_last_of_a_key_sent_twice_counts(given: Given) -> None:
    body = b'{"allowViewReplay":2,"allowViewReplay":0}'
    assert post(given, body).errno == 1


def test_a_nul_in_a_text(given: Given) -> None:
    reply = post(given, b'{"allowViewReplay":1,"x":"a\\u0000"}')
    assert (reply.errno, reply.reason) == (121601020, "x: must not contain NUL")


def test_sid_in_the_body_does_not_count(given: Given) -> None:
    assert post(given, b'{"sid":1,"timeStamp":2,"allowViewReplay":1}').errno == 1


# --- who calls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", SIGNERS.values(), ids=SIGNERS)
def test_every_published_client_signs(given: Given, sign: Signer) -> None:
    body: Body = {
        "allowViewReplay": True,
        "allowNewStudentViewReplay": None,
        "x": "课" * 342,
        "allow": 1.5,
        "y": [1],
        "z": "signed by all",
    }
    signature = sign(body, str(given.school.id), str(given.now), given.school.secret)
    content = json.dumps(body).encode()
    assert post(given, content, X_EEO_SIGN=signature).errno == 1
    changed = content.replace(b"signed", b"resign")
    assert post(given, changed, X_EEO_SIGN=signature).errno == 101002005


@pytest.mark.parametrize(
    ("name", "value", "code", "word"),
    [
        ("X_EEO_TS", None, 101002008, "X-EEO-TS: is missing"),
        ("X_EEO_TS", "", 101002008, "X-EEO-TS: is missing"),
        ("X_EEO_TS", "now", 101002006, "must be digits"),
        ("X_EEO_TS", "1.5", 101002006, "must be digits"),
        ("X_EEO_TS", "1", 101002006, "behind the server's clock"),
        ("X_EEO_TS", "9" * 18, 101002006, "milliseconds"),
        ("X_EEO_SIGN", None, 101002005, "X-EEO-SIGN: is missing"),
        ("X_EEO_SIGN", "", 101002005, "X-EEO-SIGN: is missing"),
        ("X_EEO_SIGN", "0" * 32, 101002005, "X-EEO-SIGN is not the md5"),
        ("X_EEO_UID", None, 101002005, "X-EEO-UID: is missing"),
        ("X_EEO_UID", "x", 101002005, "X-EEO-UID must be a number"),
        ("X_EEO_UID", "999999999", 101002005, "no school has the X-EEO-UID 999999999"),
    ],
)
def test_headers_that_are_wrong(
    given: Given, name: str, value: str | None, code: int, word: str
) -> None:
    changes: dict[str, Any] = {name: value}
    reply = post(given, **changes)
    assert (reply.status, reply.errno, reply.data) == (200, code, None)
    assert word in reply.reason


def at(given: Given, stamp: str) -> Reply:
    """Call at a time, rightly signed."""
    sign = SIGNERS["python"]
    signature = sign({"allowViewReplay": 1}, str(given.school.id), stamp, given.school.secret)
    return post(given, X_EEO_TS=stamp, X_EEO_SIGN=signature)


@pytest.mark.parametrize("skew", [-300, 300])
def test_five_minutes_either_way(given: Given, skew: int) -> None:
    assert at(given, str(given.now + skew)).errno == 1
    assert at(given, str(given.now + skew + skew // 300)).errno == 101002006


def test_a_signature_in_capitals(given: Given) -> None:
    signature = given.api.sign(ON)["X-EEO-SIGN"].upper()
    assert post(given, X_EEO_SIGN=signature).errno == 101002005


def test_a_school_may_have_two_secrets(given: Given) -> None:
    sid, old = SchoolId(given.school.id), given.school.secret
    given.store.write(lambda uow: uow.schools.save_secrets(sid, "n" * 40, old))
    given.house.forget_credentials()
    assert post(given).errno == 1
    given.api.secret = "n" * 40
    assert post(given).errno == 1


def test_a_suspended_school(given: Given) -> None:
    given.plan(suspended=True)
    reply = post(given)
    assert (reply.errno, reply.reason) == (101002005, "the school is suspended")


def test_a_school_in_arrears_is_refused_on_the_v1_wire_alone(given: Given) -> None:
    given.plan(arrears=True)
    assert post(given).errno == 1
    reply = given.api.call("addCourse", courseName="Course")
    assert (reply.errno, reply.reason) == (102, "the school is in arrears")
    given.plan(arrears=False)
    assert given.api.call("addCourse", courseName="Course").errno == 1


@pytest.mark.parametrize(
    ("failure", "status", "retry_after", "reason"),
    [
        (OverloadedError(7, "too busy"), 503, "7", "too busy"),
        (RuntimeError("a bug"), 200, None, "the server failed; see its log"),
    ],
    ids=["overload", "bug"],
)
def test_a_server_that_cannot_answer(
    given: Given,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    status: int,
    retry_after: str | None,
    reason: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(school_conf, "change", fail)
        reply = post(given)
    assert (reply.status, reply.data, reply.reason) == (status, None, reason)
    assert reply.headers.get("retry-after") == retry_after
    assert reply.body["code"] == 104
    assert post(given).errno == 1


def test_maintenance_that_blocks(given: Given) -> None:
    authenticator = given.house.services.authenticator
    window = given.store.write(
        lambda uow: uow.maintenance.add(given.now, given.now + 1, blocks=True)
    )
    authenticator.forget()
    try:
        reply = post(given, b"{}")
        assert (reply.errno, reply.data) == (901, None)
        assert post(given, X_EEO_SIGN="x").errno == 101002005
    finally:
        given.store.write(lambda uow: uow.maintenance.delete(window))
        authenticator.forget()
    assert post(given).errno == 1


# --- what for -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/lms/", ""),
        ("/lms/unit/none", ""),
        ("/school/modifyschoolconf", CONF),
        ("/school/modifySchoolConfig", ""),
        ("/lms/unit/creat", "/lms/unit/create"),
        (CONF + "/", CONF),
        ("/course/x", ""),
        ("/schooluser/", ""),
    ],
)
def test_paths_of_no_call(given: Given, path: str, meant: str) -> None:
    reply = post(given, path=path)
    assert (reply.status, reply.errno, reply.data) == (404, 101001001, None)
    hint = f"; did you mean {meant}?" if meant else ""
    assert reply.reason == f"path: there is no call at {path}{hint}"


@pytest.mark.parametrize("path", ["/", "/lmsx", "/schools/x"])
def test_paths_of_others(given: Given, path: str) -> None:
    answer = httpx.post(given.house.url + path, content=ON, timeout=30)
    assert "code" not in (answer.json() if "json" in answer.headers["content-type"] else {})


def test_a_doubled_slash(given: Given) -> None:
    assert post(given, path="/" + CONF).errno == 1


# --- the sandbox ----------------------------------------------------------------------------------


def test_the_journal_shows_the_members_and_hides_the_signature(given: Given) -> None:
    assert post(given, b'{"allowViewReplay":0,"x":[1,{"y":null}],"X-EEO-UID":"7"}').errno == 1
    with SandboxClient(given.house.url) as sandbox:
        entry = sandbox.journal(sid=given.school.id, limit=1)[0]
    assert entry["action"] == "modifySchoolConf"
    assert entry["errno"] == 1
    assert entry["fields"] == {
        "X-EEO-UID": str(given.school.id),
        "X-EEO-TS": str(given.now),
        "X-EEO-SIGN": "***",
        "allowViewReplay": "0",
        "x": '[1,{"y":null}]',
    }


def test_a_fault_of_the_sandbox(given: Given) -> None:
    with SandboxClient(given.house.url) as sandbox:
        sandbox.fault(action="modifySchoolConf", errno=121601020, sid=given.school.id)
    reply = post(given)
    assert (reply.errno, reply.data, reply.reason[:5]) == (121601020, None, "fault")
    assert post(given).errno == 1
