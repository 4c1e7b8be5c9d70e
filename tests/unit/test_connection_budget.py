"""The budget of connections: whose connection closes when another one needs the room."""

import logging
from functools import partial

import pytest

from homeroom.base.address_log import INTERVAL_SECONDS
from homeroom.base.connection_budget import (
    GRACE_SECONDS,
    MAX_WAITING_PER_ADDRESS,
    ConnectionBudget,
    ConnectionLimits,
    ConnectionSlot,
    derive_limits,
)

ATTACKER = "192.0.2.66"


class Peers:
    """A budget on a stopped clock, and the connections that it closed."""

    def __init__(self, total: int = 20, reserved: int = 4, waiting: int = 5) -> None:
        self.now = 1000.0
        limits = ConnectionLimits(total, reserved, waiting, backlog=1)
        self.budget = ConnectionBudget(limits, now=lambda: self.now)
        self.closed: list[str] = []

    def admit(self, name: str, address: str = ATTACKER) -> ConnectionSlot:
        return self.budget.admit(address, lambda: self.closed.append(name))

    def admit_many(self, number: int, address: str = ATTACKER) -> list[ConnectionSlot]:
        return [self.admit(f"{address} {count}", address) for count in range(number)]


def test_beyond_the_grace_an_address_keeps_only_so_many_waiting() -> None:
    peers = Peers()
    peers.admit_many(8)
    assert peers.closed == []
    peers.now += GRACE_SECONDS
    peers.admit("next")
    assert peers.closed == [f"{ATTACKER} {count}" for count in range(4)]
    peers.admit("one more", "192.0.2.1")
    assert len(peers.closed) == 4


def test_a_burst_of_one_address_takes_room_from_itself_only() -> None:
    peers = Peers()
    peers.admit("other", "192.0.2.1")
    peers.admit_many(100)
    assert "other" not in peers.closed
    assert peers.budget.count == 20
    assert peers.closed[0] == f"{ATTACKER} 0"


def test_who_gets_further_is_not_the_first_to_close() -> None:
    """An encoder among half-open handshakes: its own handshake puts it at the end."""
    peers = Peers()
    encoder = peers.admit("encoder")
    peers.admit_many(19)
    encoder.wait()
    peers.admit_many(5, "192.0.2.3")
    assert "encoder" not in peers.closed


def test_many_addresses_take_room_from_the_one_that_waits_longest() -> None:
    peers = Peers()
    for number in range(40):
        peers.admit(str(number), f"192.0.2.{number}")
    assert peers.closed == [str(number) for number in range(20)]


def test_connections_with_a_right_do_not_count_for_their_address() -> None:
    """A school behind one address."""
    peers = Peers(total=50, reserved=4)
    slots = peers.admit_many(40)
    assert all(slot.show_right() for slot in slots)
    peers.now += 100
    peers.admit_many(5)
    assert peers.closed == []


def test_a_connection_that_is_served_is_not_closed() -> None:
    peers = Peers(total=5, waiting=5)
    for slot in peers.admit_many(5):
        slot.work()
    refused = peers.admit("one more")
    assert not refused.is_open
    assert peers.closed == []
    assert peers.budget.refused == 1
    assert not refused.show_right()
    refused.wait()
    refused.release()
    assert peers.budget.count == 5


def test_viewers_leave_room_for_publishers() -> None:
    peers = Peers()
    viewers = [peers.admit(str(number)) for number in range(16)]
    for viewer in viewers:
        viewer.work()
        assert viewer.show_right()
    late = peers.admit("viewer 17")
    late.work()
    assert not late.show_right()
    late.release()
    publisher = peers.admit("publisher")
    publisher.work()
    assert publisher.show_right(is_privileged=True)


def test_an_idle_connection_with_a_right_gives_way_to_another_one() -> None:
    peers = Peers()
    viewers = [peers.admit(str(number)) for number in range(16)]
    for viewer in viewers:
        viewer.show_right()
        viewer.work()
    viewers[3].wait()
    late = peers.admit("late")
    assert late.show_right()
    assert peers.closed == ["3"]


