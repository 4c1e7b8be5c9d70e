"""The teacher's page on the wire: whom it opens for, what it holds, and what may be done there."""

from typing import Any, Final

import httpx
import pytest

from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.media.gateway_process import GatewayProcess
from homeroom.usecases import streams
from tests.support.given import Given
from tests.support.pages import HOSTILE, Page, read
from tests.support.streams import LIVE, Streamed
from tests.support.wire import Value

JSON: Final = {"content-type": "application/json"}
SDP: Final = {"content-type": "application/sdp"}


class Taught(Streamed):
    """A class, and its teacher's page."""

    def __init__(self, given: Given, **fields: Value) -> None:
        super().__init__(given, **fields)
        self.address = self.streams.teach_url

    def page(self, **headers: str) -> Page:
        """Open the page."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return read(httpx.get(self.address, headers=given, timeout=30))

    def post(
        self, path: str, body: str | bytes = "{}", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Do something at the page."""
        return httpx.post(
            f"{self.address}/{path}", content=body, headers=headers or JSON, timeout=60
        )

    def offer(self, body: str | bytes = "v=0\r\n", **headers: str) -> httpx.Response:
        """Try to go live from a browser."""
        return self.post("whip", body, {**SDP, **headers})


def code(answer: httpx.Response) -> tuple[int, Any]:
    """Return the status of a problem, and what scripts tell it by."""
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


# --- the page ------------------------------------------------------------------------------------


def test_the_page_holds_what_a_teacher_needs(given: Given) -> None:
    taught = Taught(given, className="Fractions")
    page = taught.page()
    assert page.answer.status_code == 200
    assert "Fractions" in page.texts("h1")
    data = page.data
    assert data["kind"] == "teach"
    assert taught.address.endswith(data["base"])
    assert data["ticket"] is None
    assert data["state"]["phase"] == "before"
    values = page.attributes("input", "value")
    server, _, key = taught.push_url.rpartition("/")
    assert server in values
    assert key in values
    assert taught.streams.scene is not None
    assert taught.streams.scene.push_url.rpartition("/")[2] in values


def test_stream_keys_are_hidden_until_asked_for(given: Given) -> None:
    inputs = [one.attributes for one in Taught(given).page().elements if one.name == "input"]
    keys = [one for one in inputs if "txSecret" in one.get("value", "")]
    assert [one["type"] for one in keys] == ["password", "password"]


def test_a_class_without_a_scene_has_one_key(given: Given) -> None:
    values = Taught(given, **{**LIVE, "recordScene": 0}).page().attributes("input", "value")
    assert sum("txSecret" in value for value in values) == 1


def test_a_class_that_is_not_recorded_cannot_be_sent(given: Given) -> None:
    taught = Taught(given, record=0, live=0, replay=0, recordScene=0)
    taught.opened()
    assert not [value for value in taught.page().attributes("input", "value") if "tx" in value]
    assert code(taught.offer()) == (409, "no_stream")


def test_nobody_may_frame_keep_or_name_the_page(given: Given) -> None:
    headers = Taught(given).page().answer.headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    allowed = headers["permissions-policy"]
    for device in ("camera", "microphone", "display-capture"):
        assert f"{device}=(self)" in allowed


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_speaks_the_language_of_the_browser(given: Given, language: str) -> None:
    page = Taught(given).page(accept_language=language)
    assert page.answer.headers["content-language"] == language
    assert ("结束课堂" if language == "zh" else "End the class") in page.texts("button")


@pytest.mark.parametrize("words", HOSTILE)
def test_a_name_is_text_whatever_it_says(given: Given, words: str) -> None:
    page = Taught(given, className=words).page()
    assert page.texts("h1") == [" ".join(words.split())]


# --- whom it opens for ---------------------------------------------------------------------------


def not_there(url: str) -> str:
    answer = httpx.get(url, headers={"accept-language": "en"}, timeout=30)
    assert answer.status_code == 404
    return answer.text


def test_a_wrong_token_opens_nothing_and_is_not_told_why(given: Given) -> None:
    taught = Taught(given)
    base, _, token = taught.address.rpartition("/")
    other = "0" if token[-1] != "0" else "1"
    wrong = [token[:-1] + other, token[:16], "0" * 48, "%00" * 48, "é" * 48, "x" * 9000]
    said = {not_there(f"{base}/{one}").replace(one, "") for one in wrong[:3]}
    assert len(said) == 1
    for one in wrong:
        not_there(f"{base}/{one}")
        for answer in (
            httpx.post(f"{base}/{one}/end", content="{}", headers=JSON, timeout=30),
            httpx.post(f"{base}/{one}/whip", content="v=0", headers=SDP, timeout=30),
            httpx.delete(f"{base}/{one}/whip/session", timeout=30),
        ):
            assert answer.status_code == 404
    assert taught.seen.closed_at is None


