"""The operator sets passwords beside a running server."""

from collections.abc import Iterator
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.support.operator import School, refused, run_json
from tests.support.process import Process, typed

pytestmark = pytest.mark.e2e


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.api.close()


def set_password(
    monkeypatch: pytest.MonkeyPatch, server: Process, password: str, *args: str
) -> str | None:
    """Set a password as a script does; returns why it was not set, or None."""
    monkeypatch.setattr("sys.stdin", StringIO(f"{password}\n"))
    if len(password) < 6:
        return refused(server, "user", "set-password", *args)
    assert password not in typed("user", "set-password", *args, *server.where)
    return None


def test_an_operator_gives_somebody_a_new_password(
    server: Process, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cases S5 and A21: a way back for the owner of an account."""
    uid = school.person(1)
    account = run_json(server, "user", "show", str(uid))["telephone"]
    lesson = school.done("addCourseClass", **school.form(record=1, live=1))
    link = typed("link", str(lesson), "--account", "1", "--nickname", "x", *server.where).strip()
    (key,) = parse_qs(urlsplit(link).query)["lessonKey"]

    def log_in(password: str) -> int:
        form = {"account": account, "password": password}
        url = f"{server.url}/class/{key}/login"
        return httpx.post(url, json=form, timeout=30, trust_env=False).status_code

    sid = str(school.sid)
    set_password(monkeypatch, server, "of-the-operator", account)
    assert log_in("of-the-operator") == 200
    set_password(monkeypatch, server, "first-of-school", str(uid), "--school", sid)
    set_password(monkeypatch, server, "second-of-school", str(uid), "--school", sid)
    words = ("second-of-school", "of-the-operator", "first-of-school")
    assert [log_in(word) for word in words] == [200, 200, 401]
    assert "6 to 20" in str(set_password(monkeypatch, server, "short", account))
    assert [log_in("short"), log_in("of-the-operator")] == [401, 200]
