"""Pages that tell a stranger nothing: credentials, metrics and documents outside the sandbox."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from homeroom.base.keys import md5_hex
from homeroom.partner import authenticator
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.serving import House, running_house

ELSEWHERE = {"x-forwarded-for": "203.0.113.9"}
DOCUMENTS = ("/docs", "/openapi.json", "/openapi-client.json")


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run a server without a sandbox."""
    folder = tmp_path_factory.mktemp("production")
    with running_house(folder, None, "sqlite", sandbox=False) as house:
        yield house


@pytest.fixture
def school(production: House) -> Iterator[Given]:
    """Give a school of it."""
    school = Given(production)
    yield school
    school.close()


def refused(school: Given, **changes: str) -> tuple[int | None, str]:
    form = {**school.api.signed(), "courseName": "x", **changes}
    reply = school.api.post("addCourse", data=form)
    return reply.errno, reply.reason


@pytest.mark.parametrize("stamp", ["now", "5", None])
def test_a_stranger_does_not_learn_which_schools_exist(school: Given, stamp: str | None) -> None:
    """Case S9: an unknown SID and a wrong safeKey have the same reason, at each timeStamp."""
    time = stamp or school.api.signed()["timeStamp"]
    changes = {"timeStamp": str(time), "safeKey": "0" * 32}
    known = refused(school, **changes)
    unknown = refused(school, **changes, SID="4999999")
    assert known == unknown
    assert known[0] == 102


def test_a_secret_that_does_not_exist_signs_nothing(school: Given) -> None:
    dummy = authenticator.DUMMY_SECRET
    time = str(school.api.signed()["timeStamp"])
    for sid in (str(school.school.id), "4999999"):
        changes = {"SID": sid, "timeStamp": time, "safeKey": md5_hex(dummy + time)}
        assert refused(school, **changes)[0] == 102


def test_each_refusal_takes_two_digests(school: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case S9: the time does not tell what exists."""
    digested: list[str] = []

    def digest(text: str) -> str:
        digested.append(text)
        return md5_hex(text)

    monkeypatch.setattr(authenticator, "md5_hex", digest)
    counts = []
    for sid in (str(school.school.id), "4999999"):
        digested.clear()
        refused(school, SID=sid, safeKey="0" * 32)
        counts.append(len(digested))
    assert counts == [2, 2]


# --- metrics and documents -----------------------------------------------------------------------


def status(house: House, path: str, headers: dict[str, str] | None = None) -> int:
    return httpx.get(f"{house.url}{path}", headers=headers or {}, trust_env=False).status_code


def test_metrics_are_for_this_machine_and_operators(production: House, school: Given) -> None:
    """Case S9: what is public is a setting."""
    assert status(production, "/metrics") == 200
    assert status(production, "/metrics", {"host": "classes.example.org"}) == 401
    assert status(production, "/metrics", ELSEWHERE) == 401
    operator, own = ReadBack(school, of_operator=True), ReadBack(school)
    for token, expected in ((operator.token, 200), (own.token, 403), ("wrong", 401)):
        headers = {**ELSEWHERE, "authorization": f"Bearer {token}"}
        assert status(production, "/metrics", headers) == expected
    for path in ("/healthz", "/readyz", "/", *DOCUMENTS):
        assert status(production, path, ELSEWHERE) == 200
    operator.close()
    own.close()


def test_documents_can_be_closed_and_metrics_opened(tmp_path: Path) -> None:
    """Case S9: what is public is a setting."""
    with running_house(
        tmp_path, None, "sqlite", sandbox=False, public_docs=False, public_metrics=True
    ) as house:
        assert status(house, "/metrics", ELSEWHERE) == 200
        for path in DOCUMENTS:
            assert status(house, path) == 200
            assert status(house, path, ELSEWHERE) == 401
