"""The throttle: how long somebody has to wait who tries too often."""

import pytest

from homeroom.player.throttle import MOST_KEYS, Throttle, site_of


def test_waits_double_up_to_the_longest_and_tries_come_back_with_time() -> None:
    now = 0.0
    throttle = Throttle(5, 900, now=lambda: now)
    for _ in range(4):
        throttle.tried("a")
        assert throttle.wait("a") == 0
    waits = []
    for _ in range(10):
        throttle.tried("a")
        waits.append(throttle.wait("a"))
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert throttle.wait("b") == 0
    now += 899
    assert throttle.wait("a") == 1
    now += 14 * 900
    for _ in range(4):
        throttle.tried("a")
        assert throttle.wait("a") == 0


def test_what_is_forgiven_or_forgotten_counts_no_more() -> None:
    throttle = Throttle(2, 900, now=lambda: 0.0)
    for _ in range(5):
        throttle.tried("a")
        throttle.forgive("a")
    assert throttle.wait("a") == 0
    throttle.tried("a")
    throttle.tried("a")
    assert throttle.wait("a") > 0
    throttle.forget("a")
    throttle.forget("nobody")
    throttle.forgive("nobody")
    assert throttle.wait("a") == 0


def test_a_throttle_does_not_fill_the_memory() -> None:
    throttle = Throttle(1, 900, now=lambda: 0.0)
    for number in range(MOST_KEYS + 1):
        throttle.tried(str(number))
    assert throttle.wait("0") == 0
    assert throttle.wait("1") > 0


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:2", "2001:db8::/64"),
        ("2001:db8:0:1::2", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("unix", "unix"),
    ],
)
def test_a_network_counts_as_one_address(address: str, site: str) -> None:
    assert site_of(address) == site
