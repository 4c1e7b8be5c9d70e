"""The scripts and styles of the pages, as browsers fetch and keep them."""

import pytest

from tests.support.given import Given
from tests.support.pages import get, page


def test_assets_named_by_their_content_are_kept_for_ever(given: Given) -> None:
    shown = page(given.house, f"/live.php?lessonKey={given.seen(given.lesson()).key}")
    named = [
        path
        for path in shown.attributes("link", "href") + shown.attributes("script", "src")
        if "?v=" in path
    ]
    assert named
    for path in named:
        answer = get(given.house, path, accept_encoding="gzip")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-encoding"] == "gzip"
        kind = "text/css" if ".css" in path else "text/javascript"
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        bare = get(given.house, path.partition("?")[0], accept_encoding="br, gzip;q=0")
        assert bare.headers["cache-control"] == "no-cache"
        assert "content-encoding" not in bare.headers
        assert bare.content == answer.content
        other = get(given.house, path.partition("?")[0] + "?v=0")
        assert other.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_an_asset_that_is_known_is_not_sent_again(given: Given, encoding: str) -> None:
    first = get(given.house, "/player/page.css", accept_encoding=encoding)
    for tags in (first.headers["etag"], f'"x", W/{first.headers["etag"]}', "*"):
        again = get(given.house, "/player/page.css", accept_encoding=encoding, if_none_match=tags)
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == first.headers["etag"]
    other = get(given.house, "/player/page.css", accept_encoding=encoding, if_none_match='"x"')
    assert other.content == first.content


@pytest.mark.parametrize(
    "path", ["", "nothing.js", "../shell.py", "..%2fshell.py", "vendor", "%00", "/etc/passwd"]
)
def test_only_files_of_the_folder_are_served(given: Given, path: str) -> None:
    answer = get(given.house, f"/player/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
