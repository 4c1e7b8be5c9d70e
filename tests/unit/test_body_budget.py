"""The budget of bytes in flight."""

import logging

import pytest

from homeroom.base.body_budget import (
    BURST_BYTES,
    MAX_BYTES,
    MAX_BYTES_PER_ADDRESS,
    MAX_BYTES_PER_SECOND,
    MAX_BYTES_WITHOUT_RIGHT,
    MAX_COUNTED_BYTES,
    MEBIBYTE,
    UNPACED_BYTES,
    BodyBudget,
    CountedBody,
)
from homeroom.base.connection_budget import ConnectionBudget, ConnectionSlot, create_budget


@pytest.fixture
def connections() -> ConnectionBudget:
    return create_budget()


@pytest.fixture
def bodies() -> BodyBudget:
    return BodyBudget()


def connect(connections: ConnectionBudget, address: str) -> ConnectionSlot:
    return connections.admit(address, lambda: None)


def test_an_address_has_a_share(connections: ConnectionBudget, bodies: BodyBudget) -> None:
    """Case S3: forty bodies of 32 MB without credentials."""
    attacker = connect(connections, "192.0.2.66")
    taken = [CountedBody(bodies, attacker) for _ in range(40)]
    results = [body.add(32 * MEBIBYTE) for body in taken]
    assert results.count(True) == MAX_BYTES_PER_ADDRESS // MAX_COUNTED_BYTES
    assert CountedBody(bodies, connect(connections, "192.0.2.1")).add(MEBIBYTE)
    assert bodies.refused == results.count(False)


def test_all_addresses_together_have_a_limit(
    connections: ConnectionBudget, bodies: BodyBudget
) -> None:
    taken = 0
    for number in range(200):
        slot = connect(connections, f"192.0.2.{number}")
        taken += CountedBody(bodies, slot).add(MEBIBYTE)
    assert taken == MAX_BYTES_WITHOUT_RIGHT // MEBIBYTE
    known = connect(connections, "198.51.100.1")
    known.show_right()
    assert CountedBody(bodies, known).add(MEBIBYTE)


def test_who_has_shown_a_right_is_not_limited_by_address(
    connections: ConnectionBudget, bodies: BodyBudget
) -> None:
    """A school behind one address."""
    taken = 0
    for _ in range(MAX_BYTES // MEBIBYTE + 5):
        slot = connect(connections, "192.0.2.1")
        slot.show_right()
        taken += CountedBody(bodies, slot).add(MEBIBYTE)
    assert taken == MAX_BYTES // MEBIBYTE


def test_a_right_that_is_shown_in_the_middle_frees_the_share(
    connections: ConnectionBudget, bodies: BodyBudget
) -> None:
    slot = connect(connections, "192.0.2.1")
    body = CountedBody(bodies, slot)
    assert body.add(1000)
    assert (bodies.bytes, bodies.bytes_without_right) == (1000, 1000)
    slot.show_right()
    assert body.add(10)
    assert (bodies.bytes, bodies.bytes_without_right) == (1010, 0)
    body.close()
    assert bodies.bytes == 0


def test_large_bodies_without_a_right_share_a_speed(connections: ConnectionBudget) -> None:
    now = 1000.0
    bodies = BodyBudget(now=lambda: now)
    stranger, known = connect(connections, "192.0.2.66"), connect(connections, "192.0.2.1")
    known.show_right()
    small, large, other = (CountedBody(bodies, stranger) for _ in range(3))
    small.add(UNPACED_BYTES)
    assert small.pace() == 0
    large.add(UNPACED_BYTES + BURST_BYTES)
    assert large.pace() == 0
    large.add(MAX_BYTES_PER_SECOND)
    assert large.pace() == pytest.approx(1)
    other.add(UNPACED_BYTES + MAX_BYTES_PER_SECOND)
    assert other.pace() == pytest.approx(2)
    upload = CountedBody(bodies, known)
    upload.add(10 * MAX_BYTES_PER_SECOND)
    assert upload.pace() == 0
    now += 2 + BURST_BYTES / MAX_BYTES_PER_SECOND
    large.add(BURST_BYTES)
    assert large.pace() == 0


def test_the_log_names_the_address(
    connections: ConnectionBudget, bodies: BodyBudget, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    slot = connect(connections, "192.0.2.66")
    for _ in range(20):
        CountedBody(bodies, slot).add(MEBIBYTE)
    assert [vars(line)["address"] for line in caplog.records] == ["192.0.2.66"]
