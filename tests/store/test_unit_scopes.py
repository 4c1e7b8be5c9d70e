"""Units of one school run side by side on PostgreSQL, but for those of the same scope."""

from collections.abc import Callable, Iterator
from random import Random

import psycopg
import pytest

from homeroom.contract.errno import Errno
from homeroom.domain.refusal import Refusal
from homeroom.store.engine import SHARED_SCHOOL, UnitScope
from homeroom.store.unit_of_work import Store, UnitOfWork
from tests.support.counting import opened
from tests.support.engine import until
from tests.support.grouping import append, gathered, held_up, names, save, submit

pytestmark = pytest.mark.pg

HISTORY = UnitScope("course 1")
SHARED_HISTORY = UnitScope("course 1", is_shared=True)
MATHS = UnitScope("course 2")


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    with opened(address) as store:
        yield store


@pytest.fixture
def other(address: str, store: Store) -> Iterator[Store]:
    """Return the store of another server on the same database."""
    del store
    with opened(address) as other:
        yield other


def read(store: Store, name: str) -> str:
    return store.read(lambda uow: uow.server_state.get(name) or "")


def count_waiting(address: str) -> int:
    """Return how many transactions wait for a lock of a school or a scope."""
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(address) as connection:
        return int((connection.execute(query).fetchone() or [0])[0])


def test_units_of_one_scope_run_one_after_another_in_one_commit(store: Store) -> None:
    with gathered(store):
        calls = [submit(store, append("history", letter), scope=HISTORY) for letter in "abcdef"]
        calls += [submit(store, append("maths", letter), scope=MATHS) for letter in "uvw"]

    assert [call.result(20) for call in calls] == [
        *("abcdef"[: number + 1] for number in range(6)),
        *("uvw"[: number + 1] for number in range(3)),
    ]
    assert (store.engine.stats.commits, store.engine.stats.units) == (2, 10)


def test_units_that_share_a_scope_run_side_by_side_between_those_that_do_not(store: Store) -> None:
    def unit(uow: UnitOfWork) -> str:
        return uow.server_state.get("history") or ""

    with gathered(store):
        calls = [submit(store, unit, scope=SHARED_HISTORY) for _ in range(3)]
        calls.append(submit(store, append("history", "a"), scope=HISTORY))
        calls += [submit(store, unit, scope=SHARED_HISTORY) for _ in range(2)]
        at_once = submit(store, lambda uow: uow.units_at_once, scope=MATHS)

    assert [call.result(20) for call in calls] == ["", "", "", "a", "a", "a"]
    assert at_once.result(20) == 4  # itself, and the first three


def test_a_unit_that_fails_before_it_writes_lets_the_next_of_its_scope_run(store: Store) -> None:
    def refuse(uow: UnitOfWork) -> None:
        uow.server_state.get("history")
        raise Refusal(Errno.NO_SUCH_LESSON)

    with gathered(store):
        first = submit(store, append("history", "a"), scope=HISTORY)
        refused = submit(store, refuse, scope=HISTORY)
        last = submit(store, append("history", "b"), scope=HISTORY)

    assert isinstance(refused.exception(20), Refusal)
    assert (first.result(20), last.result(20)) == ("a", "ab")
    assert store.engine.stats.commits == 2


def test_a_group_that_falls_apart_loses_no_unit_and_keeps_the_locks(store: Store) -> None:
    def refuse_late(uow: UnitOfWork) -> None:
        append("history", "x")(uow)
        raise Refusal(Errno.NO_SUCH_LESSON)

    with gathered(store):
        calls = [submit(store, append("history", letter), scope=HISTORY) for letter in "abc"]
        refused = submit(store, refuse_late, scope=HISTORY)
        calls += [submit(store, append("history", letter), scope=HISTORY) for letter in "def"]

    assert isinstance(refused.exception(20), Refusal)
    assert sorted(len(call.result(20)) for call in calls) == [1, 2, 3, 4, 5, 6]
    assert sorted(read(store, "history")) == list("abcdef")


