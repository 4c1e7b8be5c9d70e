"""The rate limiter: the time to wait after too many attempts."""

from homeroom.player.rate_limiter import MAX_KEYS, RateLimiter


def test_waits_double_up_to_the_longest_and_tries_come_back_with_time() -> None:
    now = 0.0
    throttle = RateLimiter(5, 900, now=lambda: now)
    for _ in range(4):
        throttle.record_attempt("a")
        assert throttle.seconds_to_wait("a") == 0
    waits = []
    for _ in range(10):
        throttle.record_attempt("a")
        waits.append(throttle.seconds_to_wait("a"))
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert throttle.seconds_to_wait("b") == 0
    now += 899
    assert throttle.seconds_to_wait("a") == 1
    now += 14 * 900
    for _ in range(4):
        throttle.record_attempt("a")
        assert throttle.seconds_to_wait("a") == 0


def test_what_is_forgiven_or_forgotten_counts_no_more() -> None:
    throttle = RateLimiter(2, 900, now=lambda: 0.0)
    for _ in range(5):
        throttle.record_attempt("a")
        throttle.undo_attempt("a")
    assert throttle.seconds_to_wait("a") == 0
    throttle.record_attempt("a")
    throttle.record_attempt("a")
    assert throttle.seconds_to_wait("a") > 0
    throttle.reset("a")
    throttle.reset("nobody")
    throttle.undo_attempt("nobody")
    assert throttle.seconds_to_wait("a") == 0


def test_a_throttle_does_not_fill_the_memory() -> None:
    throttle = RateLimiter(1, 900, now=lambda: 0.0)
    for number in range(MAX_KEYS + 1):
        throttle.record_attempt(str(number))
    assert throttle.seconds_to_wait("0") == 0
    assert throttle.seconds_to_wait("1") > 0
