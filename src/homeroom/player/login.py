"""Login and logout of viewers, and registration of guests."""

import asyncio
from enum import StrEnum
from functools import cache
from http import HTTPStatus
from math import ceil
from typing import Annotated, Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from homeroom.async_store import AsyncStore
from homeroom.base import passwords
from homeroom.base.clock import MINUTE
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.masking import mask_account
from homeroom.base.networks import network_of
from homeroom.base.text import format_count, is_storable
from homeroom.domain.accounts import User, parse_telephone
from homeroom.domain.lessons import Lesson
from homeroom.domain.refusal import OperatorError, Refusal
from homeroom.domain.viewers import normalize_guest_name
from homeroom.domain.webcasts import Hosts
from homeroom.player.login_throttle import LoginLimits, LoginThrottledError, PasswordChecks
from homeroom.player.rate_limiter import RateLimiter
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import logins, viewing
from homeroom.usecases.dependencies import Dependencies
from homeroom.web import security_log
from homeroom.web.addresses import get_client_address
from homeroom.web.bodies import read_body
from homeroom.web.origins import is_same_origin
from homeroom.web.problems import HTTPError, json_response
from homeroom.web.security_log import SecurityEvent

MAX_BODY_BYTES = 8 * 1024
"""Longest request body."""
MAX_PASSWORDS = 2
"""Passwords of an account that count on a page: the school's and the operator's."""
Form = TypeVar("Form", bound=msgspec.Struct)
ShortText = Annotated[str, msgspec.Meta(max_length=200)]
SealedTicket = Annotated[str, msgspec.Meta(max_length=2000)]


class LoginRefusal(StrEnum):
    """The reason why a form of the pages is refused; each form has a text for those it may meet."""

    WRONG = "wrong"
    """No account has this password."""
    TELEPHONE = "telephone"
    NICKNAME = "nickname"
    LOGIN = "login"
    """Only those who log in may watch, or chat."""
    THROTTLED = "throttled"
    """Too many attempts: try again later."""


class LoginForm(msgspec.Struct, frozen=True):
    """Body of a login."""

    account: ShortText
    password: ShortText


class LogoutForm(msgspec.Struct, frozen=True):
    """Body of a logout."""

    ticket: SealedTicket


class GuestForm(msgspec.Struct, frozen=True):
    """Body of a guest's registration: telephone number and nickname."""

    telephone: ShortText
    nickname: ShortText
    ticket: SealedTicket | None = None


