"""State that the worker processes of a server share: the sandbox, recent calls, identities."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from homeroom.base.clock import DAY, HOUR, SystemClock
from tests.support.chat import Chatter
from tests.support.engine import until
from tests.support.inbox import receiving_in_thread
from tests.support.operator import run_json
from tests.support.postgres import Postgres
from tests.support.process import Process
from tests.support.sandbox import Sandbox
from tests.support.wire import Partner, Reply, Value

pytestmark = pytest.mark.e2e

MANY: Final = 24
"""Connections of which both processes get some, in all runs but one of millions."""
Fields = dict[str, Value]


@pytest.fixture(scope="module")
def server(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    options = ("--demo", "--workers", "2", "--sandbox", "--media", "none")
    folder = tmp_path_factory.mktemp("workers")
    running = Process(*options, data=folder, database=postgres.fresh())
    yield running
    running.stop()


@pytest.fixture
def sandbox(server: Process) -> Iterator[Sandbox]:
    sandbox = Sandbox(server.url)
    with sandbox.http:
        yield sandbox


def call(server: Process, action: str, fields: Fields, moment: threading.Barrier) -> Reply:
    """Call on a connection of its own, at the same moment as others."""
    api = Partner(server.url, server.sid, server.secret, SystemClock())
    try:
        moment.wait(20)
        return api.call(action, **fields)
    finally:
        api.close()


def call_at_once(
    server: Process, action: str, fields: Callable[[int], Fields], calls: int = MANY
) -> list[Reply]:
    moment = threading.Barrier(calls)
    with ThreadPoolExecutor(calls) as threads:
        futures = [
            threads.submit(call, server, action, fields(place), moment) for place in range(calls)
        ]
        return [future.result() for future in futures]


# --- the sandbox ----------------------------------------------------------------------------------


def read_offsets(server: Process) -> set[int]:
    """Return what the processes say of the clock."""
    urls = [f"{server.url}/sandbox/clock"] * MANY
    return {httpx.get(url, trust_env=False, timeout=10).json()["offset"] for url in urls}


def test_the_clock_is_moved_for_all_processes_before_the_answer(
    server: Process, sandbox: Sandbox
) -> None:
    begin = SystemClock().now() + 2 * DAY

    def add(place: int) -> Fields:
        return {"courseName": f"Course {place}", "expiryTime": begin}

    assert {reply.errno for reply in call_at_once(server, "addCourse", add)} == {1}
    sandbox.move(advance=3 * DAY)
    try:
        # Two clocks of whole seconds are read one after the other.
        assert read_offsets(server) <= {3 * DAY - 1, 3 * DAY}
        # The expiry is in the past now, for each of them.
        errnos = {reply.errno for reply in call_at_once(server, "addCourse", add)}
        assert len(errnos) == 1
        assert 1 not in errnos
    finally:
        sandbox.move(advance=-3 * DAY)


def test_a_fault_of_some_calls_is_of_so_many_at_all_processes_together(
    server: Process, sandbox: Sandbox
) -> None:
    sandbox.fault(action="addCourse", errno=104, times=MANY // 2)
    replies = call_at_once(server, "addCourse", lambda place: {"courseName": f"Course {place}"})
    assert sorted(reply.errno for reply in replies) == [1] * (MANY // 2) + [104] * (MANY // 2)
    listed = httpx.get(f"{server.url}/sandbox/faults", trust_env=False).json()
    assert listed == {"faults": []}


def test_the_journal_has_the_calls_of_all_processes(server: Process, sandbox: Sandbox) -> None:
    names = [f"Journal {place}" for place in range(MANY)]
    call_at_once(server, "addCourse", lambda place: {"courseName": names[place]})
    logged = [entry["fields"].get("courseName") for entry in sandbox.journal(limit=MANY)]
    assert sorted(logged) == sorted(names)


def test_the_sandbox_refuses_what_it_refuses_in_one_process(server: Process) -> None:
    foreign = {"host": "classes.example.org"}
    refused = httpx.get(f"{server.url}/sandbox/clock", headers=foreign, trust_env=False)
    assert (refused.status_code, "www-authenticate" in refused.headers) == (401, True)
    until(lambda: server.log.count("sandbox_refused") == 1)
    token = {**foreign, "authorization": f"Bearer {server.token}"}
    assert httpx.get(f"{server.url}/sandbox/clock", headers=token, trust_env=False).is_success
    wrong = httpx.post(f"{server.url}/sandbox/faults", json={"action": "x"}, trust_env=False)
    assert (wrong.status_code, wrong.headers["content-type"]) == (400, "application/problem+json")
    assert httpx.put(f"{server.url}/sandbox/clock", trust_env=False).status_code == 405


# --- messages -------------------------------------------------------------------------------------


def test_each_process_changes_endpoints_and_the_main_one_delivers(
    server: Process, sandbox: Sandbox
) -> None:
    scopes = ("read", "messages", "admin")
    words = [word for scope in scopes for word in ("--scope", scope)]
    token = run_json(server, "token", "create", *words)["token"]
    url = f"{server.url}/admin/v1"
    options: dict[str, Any] = {"headers": {"authorization": f"Bearer {token}"}, "timeout": 30}
    with receiving_in_thread() as inbox, httpx.Client(**options, trust_env=False) as http:
        body = {"SID": server.sid, "url": inbox.url}
        added = http.post(f"{url}/endpoints", json=body).raise_for_status().json()
        endpoint = added["endpointId"]
        sandbox.fault(endpoint=endpoint, outcome="tls", times=1)
        call_at_once(server, "addCourse", lambda place: {"courseName": f"Sent {place}"}, 2)
        until(lambda: sandbox.http.get("/faults").json() == {"faults": []})
        sandbox.move(advance=10)
        inbox.wait(lambda: len(inbox.bodies) == 3)

        def list_messages(state: str) -> list[dict[str, Any]]:
            query: dict[str, str | int] = {"endpointId": endpoint, "state": state}
            answer = http.get(f"{url}/messages", params=query).raise_for_status()
            rows: list[dict[str, Any]] = answer.json()["data"]
            return rows

        until(lambda: len(list_messages("acknowledged")) == 2)
        rows = list_messages("acknowledged")
        path = f"{url}/messages/{rows[0]['messageId']}/resend"
        http.post(path, json={"endpointId": endpoint}).raise_for_status()
        inbox.wait(lambda: len(inbox.bodies) == 4)
        http.delete(f"{url}/endpoints/{endpoint}").raise_for_status()
    sandbox.move(advance=-10)


# --- rooms ----------------------------------------------------------------------------------------


def test_viewers_at_all_processes_are_in_one_room(server: Process) -> None:
    begin = SystemClock().now() + 300
    form: Fields = {
        "courseId": read_first(server, "courses", "courseId"),
        "teacherUid": read_first(server, "teachers", "uid"),
        "className": "Class",
        "beginTime": begin,
        "endTime": begin + HOUR,
        "record": 1,
        "live": 1,
    }
    lesson = call(server, "addCourseClass", form, threading.Barrier(1)).data
    page = urlsplit(json.loads(server.cli("stream", str(lesson), "--json"))["teach_url"]).path
    with psycopg.connect(server.where[-1]) as database:
        query = "SELECT key FROM lessons WHERE id = %s"
        (key,) = database.execute(query, (lesson,)).fetchone() or ("",)
    with ExitStack() as ends:
        viewers = [
            ends.enter_context(Chatter(server.url, f"/class/{key}")) for _ in range(MANY // 2)
        ]
        teacher = ends.enter_context(Chatter(server.url, page))
        for viewer in viewers:
            viewer.next("counts", lambda counts: counts["viewers"] == len(viewers))
        teacher.say("to both processes")
        for viewer in viewers:
            viewer.hears("to both processes")


# --- calls at the same time -----------------------------------------------------------------------


def test_equal_calls_within_five_seconds_are_one_at_all_processes(server: Process) -> None:
    form: Fields = {"telephone": "13900000001", "password": "secret-1", "nickname": "Ann"}
    replies = call_at_once(server, "register", lambda _place: form)
    assert sorted(reply.errno for reply in replies) == [1] + [101003002] * (MANY - 1)


RACES: Final[dict[str, tuple[Callable[[int], Fields], set[int]]]] = {
    "addCourse": (lambda place: {"courseName": f"Course {place}"}, {398, 460}),
    "addCourseClass": (lambda place: {"className": f"Class {place}"}, {398, 460}),
    "register": (lambda place: {"password": "secret-1", "nickname": f"Ann {place}"}, {135, 131}),
    "addSchoolLabel": (lambda _place: {}, {353}),
    "createFolder": (lambda _place: {}, {206}),
}
"""Actions whose calls are about one thing, and how the calls end that do not make it."""


def identify(server: Process, action: str, turn: int) -> Fields:
    """Return the fields that name the thing which all calls are about."""
    if action == "register":
        return {"telephone": f"1380000{turn:04}"}
    if action == "addSchoolLabel":
        return {"labelName": f"Label {turn}"}
    if action == "createFolder":
        top = call(server, "getTopFolderId", {}, threading.Barrier(1)).data
        return {"folderId": top, "folderName": f"Folder {turn}"}
    identity: Fields = {"courseUniqueIdentity": f"identity {turn}"}
    if action == "addCourseClass":
        begin = SystemClock().now() + (turn + 1) * DAY
        identity = {
            "courseId": read_first(server, "courses", "courseId"),
            "teacherUid": read_first(server, "teachers", "uid"),
            "beginTime": begin,
            "endTime": begin + HOUR,
            "courseUniqueIdentity": f"identity {turn}",
        }
    return identity


def read_first(server: Process, resource: str, name: str) -> int:
    """Return the id of the first row of a read-back list."""
    headers = {"authorization": f"Bearer {server.token}"}
    url = f"{server.url}/admin/v1/{resource}"
    (first, *_) = httpx.get(url, headers=headers, trust_env=False).json()["data"]
    number: int = first[name]
    return number


def get_id(reply: Reply) -> Any:  # noqa: ANN401  the id of a label, a course, a user
    return reply.data["labelId"] if isinstance(reply.data, dict) else reply.data


@pytest.mark.parametrize("action", RACES)
def test_of_calls_about_one_thing_at_all_processes_one_makes_it(
    server: Process, action: str
) -> None:
    vary, losers = RACES[action]
    for turn in range(3):
        same = identify(server, action, turn)
        fields = [{**same, **vary(place)} for place in range(MANY)]
        replies = call_at_once(server, action, fields.__getitem__)
        errnos = [reply.errno for reply in replies]
        assert errnos.count(1) == 1
        assert set(errnos) <= {1, *losers}
        # Each has the id of the one thing, or is asked to come again.
        assert len({get_id(reply) for reply in replies if reply.errno not in (460, 131)}) == 1
