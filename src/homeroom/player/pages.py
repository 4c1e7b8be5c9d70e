"""The public pages: a class, the classes of a course, and a class for a calendar."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId
from homeroom.base.masking import mask_account
from homeroom.base.values import Value
from homeroom.domain.schools import parse_frame_origins
from homeroom.domain.viewers import resolve_watch_policy, sign_ticket
from homeroom.domain.webcasts import Hosts
from homeroom.player.calendar import calendar_file
from homeroom.player.rendering import (
    PageRenderer,
    build_url,
    format_iso,
    format_moment,
    query_fields,
)
from homeroom.player.state import Facts, State, state
from homeroom.player.views import choose_course_view
from homeroom.store.records import PublicCourse, PublicLesson
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import demo, reservations, viewing
from homeroom.usecases.chat import get_state as get_chat_state
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.page_content import choose_audience, find_replayable, get_content
from homeroom.usecases.viewing import LoginFreeLink
from homeroom.web import security_log
from homeroom.web.addresses import get_client_address
from homeroom.web.languages import LANGUAGES, choose_language
from homeroom.web.problems import HTTPError
from homeroom.web.security_log import SecurityEvent

LIVE = "/live.php"
LIVE_BY_LINK = "/live_partner.html"
COURSE = "/webcast.php"
COURSE_BY_LINK = "/webcast_partner.html"
LINK_FIELDS = ("account", "nickname", "checkCode")


class LessonPage(Value, frozen=True):
    """Data of a class page for one viewer."""

    seen: PublicLesson
    ticket: str | None
    """Ticket of a valid login-free link."""
    state: State | None
    """None if the viewer has to log in first."""
    takes_reservations: bool
    """True if viewers can book a reminder."""


class CoursePage(Value, frozen=True):
    """Data of a course page."""

    course: PublicCourse
    is_suspended: bool
    frame_ancestors: tuple[str, ...]
    time_zone: str
    lessons: list[PublicLesson]
    replayable: set[LessonId]
    """Those that are over and have a clip."""
    is_linked: bool
    """True if the viewer came by a valid login-free link."""
    now: Moment


class ClassPages:
    """Endpoints of the pages of classes and courses."""

    def __init__(
        self,
        store: AsyncStore,
        deps: Dependencies,
        hosts: Hosts,
        renderer: PageRenderer,
        facts: Facts,
    ) -> None:
        self._store = store
        self._deps = deps
        self._hosts = hosts
        self._renderer = renderer
        self._facts = facts

    def routes(self) -> list[Route]:
        """Return the routes of these endpoints."""
        pages = {
            LIVE: self._live,
            LIVE_BY_LINK: self._live_by_link,
            "/live_partner.php": self._live_by_link,
            COURSE: self._course,
            COURSE_BY_LINK: self._course_by_link,
            "/webcast_partner.php": self._course_by_link,
            "/class/{key}/class.ics": self._calendar,
            "/demo": self._demo,
        }
        packed = [Middleware(GZipMiddleware, compresslevel=6)]
        return [
            Route(path, page, methods=["GET"], middleware=packed) for path, page in pages.items()
        ]

    async def _demo(self, request: Request) -> Response:
        """Redirect to the live class of the demo school, if the server has one."""
        on_air = await self._store.read(demo.get_on_air)
        if on_air is None:
            return self._renderer.render_notice(request, HTTPStatus.NOT_FOUND, "unknown")
        return RedirectResponse(build_url(LIVE, lessonKey=on_air.lesson.key), HTTPStatus.FOUND)

    async def _live(self, request: Request) -> Response:
        return await self._render_lesson(request, None)

    async def _live_by_link(self, request: Request) -> Response:
        return await self._render_lesson(request, _read_link(query_fields(request)))

    async def _render_lesson(self, request: Request, link: LoginFreeLink | None) -> Response:
        fields = query_fields(request)
        key, course_key = fields.get("lessonKey", "").strip(), fields.get("courseKey", "").strip()
        try:
            lesson_page = await self._store.read(
                lambda uow: self._load_lesson_page(uow, key, course_key, link)
            )
        except viewing.NoSuchPageError:
            return self._renderer.render_notice(request, HTTPStatus.NOT_FOUND, "unknown")
        seen, lesson = lesson_page.seen, lesson_page.seen.lesson
        _report_link(request, link, lesson.school, is_valid=lesson_page.ticket is not None)
        frame_ancestors = parse_frame_origins(seen.plan)
        if seen.plan.suspended:
            return self._renderer.render_notice(
                request, HTTPStatus.FORBIDDEN, "closed", frame_ancestors
            )
        if lesson.deleted_at is not None:
            return self._renderer.render_notice(request, HTTPStatus.GONE, "gone", frame_ancestors)
        course_url = None
        if course_key == seen.course_key:
            path = COURSE_BY_LINK if lesson_page.ticket is not None else COURSE
            names = LINK_FIELDS if lesson_page.ticket is not None else ()
            course_url = build_url(path, courseKey=course_key, **_carry_fields(fields, *names))
        return self._renderer.render(
            request,
            "live.html",
            ("live",),
            frame_ancestors=frame_ancestors,
            is_cacheable=lesson_page.ticket is None,
            data={
                "kind": "live",
                "key": key,
                "school": lesson.school,
                "base": f"/class/{key}",
                "needs_login": lesson_page.state is None,
                "ticket": lesson_page.ticket,
                "state": lesson_page.state,
            },
            lesson=lesson_context(seen, choose_language(request), course_url),
            takes_reservations=lesson_page.takes_reservations,
        )

    def _load_lesson_page(
        self, uow: UnitOfWork, key: str, course_key: str, link: LoginFreeLink | None
    ) -> LessonPage:
        seen = viewing.get_page_lesson(uow, key)
        lesson = seen.lesson
        takes_reservations = reservations.takes_reservations(uow, lesson)
        ticket = None
        if link is not None:
            ticket = viewing.issue_link_ticket(uow, key, link)
            if ticket is None and course_key == seen.course_key:
                ticket = viewing.issue_link_ticket(uow, course_key, link)
        if ticket is None and resolve_watch_policy(lesson).watch_by_login:
            return LessonPage(seen, None, None, takes_reservations)
        audience = choose_audience(uow, seen, ticket)
        content = get_content(uow, self._deps, self._hosts, seen, audience)
        chat = get_chat_state(uow, lesson.id)
        text = sign_ticket(ticket, self._deps.ticket_key) if ticket is not None else None
        current = state(lesson, content, chat, uow.now, self._facts)
        return LessonPage(seen, text, current, takes_reservations)

    async def _course(self, request: Request) -> Response:
        return await self._render_course(request, None)

    async def _course_by_link(self, request: Request) -> Response:
        return await self._render_course(request, _read_link(query_fields(request)))

    async def _render_course(self, request: Request, link: LoginFreeLink | None) -> Response:
        fields = query_fields(request)
        key, chosen = fields.get("courseKey", "").strip(), fields.get("lessonid", "").strip()
        try:
            listed = await self._store.read(lambda uow: self._load_course_page(uow, key, link))
        except viewing.NoSuchPageError:
            return self._renderer.render_notice(request, HTTPStatus.NOT_FOUND, "unknown")
        _report_link(request, link, listed.course.school, is_valid=listed.is_linked)
        if listed.is_suspended:
            return self._renderer.render_notice(
                request, HTTPStatus.FORBIDDEN, "closed", listed.frame_ancestors
            )
        # Pass the parameters of the link on: the server keeps no state about its viewer.
        page = LIVE_BY_LINK if listed.is_linked else LIVE
        carried = _carry_fields(fields, *(LINK_FIELDS if listed.is_linked else ()))
        urls = {
            str(seen.lesson.id): build_url(
                page, lessonKey=seen.lesson.key, courseKey=key, **carried
            )
            for seen in listed.lessons
        }
        if chosen in urls:
            return RedirectResponse(
                urls[chosen],
                HTTPStatus.FOUND,
                {"cache-control": "no-store", "referrer-policy": "no-referrer"},
            )
        language = choose_language(request)
        return self._renderer.render(
            request,
            "course.html",
            ("live", "course"),
            frame_ancestors=listed.frame_ancestors,
            is_cacheable=not listed.is_linked,
            course={"name": listed.course.name},
            lessons=[
                {
                    "title": seen.lesson.name,
                    "teacher": seen.teacher_name,
                    "url": urls[str(seen.lesson.id)],
                    "begins_iso": format_iso(seen.lesson.hours.begin),
                    "when": format_moment(seen.lesson.hours.begin, listed.time_zone, language),
                    "view": choose_course_view(
                        seen.lesson, listed.now, has_clips=seen.lesson.id in listed.replayable
                    ),
                }
                for seen in listed.lessons
            ],
        )

    def _load_course_page(
        self, uow: UnitOfWork, key: str, link: LoginFreeLink | None
    ) -> CoursePage:
        course, school, lessons = viewing.get_course_page(uow, key)
        ticket = viewing.issue_link_ticket(uow, key, link) if link is not None else None
        return CoursePage(
            course,
            school.plan.suspended,
            parse_frame_origins(school.plan),
            school.plan.time_zone,
            lessons,
            find_replayable(uow, lessons, ticket),
            is_linked=ticket is not None,
            now=uow.now,
        )

    async def _calendar(self, request: Request) -> Response:
        key = request.path_params["key"]
        url = f"{self._hosts.pages}{build_url(LIVE, lessonKey=key)}"
        host = urlsplit(self._hosts.pages).hostname or "homeroom"

        def read(uow: UnitOfWork) -> bytes:
            seen = viewing.get_page_lesson(uow, key)
            if seen.lesson.deleted_at is not None or seen.plan.suspended:
                raise viewing.NoSuchPageError
            return calendar_file(seen, url, host, uow.now)

        try:
            content = await self._store.read(read)
        except viewing.NoSuchPageError:
            raise HTTPError(HTTPStatus.NOT_FOUND, "there is no such class") from None
        headers = {
            "content-disposition": 'attachment; filename="class.ics"',
            "cache-control": "no-cache",
            "x-content-type-options": "nosniff",
        }
        return Response(content, headers=headers, media_type="text/calendar")


def lesson_context(
    seen: PublicLesson, language: str, course_url: str | None = None
) -> dict[str, object]:
    """Return the data of a class for the templates."""
    lesson = seen.lesson
    return {
        "title": lesson.name,
        "teacher": seen.teacher_name,
        "introduction": lesson.introduction,
        "course": seen.course_name,
        "course_url": course_url,
        "calendar_url": f"/class/{lesson.key}/class.ics",
        "begins_iso": format_iso(lesson.hours.begin),
        "when": format_moment(lesson.hours.begin, seen.plan.time_zone, language),
    }


def _read_link(fields: Mapping[str, str]) -> LoginFreeLink:
    code = fields.get("checkCode", "").strip()
    return LoginFreeLink(fields.get("account", ""), fields.get("nickname", ""), code)


def _report_link(
    request: Request, link: LoginFreeLink | None, school: SchoolId, *, is_valid: bool
) -> None:
    """Write the use of a login-free link to the security log."""
    if link is not None and link.code:
        security_log.report(
            SecurityEvent.LINK_USED if is_valid else SecurityEvent.LINK_REFUSED,
            get_client_address(request.scope),
            claimed=mask_account(link.account),
            sid=school,
        )


def _carry_fields(fields: Mapping[str, str], *names: str) -> dict[str, str]:
    """Return the query fields for a link to the next page: the language and the named fields."""
    carried = {name: fields.get(name, "") for name in names}
    return carried | ({"lang": fields["lang"]} if fields.get("lang") in LANGUAGES else {})
