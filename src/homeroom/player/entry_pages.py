"""The web paths of links into a class: they lead its members to the page of the class."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.base.clock import MINUTE
from homeroom.base.ids import CourseId, LessonId, SchoolId
from homeroom.base.masking import mask_account
from homeroom.base.networks import network_of
from homeroom.contract.params import InvalidValueError, read_id
from homeroom.domain.webcasts import INVOKE_PATH, IOS_ENTRY_PATH
from homeroom.player.pages import LIVE
from homeroom.player.rate_limiter import RateLimiter
from homeroom.player.rendering import PageRenderer, build_url, query_fields
from homeroom.usecases import entry
from homeroom.web import security_log
from homeroom.web.addresses import get_client_address
from homeroom.web.languages import LANGUAGES
from homeroom.web.security_log import SecurityEvent

MAX_ACCOUNT_LENGTH = 200
FREE_FAILURES = 100
"""Links of a network that lead nowhere before it must wait; a whole school may share a network."""


class EntryPages:
    """Endpoints of the links that getLoginLinked makes (READINGS Q73)."""

    def __init__(self, store: AsyncStore, renderer: PageRenderer) -> None:
        self._store = store
        self._renderer = renderer
        # Whether a telephone number belongs to a class must not be found out by trying many.
        self._limiter = RateLimiter(FREE_FAILURES, 10, MINUTE)

    def routes(self) -> list[Route]:
        """Return the routes of these endpoints."""
        return [Route(path, self._enter, methods=["GET"]) for path in (IOS_ENTRY_PATH, INVOKE_PATH)]

    async def _enter(self, request: Request) -> Response:
        """Redirect to the page of the class, where the user logs in if the class asks for it."""
        fields = query_fields(request)
        address = get_client_address(request.scope)
        network = network_of(address)
        account = fields.get("telephone", "").strip().lower()
        key = None
        if self._limiter.seconds_to_wait(network) == 0:
            self._limiter.record_attempt(network)
            key = await self._find_key(fields, account)
        event = SecurityEvent.LINK_REFUSED if key is None else SecurityEvent.LINK_USED
        security_log.report(event, address, claimed=mask_account(account))
        if key is None:
            return self._renderer.render_notice(request, HTTPStatus.NOT_FOUND, "unknown")
        self._limiter.undo_attempt(network)
        language = {"lang": fields["lang"]} if fields.get("lang") in LANGUAGES else {}
        return RedirectResponse(
            build_url(LIVE, lessonKey=key, **language),
            HTTPStatus.FOUND,
            {"cache-control": "no-store", "referrer-policy": "no-referrer"},
        )

    async def _find_key(self, fields: dict[str, str], account: str) -> str | None:
        """Return the key of the page that a link leads to; None if it leads nowhere."""
        try:
            school, course, lesson = (
                read_id(fields.get(name)) for name in ("schoolId", "courseId", "classId")
            )
        except InvalidValueError:
            return None
        if not 0 < len(account) <= MAX_ACCOUNT_LENGTH:
            return None
        return await self._store.read(
            lambda uow: entry.find_page_key(
                uow, SchoolId(school), CourseId(course), LessonId(lesson), account
            )
        )
