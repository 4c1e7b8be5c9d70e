"""Landing page, API browser and OpenAPI documents; no asset comes from a third party."""

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from homeroom.admin.openapi import Document
from homeroom.contract.schema import DescribeAPI
from homeroom.domain.webcasts import Hosts
from homeroom.web.languages import choose_language

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
TEMPLATES = FOLDER / "templates"
SECURITY_HEADERS = {
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
BASE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
LANDING_POLICY = f"{BASE_POLICY}; style-src 'self'; img-src 'self'"
DOCS_POLICY = (
    f"{BASE_POLICY}; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'"
)
"""Swagger UI needs inline styles, but no inline scripts."""
DOCS_PATHS = ("/docs", "/openapi.json", "/openapi-client.json")


def routes(hosts: Hosts, describe_partner_api: DescribeAPI) -> list[BaseRoute]:
    """Return the routes of the pages and the OpenAPI documents."""

    async def get_landing(request: Request) -> Response:
        language = choose_language(request)
        headers = {
            **_build_headers(LANDING_POLICY),
            "content-language": language,
            "vary": "accept-language",
        }
        return Response(
            _render_landing(language, hosts.pages), headers=headers, media_type="text/html"
        )

    async def get_docs(_request: Request) -> Response:
        return Response(
            _read_page("docs.html"), headers=_build_headers(DOCS_POLICY), media_type="text/html"
        )

    def build_openapi_endpoint(*, client_profile: bool) -> Callable[[Request], Awaitable[Response]]:
        document = Document(describe_partner_api, client_profile=client_profile)

        async def respond(_request: Request) -> Response:
            headers = {**SECURITY_HEADERS, "cache-control": "no-cache"}
            return Response(document.json, headers=headers, media_type="application/json")

        return respond

    return [
        Route("/", get_landing, methods=["GET"]),
        Route("/docs", get_docs, methods=["GET"]),
        Route("/openapi.json", build_openapi_endpoint(client_profile=False), methods=["GET"]),
        Route("/openapi-client.json", build_openapi_endpoint(client_profile=True), methods=["GET"]),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    ]


def _build_headers(policy: str) -> dict[str, str]:
    return {**SECURITY_HEADERS, "content-security-policy": policy, "cache-control": "no-cache"}


@cache
def _read_page(name: str) -> str:
    return (TEMPLATES / name).read_text()


@cache
def _render_landing(language: str, address: str) -> str:
    return _read_page(f"landing.{language}.html").replace("{{address}}", _escape_html(address))


def _escape_html(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text
