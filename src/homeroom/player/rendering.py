"""Rendering of pages: language and texts, security headers, and the data for scripts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from homeroom.base.clock import Moment
from homeroom.domain.lifecycle import OVER_PHASES
from homeroom.domain.schools import load_time_zone
from homeroom.domain.webcasts import Hosts
from homeroom.web.assets import Assets
from homeroom.web.languages import LANGUAGES, choose_language

HERE = Path(__file__).parent
NO_PERMISSIONS = "camera=(), microphone=(), display-capture=(), geolocation=()"
"""Permissions policy of all pages except the teacher's."""
WEEKDAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
Texts = Mapping[str, str]


class PageRenderer:
    """Renders the page templates."""

    def __init__(self, hosts: Hosts) -> None:
        self.assets = Assets(HERE / "static", "/player")
        self._hosts = hosts
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["asset"] = self.assets.url
        self._templates.globals["part"] = cache(self._render_part)
        self._templates.globals["load_texts"] = load_texts
        self._templates.globals["OVER_PHASES"] = OVER_PHASES

    def render(
        self,
        request: Request,
        template: str,
        files: tuple[str, ...],
        *,
        data: Mapping[str, object] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
        frame_ancestors: tuple[str, ...] = (),
        permissions: str = NO_PERMISSIONS,
        is_cacheable: bool = True,
        **context: object,
    ) -> Response:
        """Return a page in the viewer's language, with the texts of these files.

        `frame_ancestors` lists the origins that may embed the page. A page that contains a ticket
        or another secret must not be cacheable.
        """
        language = choose_language(request)
        t = load_texts(("page", *files), language)
        page, script_data = None, ""
        if data is not None:
            page = msgspec.to_builtins(data, str_keys=True)
            texts = _encode_texts(("page", *files), language)
            script_data = _encode_for_script({**page, "language": language, "texts": texts})
        html = self._templates.get_template(template).render(
            t=t,
            language=language,
            switch=_language_switch(request, language),
            page=page,
            script_data=script_data,
            **context,
        )
        headers = {
            "cache-control": "no-cache" if is_cacheable else "no-store",
            "content-language": language,
            "content-security-policy": self._content_security_policy(frame_ancestors),
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": permissions,
            "referrer-policy": "no-referrer",
            "vary": "accept-language",
            "x-content-type-options": "nosniff",
        }
        if not frame_ancestors:
            headers["x-frame-options"] = "DENY"
        return Response(html, status, headers, media_type="text/html")

    def render_notice(
        self,
        request: Request,
        status: HTTPStatus,
        notice: str,
        frame_ancestors: tuple[str, ...] = (),
    ) -> Response:
        """Return a page that explains why there is nothing to see."""
        t = load_texts(("notice",), choose_language(request))
        return self.render(
            request,
            "notice.html",
            ("live", "notice"),
            status=status,
            frame_ancestors=frame_ancestors,
            heading=t[f"notice.{notice}"],
            words=t[f"notice.{notice}_words"],
        )

    def _render_part(self, template: str, macro: str, *arguments: str) -> str:
        """Return what a macro of a template writes for its arguments.

        A page has thirty such parts, and rendering them took a third of its time. There are only a
        few different ones, by names in templates and by languages, so the templates cache them.
        """
        part: str = getattr(self._templates.get_template(template).module, macro)(*arguments)
        return part

    def _content_security_policy(self, frame_ancestors: tuple[str, ...]) -> str:
        pages, media = _origin(self._hosts.pages), _origin(self._hosts.http)
        ancestors = " ".join(frame_ancestors) or "'none'"
        # Clips have absolute URLs on the pages' origin; the viewer may use another host name.
        elsewhere = " ".join(dict.fromkeys((pages, media)))
        return "; ".join(
            (
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self' data:",
                "font-src 'none'",
                f"connect-src 'self' {pages.replace('http', 'ws', 1)} {elsewhere}",
                f"media-src 'self' blob: {elsewhere}",
                "base-uri 'none'",
                "form-action 'none'",
                f"frame-ancestors {ancestors}",
            )
        )


@cache
def load_texts(files: tuple[str, ...], language: str) -> Texts:
    """Return the texts of these files in a language."""
    return {key: text for file in files for key, text in _load_file(file, language).items()}


@cache
def _encode_texts(files: tuple[str, ...], language: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(load_texts(files, language)))


def _encode_for_script(data: Mapping[str, object]) -> str:
    """Return JSON for an element of HTML: nothing in it ends the element or begins another."""
    text = msgspec.json.encode(data).decode()
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _load_file(file: str, language: str) -> Texts:
    content = (HERE / "texts" / f"{file}.json").read_bytes()
    entries = msgspec.json.decode(content, type=dict[str, dict[str, str]])
    return {key: entry[language] for key, entry in entries.items()}


def query_fields(request: Request) -> dict[str, str]:
    """Return the query parameters, with spaces around names removed.

    A published client writes `checkCode ` with a space. Values with a NUL character are dropped:
    no database column can hold them.
    """
    query = request.scope["query_string"].decode(errors="replace")
    fields = parse_qsl(query, keep_blank_values=True)
    return {name.strip(): value for name, value in fields if "\0" not in value}


def build_url(path: str, /, **fields: str) -> str:
    """Return a path with a query string."""
    return f"{path}?{urlencode(fields)}"


def format_moment(moment: Moment, time_zone: str, language: str) -> str:
    """Return a time in the school's time zone; a script replaces it by the viewer's local time."""
    at = datetime.fromtimestamp(moment, UTC).astimezone(load_time_zone(time_zone))
    day = WEEKDAYS[language][at.weekday()]
    return f"{at:%Y-%m-%d} {day} {at:%H:%M}"


def format_iso(moment: Moment) -> str:
    """Return a time in ISO 8601 (UTC), for scripts."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _language_switch(request: Request, language: str) -> dict[str, str]:
    """Return the link to this page in the other language."""
    other = next(code for code in LANGUAGES if code != language)
    fields = {**query_fields(request), "lang": other}
    return {
        "code": other,
        "name": LANGUAGES[other],
        "url": build_url(request.url.path, **fields),
    }


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
