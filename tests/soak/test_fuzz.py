"""Every action, called with a valid signature and fields of every sort."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase

from homeroom.contract.action import Action
from tests.soak.forms import World, requests
from tests.soak.json_forms import JSONWorld
from tests.support.given import Given
from tests.support.serving import House
from tests.support.wire import Reply

REQUESTS = 1_000
V2_REQUESTS = 500
SOAKED = 100_000
A_WORLD = 100
"""Requests to one school; by then much of it is ended and deleted."""
KEYS = {"data", "more_data", "file_list", "folder_list", "error_info"}
"""The keys that an answer of the v1 wire may have."""


@pytest.mark.e2e
def test_1000_calls_answer_what_the_contract_lists(house: House) -> None:
    fuzz(house, 0)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, SOAKED // REQUESTS // 2 + 1))
def test_100000_calls_answer_what_the_contract_lists(house: House, seed: int) -> None:
    """Half of them on each engine."""
    fuzz(house, seed)


@pytest.mark.e2e
def test_500_calls_of_the_v2_wire_answer_what_the_contract_lists(house: House) -> None:
    fuzz_json(house, 0, V2_REQUESTS)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(1, SOAKED // REQUESTS // 2 + 1))
def test_100000_calls_of_the_v2_wire_answer_what_the_contract_lists(
    house: House, seed: int
) -> None:
    """Half of them on each engine."""
    fuzz_json(house, seed, REQUESTS)


def fuzz_json(house: House, seed: int, count: int) -> None:
    """Make that many calls of the v2 wire; a seed always makes the same ones."""
    with logged_errors() as errors:
        for part in range(count // A_WORLD):
            given = Given(house)
            given.plan(unknown_accounts_per_hour=0)
            world = JSONWorld(World(given), Random(seed * 1000 + part))
            try:
                for _ in range(A_WORLD):
                    action, body = world.draw()
                    content = json.dumps(body, ensure_ascii=False).encode()
                    headers = given.api.sign(content)
                    reply = given.api.post(action.name, content=content, headers=headers)
                    check_json(action, reply)
                    assert errors == [], (body, errors)
                    world.learn(reply.body["data"])
            finally:
                given.close()


def check_json(action: Action[Any, Any], reply: Reply) -> None:
    """Make sure that an answer of the v2 wire is one that the contract knows."""
    assert reply.status == 200, (reply.status, reply.body)
    assert reply.body.keys() == {"code", "msg", "data"}, reply.body
    by_fault = {errno.number for errno in (*action.faults, *action.entry_faults)}
    natural = {errno.number for errno in action.errnos} - by_fault
    assert reply.errno in natural, (reply.body, reply.reason)
    assert reply.errno == 1 or reply.reason, reply.body
    assert {*reply.errnos} <= {*(one.errno.number for one in action.entry_checks), 1}, reply.body


def fuzz(house: House, seed: int) -> None:
    """Make that many calls; a seed always makes the same ones."""
    with logged_errors() as errors:
        for part in range(REQUESTS // A_WORLD):
            given = Given(house)
            given.plan(unknown_accounts_per_hour=0)  # most ids of a fuzzer are nobody's
            try:
                call_at_random(World(given), seed * 1000 + part, errors)
            finally:
                given.close()


def call_at_random(world: World, seed: int, errors: list[str]) -> None:
    """Call one school."""

    # Without shrinking: what a call does depends on those before it.
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=A_WORLD,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(requests(world))
    def call(request: tuple[Action[Any, Any], dict[str, Any]]) -> None:
        action, form = request
        reply = world.given.api.post(action.name, **form)
        check(action, reply)
        assert errors == [], errors
        world.learn(action.name, reply.body.get("data"))

    call()


def check(action: Action[Any, Any], reply: Reply) -> None:
    """Make sure that an answer is one that the contract knows."""
    assert reply.status == 200, (reply.status, reply.body)
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.body.keys() <= KEYS, reply.body
    assert reply.body["error_info"].keys() == {"errno", "error"}, reply.body
    by_fault = {errno.number for errno in (*action.faults, *action.entry_faults)}
    top = {errno.number for errno in action.errnos} - by_fault
    assert reply.errno in top, (reply.body, reply.reason)
    assert reply.errno == 1 or reply.reason, reply.body
    assert reply.reason.isascii()
    if isinstance(reply.body.get("data"), list):
        entries = {check.errno.number for check in action.entry_checks} | {1}
        assert set(reply.errnos) <= entries, (reply.body, reply.reason)


@contextmanager
def logged_errors() -> Iterator[list[str]]:
    """Collect what the server logs as an error: a traceback, an undeclared number."""
    errors: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            errors.append(f"{record.getMessage()} {vars(record)}")

    collector = Collector(logging.ERROR)
    logger = logging.getLogger("homeroom")
    logger.addHandler(collector)
    try:
        yield errors
    finally:
        logger.removeHandler(collector)
