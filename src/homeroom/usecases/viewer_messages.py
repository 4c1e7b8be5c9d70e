"""Messages about the viewers of live pages (READINGS Q96).

Use cases call these functions after they have written a change. Without receivers nothing is read.
"""

from collections.abc import Iterable
from enum import IntEnum

from homeroom.base.clock import Moment
from homeroom.base.values import Value
from homeroom.contract.messages.body import MessageBody
from homeroom.contract.messages.viewers import (
    ChatData,
    ChatDetails,
    ChatExtension,
    LikeData,
    LiveChat,
    LiveLike,
    LiveLogin,
    LiveReserve,
    LiveView,
    LoginData,
    ReserveData,
    VisitData,
    WebReplayView,
)
from homeroom.domain.chat import ChatEntry
from homeroom.domain.events import Event
from homeroom.domain.lessons import Lesson
from homeroom.domain.page_visits import PageVisit
from homeroom.store.unit_of_work import UnitOfWork


class ClientType(IntEnum):
    """The kind of a viewer's browser: ClientType on the wire."""

    DESKTOP = 1
    MOBILE = 2


class PageVisitor(Value, frozen=True):
    """A viewer on a page, as messages describe them."""

    lesson: Lesson
    account: str
    nickname: str
    address: str = ""
    """Empty unless the plan of the school lets messages carry addresses."""
    client_type: ClientType = ClientType.DESKTOP


class Like(Value, frozen=True):
    """Likes of a viewer at one moment."""

    visitor: PageVisitor
    number: int
    at: Moment


def emit_login(uow: UnitOfWork, lesson: Lesson, account: str, nickname: str) -> None:
    """Write that a viewer logged in on the page of a class, if it can be live."""
    lifecycle = lesson.lifecycle
    if lesson.recording.live and lifecycle.opens_at <= uow.now < lifecycle.closes_at:
        data = LoginData(telephone=account, login_time=uow.now, nickname=nickname)
        uow.emit(_build_event(lesson, uow.now, LiveLogin(data=data)))


def emit_reservation(uow: UnitOfWork, lesson: Lesson, account: str) -> None:
    """Write that a viewer wants to be reminded of a class."""
    data = ReserveData(telephone=account, reserve_time=uow.now)
    uow.emit(_build_event(lesson, uow.now, LiveReserve(data=data)))


def emit_chat(uow: UnitOfWork, messages: Iterable[tuple[ChatEntry, PageVisitor]]) -> None:
    """Write that viewers wrote in the chat of a class."""
    uow.emit_all(
        [
            _build_event(visitor.lesson, entry.sent_at, _build_chat(entry, visitor))
            for entry, visitor in messages
            if uow.wants_messages(visitor.lesson.school)
        ]
    )


def emit_likes(uow: UnitOfWork, likes: Iterable[Like]) -> None:
    """Write each like of some viewers."""
    uow.emit_all(
        [
            _build_event(
                like.visitor.lesson,
                like.at,
                LiveLike(data=LikeData(telephone=like.visitor.account, time=like.at)),
            )
            for like in likes
            if uow.wants_messages(like.visitor.lesson.school)
            for _ in range(like.number)
        ]
    )


def emit_visits(uow: UnitOfWork, ended: Iterable[tuple[Lesson, PageVisit, Moment]]) -> None:
    """Write that visits of pages have ended, each with the moment it was renewed last."""
    uow.emit_all(
        [
            _build_event(lesson, seen_at, _build_visit(visit, seen_at))
            for lesson, visit, seen_at in ended
        ]
    )


def _build_visit(visit: PageVisit, seen_at: Moment) -> LiveView | WebReplayView:
    data = VisitData(
        telephone=visit.account,
        nickname=visit.nickname,
        intime=visit.started_at,
        look_time=max(seen_at - visit.started_at, 0),
        sample_ip=visit.address,
        ip=visit.address,
        client_type=visit.client_type,
    )
    return WebReplayView(data=data) if visit.is_replay else LiveView(data=data)


def _build_chat(entry: ChatEntry, visitor: PageVisitor) -> LiveChat:
    return LiveChat(
        data=ChatData(
            account=visitor.account,
            nickname=visitor.nickname,
            time_stamp=entry.sent_at,
            ip=visitor.address,
            msg_detail=ChatDetails(
                msg=entry.new.text,
                ext=ChatExtension(roleid=visitor.account, message_id=str(entry.id)),
            ),
        )
    )


def _build_event(lesson: Lesson, at: Moment, body: MessageBody) -> Event:
    return Event(school=lesson.school, course=lesson.course, lesson=lesson.id, at=at, body=body)
