"""Long work in a thread lets the others have Python's lock (case A12)."""

from itertools import count

import pytest

from homeroom.base.pauses import pause_between


@pytest.mark.parametrize(("milliseconds", "expected"), [(0.1, 0), (1.0, 3), (5.0, 9)])
def test_pauses_come_after_work_and_not_after_items(
    monkeypatch: pytest.MonkeyPatch, milliseconds: float, expected: int
) -> None:
    slept: list[float] = []
    # The clock is read at the start, after each item, and after each pause.
    now = count()
    monkeypatch.setattr(
        "homeroom.base.pauses.time.perf_counter", lambda: next(now) * milliseconds / 1000
    )
    monkeypatch.setattr("homeroom.base.pauses.time.sleep", slept.append)
    assert list(pause_between(range(9))) == list(range(9))
    assert len(slept) == expected
