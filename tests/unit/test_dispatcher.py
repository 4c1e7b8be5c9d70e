"""The dispatcher serves a wire that it knows nothing of: a toy v2 wire, JSON in and JSON out."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest

from homeroom.async_store import AsyncStore
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.settings import Settings
from homeroom.contract.action import V2JSON, Action, Check
from homeroom.contract.catalogue import ACTIONS
from homeroom.contract.errno import Errno
from homeroom.contract.params import ID, TEXT, Params
from homeroom.contract.results import Result
from homeroom.domain.refusal import OverloadedError, Refusal
from homeroom.domain.webcasts import Hosts
from homeroom.folder import open_store
from homeroom.partner import locks
from homeroom.partner.dispatcher import Dispatcher
from homeroom.partner.duplicates import DuplicateGuard
from homeroom.partner.rate_limits import CallCounter
from homeroom.partner.response import PartnerResponse, make_overload_response
from homeroom.partner.routes import CallContext, LockRule, route
from homeroom.partner.turns import SchoolTurns
from homeroom.partner.wires.asgi import Observer, RequestRecord, Scope, WireApp
from homeroom.store.local_storage import LocalStorage
from homeroom.store.records import Job, Lease
from homeroom.testing.clock import ManualClock
from homeroom.usecases import schools
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.bodies import BodyStream, Receive
from homeroom.web.faults import Fault, FaultInjector

# --- the toy: one action, its handler, its wire ---------------------------------------------------


class AddNote(Params, frozen=True, kw_only=True):
    """Parameters of the toy action."""

    course_id: Annotated[int, ID]
    text: Annotated[str, TEXT]


class AddedNote(Result, frozen=True, kw_only=True):
    """Result of the toy action."""

    data: int


ADD_NOTE = Action(
    name="addNote",
    title="Add a note",
    params=AddNote,
    result=AddedNote,
    bindings=(V2JSON("/notes/add", missing=Errno.PARAM_MISSING),),
    checks=(
        Check(Errno.REPEATED_TOO_SOON, "the same parameters came within five seconds"),
        Check(Errno.BEING_CREATED, "another note of the course is being added"),
        Check(Errno.NO_SUCH_COURSE, "the course is number 404"),
    ),
    warnings=(Check(Errno.AVATAR_NOT_STORED, "the text asks for a warning"),),
)


def course_keys(school: SchoolId, params: AddNote) -> Iterable[str]:
    """Name the lock of a course's notes."""
    return (f"notes {school} {params.course_id}",)


@dataclass
class Toy:
    """The toy's handler, with a gate that its call waits at."""

    gate: threading.Event = field(default_factory=threading.Event)
    began: threading.Event = field(default_factory=threading.Event)
    notes: list[str] = field(default_factory=list)

    def add(self, context: CallContext[None], params: AddNote) -> AddedNote:
        """Add a note in the unit of work."""
        if params.course_id == 404:
            raise Refusal(Errno.NO_SUCH_COURSE)
        if params.text == "slow":
            self.began.set()
            assert self.gate.wait(10)
        if params.text == "overload":
            raise OverloadedError(7, "the toy is overloaded")
        if params.text == "warn":
            context.uow.warn(Errno.AVATAR_NOT_STORED)
        assert context.uow.schools.get(context.school) is not None
        self.notes.append(params.text)
        return AddedNote(data=len(self.notes))


