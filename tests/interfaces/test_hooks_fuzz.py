"""Hooks that no engine sends: each is answered, and nothing elsewhere is touched or taken."""

import os
import time
from random import Random

import pytest

from tests.interfaces.test_hooks import Engine
from tests.soak.hooks_fuzz import body
from tests.soak.test_fuzz import logged_errors
from tests.support.given import Given
from tests.support.paced import resident
from tests.support.serving import House
from tests.support.streams import Streamed, peer

HOOKS = 200
SOAKED = 20_000
"""Half of them on each engine."""
WARM = 3_000
MOST_GROWTH = 60_000_000
SLOWEST = 5
"""Seconds."""
ANSWERS = {200, 400, 403, 413}
NO_CLIP = "recording_rejected"


def test_200_malformed_hooks(house: House, given: Given) -> None:
    fuzz(house, given, range(HOOKS))


@pytest.mark.soak
def test_20000_malformed_hooks(house: House, given: Given) -> None:
    fuzz(house, given, range(HOOKS, WARM))
    warm = resident(os.getpid())
    fuzz(house, given, range(WARM, SOAKED // 2))
    assert resident(os.getpid()) - warm < MOST_GROWTH


def fuzz(house: House, given: Given, numbers: range) -> None:
    engine = Engine(house)
    try:
        post_all(engine, Streamed(given).opened(), numbers)
    finally:
        engine.close()


def post_all(engine: Engine, held: Streamed, numbers: range) -> None:
    kept, outside = engine.folder / "kept.flv", engine.folder.parent / "kept.flv"
    for file in (kept, outside):
        file.write_bytes(b"stays where it is")
    client = peer(held.push_url)
    honest = {
        "client_id": client.client_id,
        "ip": client.ip,
        "vhost": "__defaultVhost__",
        "app": client.app,
        "stream": client.stream,
        "param": client.param,
        "tcUrl": "rtmp://here/live",
        "cwd": str(engine.folder),
    }
    right, slowest = engine.secret, 0.0
    with logged_errors() as errors:
        for number in numbers:
            random = Random(number)
            engine.secret = right if random.random() < 0.9 else random.choice(("", "\0", "x" * 999))
            said = body(random, honest)
            begun = time.monotonic()
            answer = engine.post(said)
            slowest = max(slowest, time.monotonic() - begun)
            allowed = ANSWERS if engine.secret == right else {403}
            assert answer.status_code in allowed, (number, said, answer.text)
            if answer.status_code != 413:
                assert (answer.json()["code"] == 0) is (answer.status_code == 200), number
            unknown = [error for error in errors if NO_CLIP not in error]
            assert not unknown, (number, said, unknown)
    engine.secret = right
    assert kept.read_bytes() == outside.read_bytes() == b"stays where it is"
    assert held.given.store.read(lambda uow: uow.clips.list_of_lesson(held.lesson)) == []
    assert engine.allows("on_publish", peer(held.push_url))
    assert slowest < SLOWEST
