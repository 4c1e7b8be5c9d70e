"""The clocks of a publisher's tracks made one that only goes on."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeroom.media.engine.clock_mapper import (
    MAX_DRIFT_MS,
    MAX_JUMP_MS,
    MAX_OFFSET_MS,
    STEP_MS,
    WRAP,
    ClockMapper,
)
from homeroom.media.engine.packets import AUDIO, VIDEO

PICTURE_MS, SOUND_MS = 40, 23
Frame = tuple[int, int]
"""Kind and true time of a frame."""


def placed(*pairs: tuple[int, float]) -> list[int]:
    """Return the mapped times of pictures, given by their timestamps and arrival."""
    clock = ClockMapper()
    return [clock.place(VIDEO, published_at, arrived) for published_at, arrived in pairs]


def frames(milliseconds: int) -> list[Frame]:
    """Return pictures and sound in the order in which an encoder sends them."""
    pictures = [(VIDEO, at) for at in range(0, milliseconds, PICTURE_MS)]
    sounds = [(AUDIO, at) for at in range(0, milliseconds, SOUND_MS)]
    return sorted([*pictures, *sounds], key=lambda frame: frame[1])


def mapped(published: Iterable[Frame], speed: float = 1) -> dict[int, list[int]]:
    """Return the mapped times of frames by kind; they arrive at a pace that fits their number."""
    clock = ClockMapper()
    times: dict[int, list[int]] = {AUDIO: [], VIDEO: []}
    for number, (kind, at) in enumerate(published):
        times[kind].append(clock.place(kind, at % WRAP, number * 0.0146 / speed))
    return times


def steps(times: list[int]) -> set[int]:
    return {after - before for before, after in pairwise(times)}


def moved(source: Iterable[Frame], kinds: Iterable[int], since: int, by: int) -> Iterator[Frame]:
    """Move the clocks of some tracks from a time on."""
    for kind, at in source:
        yield kind, at + (by if kind in kinds and at >= since else 0)


def test_it_begins_at_zero_wherever_the_publisher_begins() -> None:
    assert placed((3_600_000, 0.0), (3_600_040, 0.04)) == [0, 40]


def test_a_clock_that_begins_again_goes_on_after_the_latest() -> None:
    assert placed((0, 0), (8000, 8), (8040, 8), (0, 8.1), (40, 8.2)) == [0, 8000, 8040, 8080, 8120]


def test_a_clock_that_wraps_at_32_bits_goes_on() -> None:
    last = (1 << 32) - 20
    assert placed((last, 0), (20, 0.04)) == [0, 40]


def test_a_jump_of_the_picture_alone_is_closed_where_no_time_has_passed() -> None:
    assert placed((0, 0), (7_200_000, 0.04)) == [0, STEP_MS]
    assert placed((0, 0), (60_000, 60.0)) == [0, 60_000]


def test_timestamps_of_presentation_go_back_and_forth() -> None:
    times = [0, 160, 80, 40, 120, 320, 240, 200, 280]
    assert placed(*((time, time / 1000) for time in times)) == times


@pytest.mark.parametrize("apart", [-MAX_OFFSET_MS, -1500, -23, 0, 10, 700, MAX_OFFSET_MS])
def test_a_small_distance_of_the_tracks_is_an_offset_and_is_kept(apart: int) -> None:
    times = mapped(moved(frames(8_000), [AUDIO], 0, apart))
    assert times[VIDEO] == [at for kind, at in frames(8_000) if kind == VIDEO]
    assert times[AUDIO] == [at + apart for kind, at in frames(8_000) if kind == AUDIO]


@pytest.mark.parametrize("kind", [AUDIO, VIDEO])
@pytest.mark.parametrize("apart", [-20_000, -5_000, -2_300, 3_000, 5_000, 20_000, 7_200_000])
def test_tracks_that_are_far_apart_are_tied_together(kind: int, apart: int) -> None:
    """Cases M1: each keeps the distances of its own frames, and both play at once."""
    times = mapped(moved(frames(8_000), [kind], 0, apart))
    assert steps(times[VIDEO]) == {PICTURE_MS}
    assert steps(times[AUDIO]) == {SOUND_MS}
    assert abs(times[VIDEO][0] - times[AUDIO][0]) <= PICTURE_MS


@pytest.mark.parametrize("late", [3_000, 6_000])
@pytest.mark.parametrize("kind", [AUDIO, VIDEO])
def test_a_track_that_begins_late_begins_late(kind: int, late: int) -> None:
    source = [frame for frame in frames(9_000) if frame[0] != kind or frame[1] >= late]
    times = mapped(source)
    for each in (AUDIO, VIDEO):
        assert times[each] == [at for other, at in source if other == each]


@pytest.mark.parametrize("speed", [1, 4, 1000])
@pytest.mark.parametrize("by", [8_000, 3_600_000, -3_600_000, -6_000, -1_000, 1 << 24])
def test_a_jump_of_both_tracks_is_closed_and_they_stay_in_sync(by: int, speed: float) -> None:
    """Case M11: at any speed of the push."""
    source = [(kind, at + 7_000_000) for kind, at in frames(8_000)]
    times = mapped(moved(source, (AUDIO, VIDEO), 7_004_000, by), speed)
    assert steps(times[VIDEO]) == {PICTURE_MS}
    assert times[AUDIO] == [at for kind, at in frames(8_000) if kind == AUDIO]


def test_a_pause_of_both_tracks_is_kept_up_to_some_seconds() -> None:
    for pause in (1_000, 2_900):
        times = mapped(moved(frames(8_000), (AUDIO, VIDEO), 4_000, pause))
        assert times[VIDEO][-1] == 7_960 + pause


@pytest.mark.parametrize("kind", [AUDIO, VIDEO])
@pytest.mark.parametrize("by", [8_000, 100_000, -2_000, -4_000])
def test_a_jump_of_one_track_does_not_move_the_other(kind: int, by: int) -> None:
    times = mapped(moved(frames(8_000), [kind], 4_000, by))
    assert max(steps(times[VIDEO])) <= 2 * PICTURE_MS
    for each in (AUDIO, VIDEO):
        true = [at for other, at in frames(8_000) if other == each]
        assert max(abs(a - b) for a, b in zip(times[each], true, strict=True)) <= 2 * PICTURE_MS


@pytest.mark.parametrize("stands_still", [False, True])
@pytest.mark.parametrize("kind", [AUDIO, VIDEO])
def test_a_track_that_pauses_comes_back_in_its_place(kind: int, *, stands_still: bool) -> None:
    """It comes back to the present, whether its clock went on meanwhile or not."""
    source = [frame for frame in frames(12_000) if frame[0] != kind or not 2_000 < frame[1] < 8_000]
    published = moved(source, [kind], 8_000, -5_950 if stands_still else 0)
    times = mapped(published)
    for each in (AUDIO, VIDEO):
        true = [at for other, at in source if other == each]
        assert max(abs(a - b) for a, b in zip(times[each], true, strict=True)) <= 2 * PICTURE_MS


def test_a_clock_that_restarts_at_zero_soon_after_its_start_goes_on() -> None:
    source = [(kind, at if at < 1_500 else at - 1_500) for kind, at in frames(3_000)]
    times = mapped(source)
    assert steps(times[VIDEO]) == {PICTURE_MS}
    assert abs(times[AUDIO][-1] - times[VIDEO][-1]) <= PICTURE_MS


JUMPS = st.lists(
    st.tuples(
        st.integers(0, 29).map(lambda number: 100 * number + 1),
        st.sampled_from([(AUDIO, VIDEO), (AUDIO,), (VIDEO,)]),
        st.one_of(
            st.integers(MAX_JUMP_MS + 200, WRAP // 4),
            st.integers(-WRAP // 4, -MAX_JUMP_MS - 200),
        ),
    ),
    max_size=30,
    unique_by=lambda jump: jump[0],
)


@settings(max_examples=30)
@given(JUMPS, st.integers(0, WRAP - 1), st.integers(-MAX_OFFSET_MS, MAX_OFFSET_MS))
def test_whatever_jumps_the_tracks_stay_together(
    jumps: list[tuple[int, tuple[int, ...], int]], start: int, offset: int
) -> None:
    """Many jumps, of both tracks or of one, do not add up: no drift."""
    source = frames(3_000)
    published = [(kind, at + start + (offset if kind == AUDIO else 0)) for kind, at in source]
    for since, kinds, by in jumps:
        published = [
            (kind, at + by if kind in kinds and true >= since else at)
            for (kind, at), (_, true) in zip(published, source, strict=True)
        ]
    times = mapped(published)
    for kind, lead in ((VIDEO, 0), (AUDIO, offset)):
        true = [at + lead for each, at in source if each == kind]
        drift = [a - b for a, b in zip(times[kind], true, strict=True)]
        assert max(map(abs, drift)) <= 2 * MAX_DRIFT_MS


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 14).map(lambda number: 200 * number + 1),
            st.one_of(st.integers(-4_000, 4_000), st.integers(-WRAP // 4, WRAP // 4)),
        ),
        max_size=20,
        unique_by=lambda jump: jump[0],
    ),
    st.integers(-MAX_OFFSET_MS, MAX_OFFSET_MS),
)
def test_jumps_of_both_tracks_keep_sound_and_picture_in_sync(
    jumps: list[tuple[int, int]], offset: int
) -> None:
    """To the millisecond, also those that are close to what counts as a gap."""
    source = frames(3_000)
    published = [(kind, at + (offset if kind == AUDIO else 0)) for kind, at in source]
    for since, by in jumps:
        published = [
            (kind, at + by if true >= since else at)
            for (kind, at), (_, true) in zip(published, source, strict=True)
        ]
    clock = ClockMapper()
    shifts = {}
    for number, ((kind, at), (_, true)) in enumerate(zip(published, source, strict=True)):
        lead = offset if kind == AUDIO else 0
        shifts[kind] = clock.place(kind, at % WRAP, number * 0.0146) - true - lead
        quiet = all(true - since > 100 or true < since for since, _ in jumps)
        if quiet and true > 100:
            assert shifts[AUDIO] == shifts[VIDEO]
