"""Addresses as people paste them: what is around the key is taken away before it is judged."""

from typing import Final

import pytest

from homeroom.base.text import strip_pasted
from homeroom.media.engine.stream_address import AddressError, parse_server, parse_stream

QUERY: Final = "txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5c271099"
KEY: Final = "a70febd869e4fae9"
URL: Final = f"rtmp://h/live/{KEY}?{QUERY}"
WHOLE: Final = (KEY, QUERY)


def parse(name: str, app: str = "live", url: str = "rtmp://h/live") -> tuple[str, str]:
    return parse_stream(parse_server(app, url), name)


@pytest.mark.parametrize("before", ["", " ", "\t", "\n", "/", "//", " / ", "\u00a0", "\ufeff", '"'])
@pytest.mark.parametrize("after", ["", " ", "\r\n", "\t ", "%20", "%0A", "\u200b", "\u2003", '"'])
def test_blanks_and_slashes_around_the_key(before: str, after: str) -> None:
    """Case M10."""
    assert parse(f"{before}{KEY}?{QUERY}{after}") == WHOLE
    assert parse(f"{before}{KEY}{after}") == (KEY, "")


@pytest.mark.parametrize(
    ("app", "url", "name"),
    [
        ("live", "rtmp://h/live", f"{KEY} ?{QUERY}"),
        ("live", "rtmp://h/live", f"{KEY}/?{QUERY}"),
        ("live", "rtmp://h/live", f"{KEY}? {QUERY}"),
        ("live/", "rtmp://h/live/", f"{KEY}?{QUERY}"),
        ("/live//", "rtmp://h//live//", f"/{KEY}?{QUERY}"),
        (" live\n", "rtmp://h/live ", f"{KEY}?{QUERY}"),
        ("live", "rtmp://h/live", URL),
        ("live", "rtmp://h/live", f" {URL}\n"),
        ("live", "rtmp://h/live", f"<rtmps://elsewhere:443//live//{KEY}?{QUERY}>"),
        ("live", "rtmp://h/live", f"live/{KEY}?{QUERY}"),
        ("live", "rtmp://h/live", f"/live//{KEY}?{QUERY}"),
        (f"live/{KEY}?{QUERY}", URL, ""),
        (f"live//{KEY}?{QUERY}", URL, ""),
        (f"live/{KEY}?{QUERY}", URL, f"{KEY}?{QUERY}"),
        (f"live/{KEY}", f"rtmp://h/live/{KEY}", f"?{QUERY}"),
        ("live", f"{URL} ", ""),
        ("", "rtmp://h/live", f"{KEY}?{QUERY}"),
        ("", f"rtmp://h:1935/live//{KEY}?{QUERY}", ""),
        (f"live?{QUERY}", f"rtmp://h/live?{QUERY}", KEY),
        ("live", f"rtmp://h/live?{QUERY} ", f"{KEY}\t"),
        ("rtmp://h/live", "rtmp://h/live", f"{KEY}?{QUERY}"),
    ],
)
def test_the_address_may_be_cut_anywhere(app: str, url: str, name: str) -> None:
    """Case M10: server and key as encoders cut them, and the whole address in either field."""
    assert parse(name, app, url) == WHOLE


@pytest.mark.parametrize("app", ["", "school", "live2", "school/live", "live/a/b", "/", "LIVE"])
def test_another_application(app: str) -> None:
    with pytest.raises(AddressError, match="the address ends in /live/ and a key"):
        parse_server(app, "rtmp://h/school")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "the key is missing"),
        (" / ", "the key is missing"),
        (f"?{QUERY}", "the key is missing"),
        ("x" * 65, "no stream has such a name"),
        (f"{KEY}?{'x' * 1025}", "no stream has such a name"),
        (f"{KEY}/{KEY}", "no stream has such a name"),
        (f"rtmp://h/school/{KEY}", "no stream has such a name"),
        ("x" * 5000, "the key is too long"),
    ],
)
def test_names_that_no_stream_has(name: str, reason: str) -> None:
    with pytest.raises(AddressError, match=reason):
        parse(name)


def test_two_different_keys_are_not_guessed_about() -> None:
    with pytest.raises(AddressError, match="name two streams"):
        parse("b70febd869e4fae9", f"live/{KEY}")


def test_an_address_that_is_too_long() -> None:
    with pytest.raises(AddressError, match="too long"):
        parse_server("live", "rtmp://h/" + "x" * 1024)


def test_what_is_within_stays() -> None:
    assert strip_pasted(" a b%20c d ") == "a b%20c d"
    assert strip_pasted("%20 %0a\n") == ""