def test_a_new_key_makes_another_page(given: Given) -> None:
    taught = Taught(given)
    given.store.write(lambda uow: streams.renew_key(uow, taught.lesson))
    not_there(taught.address)
    assert httpx.get(taught.streams.teach_url, timeout=30).status_code == 200


def test_another_teacher_has_another_page(given: Given) -> None:
    taught = Taught(given)
    assert taught.edit(teacherUid=given.teacher()).errno == 1
    not_there(taught.address)


def test_a_deleted_class_has_no_page(given: Given) -> None:
    taught = Taught(given)
    taught.delete()
    not_there(taught.address)


def test_the_page_stays_for_a_week_after_the_class(given: Given) -> None:
    taught = Taught(given)
    taught.over()
    assert taught.page().data["state"]["phase"] == "over"
    given.until(taught.begin + HOUR + 20 * MINUTE + 7 * DAY)
    not_there(taught.address)


# --- the end of the class ------------------------------------------------------------------------


def test_a_class_is_not_ended_before_it_opens(given: Given) -> None:
    taught = Taught(given)
    assert taught.post("end").json()["code"] == "early"
    assert taught.seen.closed_at is None


def test_the_class_is_ended_once(given: Given) -> None:
    taught = Taught(given)
    taught.opened()
    assert taught.post("end").json() == {}
    ended_at = taught.seen.closed_at
    assert ended_at == given.now
    given.until(ended_at + 5)
    assert taught.post("end").status_code == 200
    assert taught.seen.closed_at == ended_at
    assert taught.page().data["state"]["phase"] == "closed_early"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({**JSON, "origin": "https://elsewhere.example"}, 403),
        ({**JSON, "origin": "null"}, 403),
    ],
)
def test_another_site_cannot_end_a_class(
    given: Given, headers: dict[str, str], status: int
) -> None:
    taught = Taught(given)
    assert taught.post("end", headers=headers).status_code == status
    assert taught.seen.closed_at is None


def test_a_page_of_our_own_may_end_it(given: Given) -> None:
    taught = Taught(given)
    taught.opened()
    assert taught.post("end", headers={**JSON, "origin": given.house.url}).status_code == 200
    assert taught.seen.closed_at is not None


# --- going live from a browser -------------------------------------------------------------------


def test_a_browser_goes_live_while_the_class_is_open(given: Given) -> None:
    taught = Taught(given)
    assert code(taught.offer()) == (409, "early")
    taught.over()
    assert code(taught.offer()) == (409, "over")


def test_an_offer_is_checked_before_anything_is_started(given: Given) -> None:
    taught = Taught(given)
    taught.opened()
    assert taught.offer(origin="https://elsewhere.example").status_code == 403
    assert taught.post("whip", "v=0", JSON).status_code == 415
    assert taught.offer("v=0\r\n" + "a=x\r\n" * 20_000).status_code == 413
    assert code(taught.offer(b"v=0\r\n\xff")) == (400, "offer")


def test_an_offer_that_makes_no_sense_is_refused(given: Given) -> None:
    pytest.importorskip("aiortc")
    taught = Taught(given)
    taught.opened()
    assert code(taught.offer("hello")) == (400, "offer")


def test_a_session_is_ended_at_the_page_where_it_began_alone(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    async def start(_self: GatewayProcess, _push_url: str, _offer: str) -> tuple[str, str]:
        return "0123abcd", "v=0"

    async def stop(_self: GatewayProcess, session: str) -> None:
        ended.append(session)

    monkeypatch.setattr(GatewayProcess, "start_session", start)
    monkeypatch.setattr(GatewayProcess, "stop_session", stop)
    taught, other = Taught(given), Taught(given)
    taught.opened()
    answer = taught.offer()
    assert answer.status_code == 201
    path = answer.headers["location"]
    place, session = f"{given.house.url}{path}", path.rpartition("/")[2]

    def status(address: str, **headers: str) -> int:
        return httpx.delete(address, headers=headers, timeout=30).status_code

    assert status(place, origin="https://elsewhere.example") == 403
    assert status(f"{other.address}/whip/{session}") == 404
    signature = session.partition(".")[2]
    odd = ("0123abcd", "0123abcd.", f"0123abce.{signature}", f"{session}0", "x%0D%0Aa", "x%3Fy")
    for one in (*odd, "x%20HTTP%2F1.1%0D%0Aa:b", "..", "x" * 65):
        assert status(f"{taught.address}/whip/{one}") in (404, 405), one
    assert ended == []
    assert status(place, origin=given.house.url) == 204
    assert ended == ["0123abcd"]
