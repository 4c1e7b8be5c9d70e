"""Noise in a chat, for as long as it takes."""

import logging

import pytest

from tests.support.chat import Classroom, make_noise
from tests.support.given import Given

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("seed", range(10))
def test_noise_does_no_harm(given: Given, seed: int, caplog: pytest.LogCaptureFixture) -> None:
    room = Classroom(given)
    watcher = room.visitor()
    make_noise(room, 1000, seed)
    room.guest().said("still here")
    watcher.hears("still here")
    room.close()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
