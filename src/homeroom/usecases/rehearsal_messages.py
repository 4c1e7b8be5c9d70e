"""Messages of what is done in a rehearsed classroom (READINGS Q100)."""

from collections.abc import Callable
from typing import Final

import msgspec

from homeroom.base.ids import UserId
from homeroom.contract.messages.body import FILE_ADDRESS, MessageBody
from homeroom.contract.messages.classroom import (
    NETWORK_DEFAULTS,
    AnsweringPerson,
    AnswerTool,
    Area,
    Authorize,
    Award,
    BlackboardImage,
    CameraPosition,
    HandRaise,
    HelpCall,
    HelpRequest,
    Kick,
    MuteAll,
    MuteOne,
    NetworkReport,
    Point,
    Rating,
    Ratings,
    ResponderTool,
    Stage,
    StudentRatings,
)
from homeroom.domain.classroom_events import ClassroomEvent, ClassroomEventKind
from homeroom.domain.events import EVERYBODY, Event
from homeroom.domain.rehearsals import Rehearsal
from homeroom.store.unit_of_work import UnitOfWork

BLANK_BOARD: Final = "boards/blank.png"
"""The stored picture of a blackboard: a rehearsed one is blank."""
_ALL: Final = UserId(0)
_QUESTION: Final = "standaloneSelectorTool"
_RACE: Final = "standaloneResponderTool"
_ROUND: Final = "globalData"


def send(uow: UnitOfWork, room: Rehearsal, event: ClassroomEvent) -> None:
    """Send the message of an event; `room` has noted it. Some events have none."""
    build = _BUILDERS.get(event.kind)
    lesson = room.lesson
    if build is None or not uow.wants_messages(lesson.school):
        return
    source = event.actor if event.actor is not None else event.user
    target = event.user if event.user is not None else EVERYBODY
    if event.kind is ClassroomEventKind.RATE:
        target = UserId(event.details["student"] or lesson.teacher)
    uow.emit(
        Event(
            school=lesson.school,
            course=lesson.course,
            lesson=lesson.id,
            at=event.at,
            source=source,
            target=target,
            body=build(uow, room, event),
            file_path=BLANK_BOARD if event.kind is ClassroomEventKind.BOARD else None,
            is_simulated=True,
        )
    )


