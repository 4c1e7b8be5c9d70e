"""Pages as a browser would read them, and what must be true of each."""

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Final

import httpx

from tests.support.serving import House

VOID: Final = {"meta", "link", "input", "img", "br", "path", "circle", "rect", "line", "use"}
HOSTILE: Final = (
    "</script><script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "' autofocus onfocus='alert(1)",
    "{{ 7 * 7 }}{% raw %}${x}",
    "<!--<script>",
    "&lt;b&gt; &amp; &#x27;",
    "\u202eright to left\u202c",
    "👩‍👩‍👧‍👦 한국어 中文",
    "javascript:alert(1)",
)
"""Hostile names."""


@dataclass
class Element:
    """One element: its name, its attributes and the text within."""

    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page:
    """A page that was answered."""

    answer: httpx.Response
    elements: list[Element] = field(default_factory=list)

    @property
    def data(self) -> Any:  # noqa: ANN401  as the page's script reads it
        """Data in the page for its scripts."""
        (found,) = [one for one in self.elements if one.attributes.get("id") == "page"]
        return json.loads(found.text)

    def texts(self, name: str) -> list[str]:
        """Return the texts of all elements of a name."""
        return [" ".join(one.text.split()) for one in self.elements if one.name == name]

    def attributes(self, name: str, attribute: str) -> list[str]:
        """Return an attribute of all elements of a name that have it."""
        return [
            one.attributes[attribute]
            for one in self.elements
            if one.name == name and attribute in one.attributes
        ]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop().name != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data


def read(answer: httpx.Response) -> Page:
    """Read a page, and see that nothing in it would run that the policy forbids."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    reader = _Reader()
    reader.feed(answer.text)
    reader.close()
    for element in reader.elements:
        names = element.attributes.keys()
        assert not [name for name in names if name == "style" or name.startswith("on")]
        assert element.name != "style"
        if element.name == "script":
            kind = element.attributes["type"]
            assert kind == "application/json" or element.attributes["src"].startswith("/player/")
        for name in ("href", "src", "action"):
            assert element.attributes.get(name, "/").startswith(("/", "#"))
    return Page(answer, reader.elements)


def get(house: House, path: str, **headers: str) -> httpx.Response:
    """Ask for an address."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(house.url + path, headers=given, timeout=30, trust_env=False)


def page(house: House, path: str, **headers: str) -> Page:
    """Open a page that there is."""
    answer = get(house, path, **headers)
    assert answer.status_code == 200, (answer.status_code, answer.text[:500])
    return read(answer)
