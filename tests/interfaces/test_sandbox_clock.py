"""The sandbox's clock, and who may move it."""

from pathlib import Path

import pytest

from homeroom.base.clock import DAY, HOUR, ShiftedClock
from homeroom.base.ids import SchoolId, UserId
from homeroom.base.keys import KeyGenerator
from homeroom.domain.teachers import TeacherState
from homeroom.sandbox.site import MAX_MOMENT
from homeroom.usecases import operations
from homeroom.usecases.dependencies import Dependencies
from tests.support.given import Given
from tests.support.postgres import Postgres
from tests.support.sandbox import Sandbox
from tests.support.serving import running_house

MEANS = Dependencies(KeyGenerator(), "", 0)


def state(given: Given, teacher: UserId) -> TeacherState | None:
    """Return a teacher's state as the store has it."""
    sid = SchoolId(given.school.id)
    return given.store.read(lambda uow: uow.teachers.get_state(sid, teacher))


def test_clock_says_by_how_much_it_is_moved(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    assert sandbox.clock() == {"now": given.now, "real": given.now, "offset": 0}
    ahead = {"now": given.now + DAY, "real": given.now, "offset": DAY}
    assert sandbox.move(advance=DAY) == sandbox.clock() == ahead


def test_clock_ticks_on_from_where_it_was_set(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    assert sandbox.move(now=1_000_000_000)["now"] == 1_000_000_000
    given.clock.advance(5)
    assert sandbox.clock()["now"] == 1_000_000_005


def test_calls_go_by_the_moved_clock_and_both_timestamps_are_good(
    moved: tuple[Given, Sandbox],
) -> None:
    given, sandbox = moved
    form = given.lesson_form()
    sandbox.move(advance=2 * DAY)
    assert given.api.call("addCourseClass", **form).errno == 120
    form |= {"beginTime": given.now + 3 * DAY, "endTime": given.now + 3 * DAY + HOUR}
    assert given.api.call("addCourseClass", **form).errno == 1
    given.clock.advance(2 * DAY)  # now the stamp of this client is the sandbox's of a moment ago
    sandbox.move(advance=-2 * DAY)
    assert given.api.call("getTopFolderId").errno == 1


def test_clock_may_go_back(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    lesson = given.lesson()
    sandbox.move(advance=3 * DAY)
    deletion = {"courseId": given.seen(lesson).course, "classId": lesson}
    assert given.api.call("delCourseClass", **deletion).errno == 145
    assert sandbox.move(advance=-3 * DAY)["offset"] == 0
    assert given.api.call("delCourseClass", **deletion).errno == 1


def test_jobs_due_in_between_have_run_when_it_answers(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    given.plan(stop_delay=100)
    early, late, later = given.teacher(), given.teacher(), given.teacher()
    given.stopped(early)
    sandbox.move(advance=50)
    given.stopped(late)
    given.plan(stop_delay=HOUR)
    given.stopped(later)
    assert [state(given, user) for user in (early, late, later)] == [TeacherState.STOPPING] * 3
    sandbox.move(advance=49)
    assert state(given, early) is TeacherState.STOPPING
    sandbox.move(advance=1)
    assert (state(given, early), state(given, late)) == (
        TeacherState.STOPPED,
        TeacherState.STOPPING,
    )
    sandbox.move(advance=DAY)
    assert state(given, late) is state(given, later) is TeacherState.STOPPED


def test_clock_goes_in_steps(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    moments: list[int] = []
    clock = given.house.services.clock
    assert isinstance(clock, ShiftedClock)
    set_clock = clock.set

    def watch(moment: int) -> None:
        moments.append(moment - given.now)
        set_clock(moment)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "set", watch)
        assert sandbox.move(advance=25, step=10)["offset"] == 25
        assert moments == [10, 20, 25]
        sandbox.move(advance=5, step=10)
    assert moments == [10, 20, 25, 30]


def test_stop_takes_no_time_in_the_sandbox_unless_it_is_set(moved: tuple[Given, Sandbox]) -> None:
    given, _ = moved
    assert state(given, given.stopped(given.teacher())) is TeacherState.STOPPED


def test_blocking_maintenance_is_met_at_once(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    begin = given.now + 10 * DAY
    window = given.store.write(lambda uow: uow.maintenance.add(begin, begin + HOUR, blocks=True))
    assert given.api.call("getTopFolderId").errno == 1
    sandbox.move(now=begin)
    assert given.api.call("getTopFolderId").errno == 901
    sandbox.move(now=begin + HOUR)
    assert given.api.call("getTopFolderId").errno == 1
    given.store.write(lambda uow: uow.maintenance.delete(window))


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("{}", "send one of"),
        ('{"advance": 1, "now": 1}', "send one of"),
        ('{"advance": "1"}', "Expected `int | null`"),
        ('{"advance": 1.5}', "Expected `int | null`"),
        ('{"advance": true}', "Expected `int | null`"),
        ('{"seconds": 1}', "unknown field"),
        ("[]", "Expected `object`"),
        ("", "JSON object"),
        ("\x00", "JSON object"),
        (f'{{"advance": {10**30}}}', "the clock runs from 0"),
        ('{"advance": ' + "9" * 5000 + "}", "JSON object"),
        (f'{{"now": {MAX_MOMENT + 1}}}', "the clock runs from 0"),
        ('{"now": -1}', "the clock runs from 0"),
        ('{"now": 1, "step": 1}', "a step is"),
        ('{"advance": 1001, "step": 1}', "a step is"),
        ('{"advance": 5, "step": 0}', "a step is"),
        ('{"advance": -5, "step": 1}', "a step is"),
        ("[" * 5000, "JSON object"),
    ],
)
def test_clock_refuses_what_is_no_move(moved: tuple[Given, Sandbox], body: str, word: str) -> None:
    given, sandbox = moved
    answer = sandbox.http.post("/clock", content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert word in answer.json()["detail"]
    assert sandbox.clock()["now"] == given.now


def test_every_moment_of_the_clock_can_be_worked_in(moved: tuple[Given, Sandbox]) -> None:
    given, sandbox = moved
    given.plan(monthly_classes=5, classroom_hours=1000)
    form = given.lesson_form()
    for now in (0, MAX_MOMENT):
        sandbox.move(now=now)
        hours = {"beginTime": now + DAY, "endTime": now + DAY + HOUR}
        assert given.api.call("addCourseClass", **{**form, **hours}).errno == 1


def test_body_of_the_sandbox_has_a_limit(moved: tuple[Given, Sandbox]) -> None:
    _, sandbox = moved
    assert sandbox.http.post("/clock", content=b" " * 70_000).status_code == 413


def test_moved_clock_survives_a_restart(tmp_path: Path) -> None:
    with running_house(tmp_path, None, "sqlite") as first:
        sandbox = Sandbox(first.url)
        sandbox.move(advance=3 * DAY)
        moment = first.clock.now()
        sandbox.http.close()
    with running_house(tmp_path, None, "sqlite", moment=moment + 60) as second:
        sandbox = Sandbox(second.url)
        now = {"now": moment + 60 + 3 * DAY, "real": moment + 60, "offset": 3 * DAY}
        assert sandbox.clock() == now
        sandbox.http.close()


def test_moved_clock_survives_a_restart_on_postgresql(postgres: Postgres, tmp_path: Path) -> None:
    database = postgres.fresh()
    with running_house(tmp_path, database, "postgresql") as first:
        sandbox = Sandbox(first.url)
        sandbox.move(advance=-DAY)
        sandbox.http.close()
    with running_house(tmp_path, database, "postgresql") as second:
        sandbox = Sandbox(second.url)
        assert sandbox.clock()["offset"] == -DAY
        sandbox.http.close()


def test_there_is_no_sandbox_unless_it_is_asked_for(tmp_path: Path) -> None:
    with running_house(tmp_path, None, "sqlite", sandbox=False) as house:
        with Sandbox(house.url).http as http:
            statuses = {
                http.request(method, path).status_code
                for method in ("GET", "POST", "DELETE")
                for path in ("/clock", "/faults", "/reset", "/journal")
            }
        assert statuses == {404}


def test_elsewhere_the_sandbox_wants_the_operators_token(tmp_path: Path) -> None:
    with running_house(tmp_path, None, "sqlite", host="0.0.0.0") as house:  # noqa: S104  that is the point
        given = Given(house)
        sid = SchoolId(given.school.id)
        _, operators = given.store.write(
            lambda uow: operations.issue_token(uow, MEANS, None, "operator")
        )
        _, schools = given.store.write(
            lambda uow: operations.issue_token(uow, MEANS, sid, "school")
        )
        url = house.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104  as above
        with Sandbox(url).http as http:

            def get_status(token: str | None) -> int:
                headers = {} if token is None else {"authorization": token}
                return http.get("/clock", headers=headers).status_code

            assert get_status(None) == 401
            assert http.get("/clock").headers["www-authenticate"].startswith("Bearer")
            assert http.post("/faults", json={}).status_code == 401
            assert (
                get_status("Bearer nonsense")
                == get_status("Bearer")
                == get_status("Basic x")
                == 401
            )
            assert get_status(f"Bearer {schools}") == 403
            assert get_status(f"Bearer {operators}") == get_status(f"bearer {operators}") == 200
        given.close()


def test_page_of_another_site_has_no_say(sandbox: Sandbox) -> None:
    def get_status(origin: str) -> int:
        return sandbox.http.get("/clock", headers={"origin": origin}).status_code

    assert get_status("https://evil.example") == get_status("null") == get_status("http://[") == 401
    assert get_status("http://localhost:8080") == get_status("http://127.0.0.1:8080") == 200


def test_name_that_was_made_to_lead_here_has_no_say(sandbox: Sandbox) -> None:
    def get_status(host: str) -> int:
        return sandbox.http.get("/clock", headers={"host": host}).status_code

    assert (
        get_status("evil.example:8080")
        == get_status("10.0.0.1")
        == get_status("[")
        == get_status("")
        == 401
    )
    assert (
        get_status("localhost:8080") == get_status("127.0.0.1") == get_status("[::1]:8080") == 200
    )


def test_client_behind_a_proxy_is_not_on_this_machine(sandbox: Sandbox) -> None:
    headers = {"x-forwarded-for": "203.0.113.9"}
    assert sandbox.http.get("/clock", headers=headers).status_code == 401