def _hand(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    return HandRaise(color=f"handsup{event.user}", handsup=event.details["up"])


def _award(_uow: UnitOfWork, room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    user = _get_user(event)
    return Award(color=f"award{user}", times=room.trophies[user])


def _camera(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    return CameraPosition(
        color=f"webcamPosition{event.user}",
        area=msgspec.convert(event.details["area"], Area),
        on_top=event.details["onTop"],
        channel=event.details["channel"],
    )


def _authorize(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    return Authorize(operation=event.details["on"])


def _stage(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    return Stage(operation=int(event.details["on"]))


def _mute(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    return MuteOne(target_uid=_get_user(event), operation=int(event.details["on"]))


def _mute_all(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    return MuteAll(operation=int(event.details["on"]))


def _kick(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    return Kick(target_uid=_get_user(event), duration=event.details["seconds"])


def _answer_tool(uow: UnitOfWork, room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    """Return the message of a question, of an answer to it, or of its end."""
    question = room.question or room.collected or event
    is_answer = event.kind is ClassroomEventKind.ANSWER
    is_collected = event.kind is ClassroomEventKind.COLLECT
    return AnswerTool(
        area=Area(),
        color=f"{_QUESTION}{event.user if is_answer else _ROUND}",
        q_sent_time=question.at,
        cur_state=2 if is_collected else 1,
        q_collect_time=event.at if is_collected else 0,
        correct_items=question.details["correct"],
        commited=2 if is_answer else 0,
        selected_item=event.details["item"] if is_answer else "",
        all_items=question.details["items"],
        participants=_describe(uow, room, event.user),
        recv_question_time=question.at if is_answer else 0,
        last_commit_time=event.at if is_answer else 0,
    )


def _responder_tool(uow: UnitOfWork, room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    """Return the message of a race, of a grab in it, or of its end."""
    is_grab, is_over = (
        event.kind is ClassroomEventKind.GRAB,
        event.kind is ClassroomEventKind.RACE_END,
    )
    fastest = room.fastest
    person = _describe(uow, room, fastest.user if fastest is not None else None)
    return ResponderTool(
        area=Area(),
        color=f"{_RACE}{event.user if is_grab else _ROUND}",
        random_top_left=Point(),
        participants=_describe(uow, room, event.user),
        end_time=event.at if is_over else 0,
        cur_state=4 if is_over else 2 if is_grab else 1,
        fastest_uid=UserId(person.uid),
        fastest_guy_time=fastest.at if fastest is not None else 0,
        fastest_guy_name=person.show_name,
    )


def _network(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    return NetworkReport(uid=_get_user(event), data=NETWORK_DEFAULTS | event.details["data"])


def _help(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    details = event.details
    call = HelpCall(uid=_get_user(event), message=details["text"], user_list=details["about"])
    return HelpRequest(data=call)


def _board(_uow: UnitOfWork, _room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    return BlackboardImage(url=FILE_ADDRESS, group_id=event.details["group"])


def _ratings(uow: UnitOfWork, room: Rehearsal, event: ClassroomEvent) -> MessageBody:
    """Return all latest ratings by the teacher, or the latest one by a student."""
    user, teacher = _get_user(event), room.lesson.teacher
    comments = {}
    for (rater, rated), latest in room.ratings.items():
        if rater != user:
            continue
        rating = Rating(latest.details["comment"], latest.details["score"])
        person = uow.accounts.get(rated if rater == teacher else rater)
        if person is None:
            continue
        named = StudentRatings(
            account=person.telephone or person.email or "",
            email=person.email or msgspec.UNSET,
        )
        by = {"by_teacher": rating} if rater == teacher else {"of_teacher": rating}
        comments[str(person.id)] = msgspec.structs.replace(named, **by)
    return Ratings(teacher=teacher, comments=comments)


_BUILDERS: Final[
    dict[ClassroomEventKind, Callable[[UnitOfWork, Rehearsal, ClassroomEvent], MessageBody]]
] = {
    ClassroomEventKind.HAND: _hand,
    ClassroomEventKind.AWARD: _award,
    ClassroomEventKind.CAMERA: _camera,
    ClassroomEventKind.AUTHORIZE: _authorize,
    ClassroomEventKind.STAGE: _stage,
    ClassroomEventKind.MUTE: _mute,
    ClassroomEventKind.MUTE_ALL: _mute_all,
    ClassroomEventKind.KICK: _kick,
    ClassroomEventKind.QUESTION: _answer_tool,
    ClassroomEventKind.ANSWER: _answer_tool,
    ClassroomEventKind.COLLECT: _answer_tool,
    ClassroomEventKind.RACE: _responder_tool,
    ClassroomEventKind.GRAB: _responder_tool,
    ClassroomEventKind.RACE_END: _responder_tool,
    ClassroomEventKind.NETWORK: _network,
    ClassroomEventKind.HELP: _help,
    ClassroomEventKind.BOARD: _board,
    ClassroomEventKind.RATE: _ratings,
}


def _get_user(event: ClassroomEvent) -> UserId:
    return event.user if event.user is not None else _ALL


def _describe(uow: UnitOfWork, room: Rehearsal, user: UserId | None) -> AnsweringPerson:
    """Return a person of an answer, or the empty person for the service."""
    person = uow.accounts.get(user) if user is not None else None
    if person is None:
        return AnsweringPerson()
    identity = int(room.identities.get(person.id, AnsweringPerson().identity))
    return AnsweringPerson(person.nickname, person.id, identity)