class ToyV2Wire(WireApp):
    """A v2 wire in little: the school in a header, JSON in the body, `{code, msg, data}` back."""

    def __init__(self, dispatcher: Dispatcher, observer: Observer, toy: Toy) -> None:
        super().__init__(observer, "toy", (ADD_NOTE,))
        self._dispatcher = dispatcher
        add_note = route(
            ADD_NOTE,
            toy.add,
            locks=(LockRule(course_keys, Errno.BEING_CREATED),),
            refuses_duplicates=True,
        )
        self._routes = {add_note.action.v2.path: add_note}

    def get_malformed_errno(self, _action: Action[Any, Any] | None) -> Errno:
        """Return the errno of a body that is no JSON object."""
        return Errno.MALFORMED_REQUEST

    async def respond(
        self, scope: Scope, receive: Receive, record: RequestRecord
    ) -> PartnerResponse:
        """Read a JSON object, and dispatch it."""
        headers = dict(scope["headers"])
        body = await BodyStream(receive, headers.get(b"content-length", b""), limit=1000).read_all()
        row = self._routes[scope["path"]]
        record.action, record.is_known = row.action.name, True
        record.school = SchoolId(int(headers[b"x-eeo-uid"]))
        record.fields = json.loads(body)
        return await self._dispatcher.dispatch(row, record.school, record.fields)

    def encode(self, response: PartnerResponse) -> bytes:
        """Return `{code, msg, data}` as JSON."""
        code = response.errno.number
        data = response.result.data if isinstance(response.result, AddedNote) else None
        return json.dumps({"code": code, "msg": response.errno.en, "data": data}).encode()


# --- the harness ----------------------------------------------------------------------------------


@dataclass
class Harness:
    """A toy wire over a real store."""

    wire: ToyV2Wire
    toy: Toy
    faults: FaultInjector
    school: SchoolId
    clock: ManualClock
    counted: list[tuple[str, int]]
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    """Of the last response."""

    async def add(self, text: str = "text", course: int = 1) -> dict[str, Any]:
        """Call the toy action, and return the JSON of the response; empty when it was dropped."""
        body = json.dumps({"courseId": course, "text": text}).encode()
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": body},
            {"type": "http.disconnect"},
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "path": "/notes/add",
            "headers": [(b"x-eeo-uid", str(self.school).encode())],
            "extensions": {"homeroom.abort": lambda: None},
        }
        await self.wire(scope, receive, send)
        if not sent:
            return {}
        self.status, self.headers = sent[0]["status"], dict(sent[0]["headers"])
        response: dict[str, Any] = json.loads(sent[1]["body"])
        return response


def with_harness(folder: Path, test: Callable[[Harness], Coroutine[Any, Any, None]]) -> None:
    """Run a test on a fresh store in an event loop of its own."""
    settings = Settings(data=folder)
    clock = ManualClock()

    async def run_jobs(_jobs: Iterable[Job]) -> bool:
        return True

    async def main() -> None:
        with open_store(settings) as store:
            deps = Dependencies(KeyGenerator(), "", 0)
            school = await asyncio.to_thread(
                store.write, lambda uow: schools.create(uow, deps, "School").id
            )
            toy, faults = Toy(), FaultInjector()
            counted: list[tuple[str, int]] = []
            dispatcher = Dispatcher(
                AsyncStore(store),
                clock,
                deps,
                Hosts("", "", ""),
                LocalStorage(folder),
                turns=SchoolTurns(),
                duplicates=DuplicateGuard(),
                rate_limits=CallCounter(),
                faults=faults,
                lease_jobs=lambda: Lease(0, None),
                run_jobs=run_jobs,
            )
            observer = Observer(lambda action, errno, _: counted.append((action, errno)), clock)
            wire = ToyV2Wire(dispatcher, observer, toy)
            await test(Harness(wire, toy, faults, SchoolId(school), clock, counted))

    asyncio.run(main())


# --- the tests ------------------------------------------------------------------------------------


def test_an_action_of_the_v2_wire_is_dispatched(tmp_path: Path) -> None:
    async def test(harness: Harness) -> None:
        done = await harness.add()
        assert done == {"code": 1, "msg": Errno.DONE.en, "data": 1}
        assert harness.toy.notes == ["text"]
        assert harness.counted == [("addNote", 1)]

    with_harness(tmp_path, test)


def test_parameters_and_refusals_travel_in_the_envelope_of_the_wire(tmp_path: Path) -> None:
    async def test(harness: Harness) -> None:
        assert (await harness.add(text=""))["code"] == Errno.PARAM_MISSING.number
        assert (await harness.add(course=0))["code"] == Errno.BAD_VALUE.number
        # What is missing comes first, wherever it stands.
        assert (await harness.add(text="", course=0))["code"] == Errno.PARAM_MISSING.number
        assert (await harness.add(course=404))["code"] == Errno.NO_SUCH_COURSE.number
        assert harness.toy.notes == []

    with_harness(tmp_path, test)