def test_a_scope_that_another_server_has_holds_up_only_its_own_units(
    store: Store, other: Store
) -> None:
    with held_up(other, scope=HISTORY):
        late = [submit(store, append("history", letter), scope=HISTORY) for letter in "ab"]
        assert submit(store, save("name 1"), scope=MATHS).result(20) == "1"
        assert not any(call.done() for call in late)

    assert sorted(len(call.result(20)) for call in late) == [1, 2]
    assert names(store) == {"name 1"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (None, HISTORY),
        (None, SHARED_SCHOOL),
        (HISTORY, None),
        (SHARED_SCHOOL, None),
        (HISTORY, HISTORY),
        (HISTORY, SHARED_HISTORY),
        (SHARED_HISTORY, HISTORY),
    ],
)
def test_units_of_two_servers_that_need_the_same_wait_for_each_other(
    address: str, store: Store, other: Store, first: UnitScope | None, second: UnitScope | None
) -> None:
    with held_up(other, scope=first):
        late = submit(store, save("name 1"), scope=second)
        until(lambda: count_waiting(address))
        assert not late.done()
    assert late.result(20) == "1"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (HISTORY, MATHS),
        (HISTORY, SHARED_SCHOOL),
        (SHARED_HISTORY, SHARED_HISTORY),
        (SHARED_SCHOOL, SHARED_SCHOOL),
    ],
)
def test_units_of_two_servers_that_need_different_things_do_not_wait(
    store: Store, other: Store, first: UnitScope, second: UnitScope
) -> None:
    with held_up(other, scope=first):
        assert submit(store, save("name 1"), scope=second).result(20) == "1"


def test_units_that_waited_for_their_school_still_share_a_commit(store: Store) -> None:
    with held_up(store, scope=None):
        # The first finds the school locked, and the others join it in the line of the school.
        calls = [submit(store, save(f"name {number}"), scope=MATHS) for number in range(10)]
        calls.append(submit(store, save("name 10"), scope=None))
        calls += [submit(store, save(f"name {number}")) for number in range(11, 16)]

    assert [call.result(20) for call in calls] == ["1"] * 16
    assert store.engine.stats.commits <= 5


def require_school(uow: UnitOfWork) -> str:
    uow.require_exclusive()
    return append("history", "!")(uow)


def test_a_unit_of_a_scope_can_need_its_school(store: Store, other: Store) -> None:
    with held_up(other, scope=HISTORY):
        late = submit(store, require_school, scope=MATHS)
        more = [submit(store, append("history", letter), scope=HISTORY) for letter in "ab"]
    assert late.result(20) in ("!", "a!", "b!", "ab!", "ba!")
    for call in more:
        call.result(20)
    assert sorted(read(store, "history")) == ["!", "a", "b"]


@pytest.mark.parametrize("seed", range(4))
def test_no_update_is_lost_whatever_the_order(store: Store, other: Store, seed: int) -> None:
    """Each unit adds a letter to the texts of its scope; two servers, some units refused."""
    random = Random(seed)
    courses = ("one", "two", "three")
    expected = dict.fromkeys(courses, 0)
    calls = []

    def add_to(texts: tuple[str, ...], kind: str) -> Callable[[UnitOfWork], None]:
        def unit(uow: UnitOfWork) -> None:
            if kind == "needs its school":
                uow.require_exclusive()
            for text in texts:
                append(text, "x")(uow)
            if kind == "refused late":
                raise Refusal(Errno.NO_SUCH_LESSON)

        def refused_early(uow: UnitOfWork) -> None:
            uow.server_state.get(texts[0])
            raise Refusal(Errno.NO_SUCH_LESSON)

        return refused_early if kind == "refused early" else unit

    kinds = ("done", "done", "done", "done", "needs its school", "refused early", "refused late")
    weights = (20, 20, 20, 20, 2, 4, 1)
    for _ in range(150):
        kind = random.choices(kinds, weights)[0]
        course = random.choice(courses)
        is_of_school = random.random() < 0.05
        texts = courses if is_of_school else (course,)
        scope = None if is_of_school else UnitScope(course)
        calls.append(submit(random.choice([store, other]), add_to(texts, kind), scope=scope))
        if not kind.startswith("refused"):
            for text in texts:
                expected[text] += 1
    failures = [call.exception(30) for call in calls]

    assert {type(failure) for failure in failures} <= {type(None), Refusal}
    assert {course: len(read(store, course)) for course in courses} == expected