class LoginEndpoints:
    """Endpoints of the login and guest forms, with their rate limits."""

    def __init__(
        self, store: AsyncStore, deps: Dependencies, hosts: Hosts, limits: LoginLimits
    ) -> None:
        self._store = store
        self._deps = deps
        self._hosts = hosts
        self._limits = limits
        self._checks = PasswordChecks()
        self._guest_limiter = RateLimiter(300, 1, MINUTE)
        self._logout_limiter = RateLimiter(300, 1, MINUTE)

    def routes(self) -> list[Route]:
        """Return the routes of these endpoints."""
        forms = {"login": self._log_in, "logout": self._log_out, "guest": self._register_guest}
        return [
            Route(f"/class/{{key}}/{name}", answer, methods=["POST"])
            for name, answer in forms.items()
        ]

    async def _log_in(self, request: Request) -> Response:
        form = await self._read_form(request, LoginForm)
        lesson = await self._find_lesson(request.path_params["key"])
        school, account = lesson.school, form.account.strip()
        try:
            attempt = await self._limits.begin(account.lower(), _client_network(request))
            async with self._checks.check_slot(attempt):
                user = await self._authenticate(school, account, form.password)
        except LoginThrottledError as error:
            facts = {"sid": school, "claimed": mask_account(account)}
            raise _rate_limited(request, error.seconds, **facts) from None
        if user is None:
            _report(request, SecurityEvent.LOGIN_FAILED, sid=school, claimed=mask_account(account))
            raise _problem(
                HTTPStatus.UNAUTHORIZED, LoginRefusal.WRONG, "no account has this password"
            )
        self._limits.succeed(attempt)
        # A login always gets a new ticket, so a ticket known to others gains nothing.
        ticket = await self._store.write(
            lambda uow: logins.log_in_on_page(uow, self._deps, lesson, user, account), school
        )
        _report(request, SecurityEvent.LOGIN_SUCCEEDED, sid=school, actor=f"user {user.id}")
        return json_response({"ticket": ticket})

    async def _authenticate(self, school: SchoolId, account: str, password: str) -> User | None:
        """Return the user with this account and password, or None.

        An unknown account takes as long as a wrong password, so that timing reveals no accounts.
        """
        existing = None
        if is_storable(account):
            existing = await self._store.read(lambda uow: logins.find_account(uow, school, account))
        hashes = existing.password_hashes if existing is not None else ()
        is_right = await asyncio.to_thread(_is_any_right, hashes, password)
        return existing.user if existing is not None and is_right else None

    async def _log_out(self, request: Request) -> Response:
        form = await self._read_form(request, LogoutForm)
        _count_attempt(self._logout_limiter, request)
        # Forged tickets are rejected without a unit of work.
        if logins.has_session(self._deps, form.ticket):
            await self._store.write(lambda uow: logins.log_out(uow, self._deps, form.ticket))
            _report(request, SecurityEvent.LOGOUT)
        return json_response({})

    async def _register_guest(self, request: Request) -> Response:
        form = await self._read_form(request, GuestForm)
        _count_attempt(self._guest_limiter, request)
        try:
            number = parse_telephone("".join(form.telephone.split())).value
        except Refusal as refusal:
            raise _problem(HTTPStatus.BAD_REQUEST, LoginRefusal.TELEPHONE, refusal.reason) from None
        try:
            name = normalize_guest_name(form.nickname, number)
        except OperatorError as reason:
            raise _problem(HTTPStatus.BAD_REQUEST, LoginRefusal.NICKNAME, str(reason)) from None

        key = request.path_params["key"]

        def unit(uow: UnitOfWork) -> str:
            return viewing.register_guest(uow, self._deps, key, form.ticket, number, name)

        try:
            ticket = await self._store.write(unit)
        except viewing.NoSuchPageError:
            raise _no_class() from None
        except viewing.LoginRequiredError:
            raise _problem(HTTPStatus.UNAUTHORIZED, LoginRefusal.LOGIN, "log in first") from None
        _report(request, SecurityEvent.GUEST_REGISTERED, claimed=mask_account(number))
        return json_response({"ticket": ticket})

    async def _find_lesson(self, key: str) -> Lesson:
        """Return a class with a public page; raises `HTTPError`."""
        try:
            seen = await self._store.read(lambda uow: viewing.get_page_lesson(uow, key))
        except viewing.NoSuchPageError:
            raise _no_class() from None
        if seen.lesson.deleted_at is not None or seen.plan.suspended:
            raise _no_class()
        return seen.lesson

    async def _read_form(self, request: Request, form: type[Form]) -> Form:
        """Return the decoded body of a same-origin request; raises `HTTPError`."""
        if not is_same_origin(request.headers, self._hosts.pages):
            raise HTTPError(HTTPStatus.FORBIDDEN, "another site's page may not ask this")
        # HTML forms cannot send this type, and scripts of other origins need a preflight: no CSRF.
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        try:
            return msgspec.json.decode(await read_body(request, MAX_BODY_BYTES), type=form)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise HTTPError(HTTPStatus.BAD_REQUEST, "the body is not what is asked for") from None


def _is_any_right(hashes: tuple[str, ...], password: str) -> bool:
    """Tell whether a password matches one of an account's hashes.

    A wrong password is always compared as often as an account can have hashes.
    """
    padding = (_dummy_hash(),) * (MAX_PASSWORDS - len(hashes))
    return any(
        passwords.verify_password(password_hash, password) for password_hash in (*hashes, *padding)
    )


@cache
def _dummy_hash() -> str:
    return passwords.hash_password(KeyGenerator().secret(), None)


def _client_network(request: Request) -> str:
    return network_of(get_client_address(request.scope))


def _report(request: Request, event: SecurityEvent, **facts: Any) -> None:  # noqa: ANN401  fields of the log
    """Write an event to the security log, with the name of the form."""
    form = request.url.path.rpartition("/")[2]
    security_log.report(event, get_client_address(request.scope), form=form, **facts)


def _count_attempt(limiter: RateLimiter, request: Request) -> None:
    """Count an attempt from the network of a request; raises `HTTPError` if it must wait."""
    network = _client_network(request)
    wait = limiter.seconds_to_wait(network)
    if wait > 0:
        raise _rate_limited(request, wait)
    limiter.record_attempt(network)


def _rate_limited(request: Request, wait: float, **facts: Any) -> HTTPError:  # noqa: ANN401  fields of the log
    """Report a throttled request, and return its error, with the seconds to wait."""
    _report(request, SecurityEvent.LOGIN_THROTTLED, **facts)
    seconds = ceil(wait)
    return HTTPError(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"try again in {format_count(seconds, 'second')}",
        {"retry-after": str(seconds)},
        more={"code": LoginRefusal.THROTTLED, "retry_after": seconds},
    )


def _problem(status: HTTPStatus, code: LoginRefusal, detail: str) -> HTTPError:
    return HTTPError(status, detail, more={"code": code})


def _no_class() -> HTTPError:
    return HTTPError(HTTPStatus.NOT_FOUND, "there is no such class")