def test_a_warning_keeps_the_work(tmp_path: Path) -> None:
    async def test(harness: Harness) -> None:
        warned = await harness.add("warn")
        assert (warned["code"], warned["data"]) == (Errno.AVATAR_NOT_STORED.number, 1)
        assert harness.toy.notes == ["warn"]

    with_harness(tmp_path, test)


def test_a_duplicate_is_refused_for_five_seconds(tmp_path: Path) -> None:
    async def test(harness: Harness) -> None:
        assert (await harness.add())["code"] == 1
        assert (await harness.add())["code"] == Errno.REPEATED_TOO_SOON.number
        assert (await harness.add("other"))["code"] == 1
        harness.clock.advance(5)
        assert (await harness.add())["code"] == 1

    with_harness(tmp_path, test)


def test_a_call_that_did_nothing_makes_no_duplicate(tmp_path: Path) -> None:
    async def test(harness: Harness) -> None:
        for _ in range(2):
            assert (await harness.add(course=404))["code"] == Errno.NO_SUCH_COURSE.number
        assert (await harness.add("warn"))["code"] == Errno.AVATAR_NOT_STORED.number
        assert (await harness.add("warn"))["code"] == Errno.REPEATED_TOO_SOON.number

    with_harness(tmp_path, test)


def test_an_overloaded_server_says_when_to_try_again_and_the_same_call_is_no_duplicate(
    tmp_path: Path,
) -> None:
    async def test(harness: Harness) -> None:
        for _ in range(2):
            assert (await harness.add("overload"))["code"] == Errno.SERVER_FAULT.number
            assert harness.status == 503
            assert harness.headers[b"retry-after"] == b"7"
            assert harness.headers[b"x-homeroom-reason"] == b"the toy is overloaded"
        assert (await harness.add())["code"] == 1
        assert harness.status == 200
        assert b"retry-after" not in harness.headers
        assert harness.toy.notes == ["text"]

    with_harness(tmp_path, test)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_an_overload_is_the_server_fault_where_the_action_lists_it(
    action: Action[Any, Any],
) -> None:
    response = make_overload_response(OverloadedError(1, "busy"), action)
    is_listed = Errno.SERVER_FAULT in action.errnos
    assert response.errno is (Errno.SERVER_FAULT if is_listed else Errno.FAILED)


def test_an_overload_before_the_action_is_known_is_an_unknown_error() -> None:
    assert make_overload_response(OverloadedError(1, "busy"), None).errno is Errno.FAILED


def test_a_request_for_a_locked_key_is_refused_when_it_has_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_WAIT_SECONDS", 0.05)

    async def test(harness: Harness) -> None:
        slow = asyncio.create_task(harness.add("slow"))
        await asyncio.to_thread(harness.toy.began.wait, 10)
        locked = await harness.add("second")
        elsewhere = asyncio.create_task(harness.add("elsewhere", course=2))
        harness.toy.gate.set()
        assert locked["code"] == Errno.BEING_CREATED.number
        assert (await slow)["code"] == (await elsewhere)["code"] == 1

    with_harness(tmp_path, test)


def test_faults_are_injected(tmp_path: Path) -> None:
    async def test(harness: Harness) -> None:
        def inject(**changes: Any) -> None:  # noqa: ANN401  fields of a fault
            fault = {
                "id": 0,
                "action": "addNote",
                "school": None,
                "errno": None,
                "delay_ms": 0,
                "drop": False,
                "times": 1,
                "after_commit": False,
            }
            harness.faults.add(Fault(**{**fault, **changes}))

        inject(errno=Errno.FAILED)
        assert (await harness.add("failed"))["code"] == Errno.FAILED.number
        inject(errno=Errno.SERVER_FAULT, after_commit=True)
        assert (await harness.add("kept"))["code"] == Errno.SERVER_FAULT.number
        inject(errno=Errno.AVATAR_NOT_STORED)
        assert (await harness.add("warned"))["code"] == Errno.AVATAR_NOT_STORED.number
        inject(drop=True)
        assert await harness.add("dropped") == {}
        assert harness.toy.notes == ["kept", "warned"]

    with_harness(tmp_path, test)
