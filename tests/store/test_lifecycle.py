"""The lifecycle of a class says the same in Python and in SQL, on both engines."""

from typing import Final

import hypothesis
import msgspec
from hypothesis import strategies as st
from sqlalchemy import case, select

from homeroom.base.clock import DAY, MINUTE, Moment
from homeroom.domain.lifecycle import OVERTIME_SECONDS, Lifecycle, Phase
from homeroom.store.engine import Row
from homeroom.store.lifecycle import LifecycleColumns
from homeroom.store.statement import ListParameter
from tests.support.given import Given

Case = tuple[int, int, int | None, int]
"""When a class begins and ends, when it was closed, and the moment that is asked about."""
BEGIN: Final = 1_800_000_000
END: Final = BEGIN + 45 * MINUTE
_cases = ListParameter("cases")
_sql = LifecycleColumns(_cases.integer(0), _cases.integer(1), _cases.integer(2))
_now = _cases.integer(3)
QUERY: Final = select(
    _sql.phase(_now),
    # A condition that were NULL would come out as 2.
    *(
        case((condition, 1), (~condition, 0), else_=2)
        for condition in (
            _sql.is_over(_now),
            _sql.is_not_over(_now),
            _sql.is_running(_now),
            _sql.is_coming(_now),
        )
    ),
).select_from(_cases.source)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a class and a moment, most often a second beside one that matters."""
    begin = draw(st.integers(DAY, 2**40))
    end = begin + draw(st.integers(1, 2 * DAY))
    near = st.sampled_from((begin, end)).flatmap(
        lambda moment: st.sampled_from((-20, -10, 0, 20)).map(lambda by: moment + by * MINUTE)
    )
    moments = st.one_of(near, st.integers(begin - DAY, end + DAY))
    closed_at = draw(st.none() | moments)
    if closed_at is not None:
        near = near | st.just(closed_at)
    return begin, end, closed_at, draw(near) + draw(st.integers(-1, 1))


def in_sql(given: Given, asked: list[Case]) -> list[Row]:
    """Return what the database says of each case, all in one statement."""
    return given.rows(QUERY.params(cases=msgspec.json.encode(asked).decode()))


def in_python(asked: Case) -> Row:
    """Return what Python says of a case."""
    begin, end, closed_at, now = asked
    lifecycle = Lifecycle(begin, end, closed_at)
    is_over = lifecycle.is_over(now)
    has_begun = now >= begin
    return (
        lifecycle.phase(now).value,
        int(is_over),
        int(not is_over),
        int(has_begun and not is_over),
        int(not has_begun and not is_over),
    )


@hypothesis.settings(max_examples=30, suppress_health_check=list(hypothesis.HealthCheck))
@hypothesis.given(asked=st.lists(cases(), min_size=1, max_size=60))
def test_sql_and_python_agree(given: Given, asked: list[Case]) -> None:
    assert in_sql(given, asked) == [in_python(one) for one in asked]


def test_every_phase_comes_from_the_database(given: Given) -> None:
    table: list[tuple[Moment | None, Moment, Phase]] = [
        (None, BEGIN - 20 * MINUTE - 1, Phase.BEFORE),
        (None, BEGIN - 20 * MINUTE, Phase.OPEN_EARLY),
        (None, BEGIN - 1, Phase.OPEN_EARLY),
        (None, BEGIN, Phase.RUNNING),
        (None, END + OVERTIME_SECONDS - 1, Phase.RUNNING),
        (None, END + OVERTIME_SECONDS, Phase.OVER),
        (END, END - 1, Phase.RUNNING),
        (END, END, Phase.CLOSED_EARLY),
        (END, END + DAY, Phase.CLOSED_EARLY),
        (BEGIN - DAY, BEGIN - 60 * MINUTE, Phase.CLOSED_EARLY),
        (END + OVERTIME_SECONDS, END + OVERTIME_SECONDS, Phase.OVER),
    ]
    asked = [(BEGIN, END, closed_at, now) for closed_at, now, _ in table]
    phases = [phase for *_, phase in table]
    assert [Lifecycle(*times[:3]).phase(times[3]) for times in asked] == phases
    assert [row[0] for row in in_sql(given, asked)] == phases
