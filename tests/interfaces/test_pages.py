"""The pages: what they say, in which language, and that they use no other host."""

import re
from pathlib import Path

import httpx
import pytest

from homeroom.admin.pages import STATIC, TEMPLATES
from tests.support.serving import House

OURS = sorted(
    path
    for folder in (STATIC, TEMPLATES)
    for path in folder.rglob("*")
    if path.suffix in (".html", ".css", ".js", ".svg") and "swagger-ui" not in path.parts
)
NAMESPACES = ("http://www.w3.org/2000/svg",)


def get(house: House, path: str, **headers: str) -> httpx.Response:
    values = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(house.url + path, headers=values, timeout=30)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("zh-TW", "zh"),
        ("de,zh;q=0.3,en;q=0.7", "en"),
        ("fr", "en"),
        (";;q=x,,zh;q=,", "zh"),
    ],
)
def test_the_first_page_speaks_the_language_of_the_browser(
    house: House, accepted: str, language: str
) -> None:
    page = get(house, "/", accept_language=accepted)
    assert page.headers["content-language"] == language
    assert page.headers["vary"] == "accept-language"
    assert f'<html lang="{language}' in page.text
    assert f"{house.url}/partner/api/course.api.php" in page.text


def test_a_link_chooses_the_language(house: House) -> None:
    assert get(house, "/?lang=zh").headers["content-language"] == "zh"
    assert get(house, "/?lang=en", accept_language="zh").headers["content-language"] == "en"
    assert get(house, "/?lang=tlh", accept_language="zh").headers["content-language"] == "zh"


def test_every_link_of_the_pages_leads_somewhere(house: House) -> None:
    links = set()
    for path in ("/?lang=en", "/?lang=zh", "/docs"):
        links |= set(re.findall(r'(?:href|src)="(/[^"#]*)', get(house, path).text))
    assert {"/docs", "/healthz", "/metrics", "/static/landing.css"} <= links
    for link in sorted(links):
        answer = get(house, link)
        assert answer.status_code == 200, (link, answer.text)


def test_policies_let_nothing_in_from_elsewhere(house: House) -> None:
    landing = get(house, "/").headers["content-security-policy"]
    docs = get(house, "/docs").headers["content-security-policy"]
    assert "script-src" not in landing
    assert "script-src 'self';" in docs
    for policy in (landing, docs):
        assert policy.startswith("default-src 'none';")
        assert "http" not in policy
        assert "unsafe-eval" not in policy
        assert "script-src 'self' 'unsafe-inline'" not in policy
    assert get(house, "/docs").headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_no_page_names_a_third_party(path: Path) -> None:
    text = path.read_text()
    for namespace in NAMESPACES:
        text = text.replace(namespace, "")
    assert not re.findall(r"https?://|url\(\s*[\"']?//|src=[\"']//", text)
    assert not re.findall(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=", text)


def test_swagger_ui_is_whole_and_says_where_it_is_from() -> None:
    folder = STATIC / "swagger-ui"
    assert {path.name for path in folder.iterdir()} == {
        "LICENSE",
        "NOTICE",
        "README.md",
        "swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt",
        "swagger-ui.css",
    }
    assert "Apache License" in (folder / "LICENSE").read_text()


@pytest.mark.parametrize("path", ["/nothing", "/static/nothing.css", "/static/../pages.py"])
def test_an_unknown_path_is_a_problem(house: House, path: str) -> None:
    answer = get(house, path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Not Found"
