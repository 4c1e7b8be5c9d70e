"""Rehearsed classes: a script is played on a class by the clock of the sandbox (Q100)."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request

from homeroom.async_store import AsyncStore
from homeroom.base.ids import LessonId, SchoolId
from homeroom.contract.messages.script import AnyStep, format_step, parse_step
from homeroom.domain.refusal import OperatorError
from homeroom.sandbox.bodies import ScriptRequest, read_json
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import rehearsals
from homeroom.web.problems import HTTPError


class ClassPlace(NamedTuple):
    """A class of a school."""

    school: SchoolId
    lesson: LessonId


def read_place(request: Request) -> ClassPlace:
    """Return the class of a query."""
    ids = []
    for name in ("sid", "class"):
        text = request.query_params.get(name, "")
        if not (text.isascii() and text.isdecimal() and len(text) < len(str(2**63))):
            raise HTTPError(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number")
        ids.append(int(text))
    return ClassPlace(SchoolId(ids[0]), LessonId(ids[1]))


async def read_state(store: AsyncStore, school: SchoolId, lesson: LessonId) -> dict[str, Any]:
    """Return who is inside a class, and what is to come."""
    try:
        state = await store.read(lambda uow: rehearsals.get_state(uow, school, lesson))
    except OperatorError as error:
        raise HTTPError(HTTPStatus.NOT_FOUND, str(error)) from None
    inside = [
        {
            "uid": stay.user,
            "identity": stay.identity,
            "client": stay.client,
            "device": stay.device,
            "enteredTime": stay.entered_at,
        }
        for stay in state.inside
    ]
    coming = [{"due": due_at, **format_step(step)} for due_at, step in state.coming]
    return {"sid": school, "classId": lesson, "inside": inside, "coming": coming}


async def add_script(store: AsyncStore, request: Request) -> tuple[ClassPlace, int]:
    """Add the script of a request to its class; return the class and the size of the script."""
    body = await read_json(request, ScriptRequest)
    place = ClassPlace(SchoolId(body.sid), LessonId(body.class_id))
    script = _parse_script(body.script) if isinstance(body.script, list) else None

    def add(uow: UnitOfWork) -> int:
        if script is None:
            return rehearsals.add_lesson(uow, *place)
        rehearsals.add(uow, *place, script)
        return len(script)

    try:
        return place, await store.write(add, place.school)
    except OperatorError as error:
        raise HTTPError(HTTPStatus.BAD_REQUEST, str(error)) from None


async def drop_script(store: AsyncStore, school: SchoolId, lesson: LessonId) -> int:
    """Drop what has not happened yet in a class, and return its size."""
    try:
        return await store.write(lambda uow: rehearsals.drop(uow, school, lesson), school)
    except OperatorError as error:
        raise HTTPError(HTTPStatus.NOT_FOUND, str(error)) from None


def _parse_script(entries: Sequence[msgspec.Raw]) -> list[AnyStep]:
    """Return the events of a script; raises `HTTPError` with the place of a wrong one."""
    script = []
    for place, entry in enumerate(entries, 1):
        try:
            script.append(parse_step(entry))
        except msgspec.MsgspecError as error:
            raise HTTPError(HTTPStatus.BAD_REQUEST, f"event {place}: {error}") from None
    if not script:
        raise HTTPError(HTTPStatus.BAD_REQUEST, "script: name one event or more")
    return script