def test_the_last_to_close_is_an_idle_connection_with_a_right() -> None:
    peers = Peers(total=3, reserved=0)
    with_right = peers.admit("right")
    with_right.show_right()
    peers.admit("a", "192.0.2.1")
    peers.admit("b", "192.0.2.2")
    peers.admit("c", "192.0.2.3").work()
    assert peers.closed == ["a"]
    peers.admit("d", "192.0.2.4").work()
    peers.admit("e", "192.0.2.5")
    assert peers.closed == ["a", "b", "right"]


def test_a_connection_of_a_proxy_counts_for_the_client() -> None:
    peers = Peers(total=100, waiting=5)
    for number, slot in enumerate(peers.admit_many(50, "127.0.0.1")):
        slot.identify(f"198.51.100.{number}")
    peers.now += 100
    peers.admit("next", "127.0.0.1")
    assert peers.closed == []
    for slot in peers.admit_many(6, "127.0.0.1"):
        slot.identify("198.51.100.1")
    peers.now += 100
    peers.admit("direct", "198.51.100.1")
    assert peers.closed[0] == "127.0.0.1 1"


def test_a_right_is_of_one_client_behind_a_proxy() -> None:
    peers = Peers()
    slot = peers.admit("proxy", "127.0.0.1")
    slot.identify("198.51.100.1")
    slot.show_right()
    slot.identify("198.51.100.2")
    assert not slot.has_right
    assert peers.budget.with_right == 0
    slot.release()
    assert peers.budget.count == 0


def test_the_log_names_a_capped_address_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Case S7."""
    caplog.set_level(logging.WARNING)
    peers = Peers()
    for _ in range(3):
        peers.admit_many(10)
        peers.now += 2
    assert [vars(line)["address"] for line in caplog.records] == [ATTACKER]
    peers.now += INTERVAL_SECONDS
    peers.admit_many(10)
    assert len(caplog.records) == 2
    assert vars(caplog.records[1])["closed"] >= 20


def test_the_limits_follow_a_limit_of_open_files_that_changes() -> None:
    """An operator calls `prlimit` on a running process."""
    limits = ConnectionLimits(20, 4, 20, backlog=1)
    budget = ConnectionBudget(limits, read_limits=lambda: limits)
    closed: list[int] = []
    for number in range(20):
        budget.admit(f"192.0.2.{number}", partial(closed.append, number))
    limits = ConnectionLimits(8, 2, 8, backlog=1)
    assert budget.admit("192.0.2.100", lambda: None).is_open
    assert closed == list(range(13))
    assert budget.count == 8
    limits = ConnectionLimits(9, 2, 8, backlog=1)
    budget.admit("192.0.2.101", lambda: None)
    assert budget.count == 9
    assert len(closed) == 13


def test_a_lower_limit_closes_nobody_who_is_served() -> None:
    limits = ConnectionLimits(4, 1, 4, backlog=1)
    budget = ConnectionBudget(limits, read_limits=lambda: limits)
    for _ in range(3):
        slot = budget.admit(ATTACKER, lambda: pytest.fail("it is served"))
        assert slot.show_right()
        slot.work()
    limits = ConnectionLimits(2, 1, 2, backlog=1)
    assert not budget.admit(ATTACKER, lambda: None).is_open
    assert (budget.count, budget.refused) == (3, 1)


@pytest.mark.parametrize("descriptors", [64, 256, 1000, 20_000, 1_048_576])
def test_limits_leave_descriptors_for_files(descriptors: int) -> None:
    limits = derive_limits(descriptors)
    assert limits.total + limits.backlog <= descriptors * 7 // 8
    assert 1 <= limits.reserved < limits.total
    assert 1 <= limits.waiting_per_address <= min(MAX_WAITING_PER_ADDRESS, limits.total // 4)
