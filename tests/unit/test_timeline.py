"""A publisher's clock made one that only goes on."""

from homeroom.media.engine.clock_mapper import STEP_MS, ClockMapper


def placed(*pairs: tuple[int, float]) -> list[int]:
    timeline = ClockMapper()
    return [timeline.place(given, arrived) for given, arrived in pairs]


def test_it_begins_at_zero_wherever_the_publisher_begins() -> None:
    assert placed((3_600_000, 0.0), (3_600_040, 0.04)) == [0, 40]


def test_sound_may_lie_behind_the_picture() -> None:
    assert placed((1000, 0), (1040, 0), (1023, 0), (1080, 0)) == [0, 40, 23, 80]


def test_sound_from_before_the_first_picture_is_at_zero() -> None:
    assert placed((1000, 0), (977, 0), (1040, 0)) == [0, 0, 40]


def test_a_clock_that_begins_again_goes_on_after_the_latest() -> None:
    assert placed((0, 0), (8000, 8), (8040, 8), (0, 8.1), (40, 8.2)) == [
        0,
        8000,
        8040,
        8040 + STEP_MS,
        8080 + STEP_MS,
    ]


def test_a_clock_that_wraps_at_32_bits_goes_on() -> None:
    last = (1 << 32) - 20
    assert placed((last, 0), (20, 0.04)) == [0, 40]


def test_a_jump_is_closed_where_no_time_has_passed_and_kept_where_it_has() -> None:
    assert placed((0, 0), (7_200_000, 0.04)) == [0, STEP_MS]
    assert placed((0, 0), (60_000, 60.0)) == [0, 60_000]
