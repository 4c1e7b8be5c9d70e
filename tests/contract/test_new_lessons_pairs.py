"""Every two causes at once in an entry of addCourseClassMultiple: the earlier check is answered.

The pairs are generated from `entry_checks`. What cannot hold at once is listed with its reason.
"""

from collections.abc import Callable
from itertools import combinations, count
from typing import Any, Final

from sqlalchemy import func, select

from homeroom.base.clock import DAY, HOUR, MINUTE, YEAR
from homeroom.base.ids import UserId
from homeroom.contract.new_lessons import ADD_COURSE_CLASS_MULTIPLE, MAX_NEW_LESSONS
from homeroom.store.tables import lessons
from tests.support.given import Given
from tests.support.orders import AUDITOR, MALFORMED, STRANGER, STUDENT
from tests.support.orders.lessons import NO_PLAN, ODD_TEXT
from tests.support.wire import Reply

Entry = dict[str, Any]
Pair = tuple[int, int]
NAME: Final = ADD_COURSE_CLASS_MULTIPLE.name
ORDER: Final = [check.errno.number for check in ADD_COURSE_CLASS_MULTIPLE.entry_checks]
TWICE, BUSY, KNOWN = 133, 460, 398
TEACHERS: Final = (400, 136, 884, 387, 800, 172, 173)
CO_TEACHERS: Final = {318: 136, 885: 884, 388: 387, 804: 800, 319: 172, 320: 173}
"""The errno of a teacher that says the same of a person."""
PLANNED: Final[dict[int, dict[str, Any]]] = {
    121601005: {"live": False},
    121601006: {"scene": False},
    121601008: {"co_teachers": False},
    121601009: {"replay": False},
    121601010: {"recording": False},
    121601011: {"dual_camera": False},
    121601012: {"max_resolution": 0},
    121604007: {"broadcast": False},
    121601001: {"smart_classroom": False},
}
LIMITED: Final[dict[int, dict[str, Any]]] = {
    121601070: {"max_course_classes": 1},
    121601003: {"monthly_classes": 1},
    121601004: {"monthly_classes": 1, "upgradable": False},
}
WARNINGS: Final = (281, 280, 824, 121601002)
EXCLUSIVE: Final[dict[frozenset[int], str]] = {
    frozenset(pair): reason
    for reason, pairs in {
        "a start is either too early or too late": [(120, 268)],
        "an account that is malformed leads to no person": [
            *((122, errno) for errno in (*TEACHERS, 322))
        ],
        "a person who does not exist has no state": [(400, errno) for errno in TEACHERS[1:]],
        "a person has one state as a teacher": [(136, 387), (136, 800), (387, 800)],
        "a person has one role in a course": [(172, 173)],
        "a text is no number": [(121601007, 259)],
        "the plan has a larger one, or not": [(121601003, 121601004)],
        "two cameras need one seat": [(368, 121601011)],
        "recording is on, or off": [(281, 280), (121601006, 280), (121601010, 280)],
    }.items()
    for pair in pairs
}


class Causes:
    """Makes entries in which some causes hold, and no earlier ones."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.course = given.course()
        given.clip(given.lesson(self.course), bytes(1_000_000))
        given.plan(unknown_accounts_per_hour=0)
        self.helpers = [given.teacher() for _ in range(3)]
        self._teacher = given.teacher()
        self._people: dict[frozenset[int], UserId] = {}
        self._begin = given.now + 9 * DAY
        self._past, self._far = given.now - DAY, given.now + 4 * YEAR
        for begin in (self._begin, self._past, self._far):
            given.maintenance(begin, begin + MINUTE)

    def entry(self, *errnos: int) -> Entry:
        """Return an entry in which some causes hold; their order does not matter."""
        causes = frozenset(errnos)
        entry: Entry = {"className": "" if 100 in causes else "Class", **self._times(causes)}
        if 122 in causes:
            entry["teacherAccount"] = MALFORMED
        else:
            entry["teacherUid"] = self._person(causes.intersection(TEACHERS))
        if co_teachers := self._co_teachers(causes, entry.get("teacherUid")):
            entry["assistantUids"] = co_teachers
        fields: dict[int, Entry] = {
            121601011: {"isDc": 3, "seatNum": 1},
            121601012: {"isHd": 1, "seatNum": 1},
            368: {"isHd": 1, "seatNum": 5},
            808: {"isDc": 3, "seatNum": 5},
            259: {"seatNum": 13},
            121601007: {"seatNum": "many"},
            160: {"folderId": STRANGER},
            121601005: {"live": 1},
            121601006: {"record": 1, "recordScene": 1},
            121601009: {"replay": 1},
            121601010: {"record": 1},
            121604007: {"omoStationBroadcast": 1},
            121601001: {"teachMode": 2},
            281: {"record": 1},
            280: {"replay": 1},
            824: {"classIntroduce": ODD_TEXT},
        }
        for errno, values in fields.items():
            entry |= values if errno in causes else {}
        return entry

    def _times(self, causes: frozenset[int]) -> Entry:
        begin = self._begin if 454 in causes else self._begin + DAY
        begin = self._past if 120 in causes else self._far if 268 in causes else begin
        seconds = -1 if 119 in causes else MINUTE if 165 in causes else HOUR
        return {"beginTime": begin, "endTime": begin + seconds}

    def _person(self, causes: frozenset[int]) -> UserId:
        if not causes:
            return self._teacher
        if causes not in self._people:
            self._people[causes] = self._make_person(causes)
        return self._people[causes]

    def _make_person(self, causes: frozenset[int]) -> UserId:
        given = self.given
        if 400 in causes:
            return UserId(STRANGER)
        person = given.student()
        for errno, identity in ((172, STUDENT), (173, AUDITOR)):
            if errno in causes:
                fields = {"courseId": self.course, "studentUid": person, "identity": identity}
                given.done("addCourseStudent", **fields)
        if 136 not in causes:
            given.done("addTeacher", teacherUid=person, teacherName="Teacher")
        if 387 in causes:
            given.stopped(person)
        if 800 in causes:
            given.stopping(person)
        return given.cancelled(person) if 884 in causes else person

    def _co_teachers(self, causes: frozenset[int], teacher: object) -> list[object]:
        co_teachers: list[object] = []
        if 21316 in causes:
            co_teachers += [self.helpers[0]] * 2
        if 21317 in causes:
            co_teachers += self.helpers if not co_teachers else self.helpers[1:]
        if 322 in causes:
            co_teachers.append(teacher)
        co_teachers += [
            self._person(frozenset({same}))
            for errno, same in CO_TEACHERS.items()
            if errno in causes
        ]
        if 121601008 in causes and not co_teachers:
            co_teachers.append(self.helpers[0])
        return co_teachers


def generate_pairs(*, first: set[int] | None = None, second: set[int] | None = None) -> list[Pair]:
    """Return all pairs of checks in their order, some first ones with some second ones."""
    return [
        (earlier, later)
        for earlier, later in combinations(ORDER, 2)
        if frozenset((earlier, later)) not in EXCLUSIVE
        and (first is None or earlier in first)
        and (second is None or later in second)
    ]


def count_lessons(given: Given) -> int:
    """Return how many classes the school has."""
    query = select(func.count()).where(lessons.c.school_id == given.school.id)
    return int(given.rows(query.select_from(lessons))[0][0])


class Runner:
    """Sends the entries of pairs, and compares what is answered with the earlier of each."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.causes = Causes(given)
        self.done: set[Pair] = set()

    def run(
        self,
        pairs: list[Pair],
        change: Callable[[Entry], Entry] = lambda entry: entry,
        *before: Entry,
    ) -> None:
        """Send pairs in as many calls as they need; nothing may be written but for warnings."""
        size = MAX_NEW_LESSONS - len(before)
        for some in (pairs[start : start + size] for start in range(0, len(pairs), size)):
            entries = [change(self.causes.entry(*pair)) for pair in some]
            rows = count_lessons(self.given)
            reply = self.call(*before, *entries)
            assert reply.errno == 1, reply.reason
            results = dict(zip(some, reply.errnos[len(before) :], strict=True))
            wrong = {pair: errno for pair, errno in results.items() if errno != pair[0]}
            assert not wrong
            created = sum(pair[0] in WARNINGS for pair in some)
            assert count_lessons(self.given) == rows + created
            self.done.update(some)

    def call(self, *entries: Entry) -> Reply:
        """Call addCourseClassMultiple for the course of the causes."""
        return self.given.api.call(NAME, courseId=self.causes.course, classJson=list(entries))


def named(name: str) -> Callable[[Entry], Entry]:
    """Return what gives each entry an identity of its own."""
    numbers = count()
    return lambda entry: {**entry, "courseUniqueIdentity": f"{name} {next(numbers)}"}


def twin(entry: Entry) -> Entry:
    """Return an entry with the identity of another one."""
    return {**entry, "courseUniqueIdentity": "twin 0"}


def test_the_earlier_of_two_causes_is_answered_and_nothing_is_written(given: Given) -> None:
    runner = Runner(given)
    refusals = set(ORDER) - {TWICE, BUSY, KNOWN} - set(WARNINGS)
    warnings = set(WARNINGS)
    later = refusals | warnings
    everything: dict[str, Any] = {**dict.fromkeys(NO_PLAN, True), "max_resolution": 2}
    unlimited: dict[str, Any] = {
        "max_course_classes": 0,
        "monthly_classes": 0,
        "upgradable": True,
    }
    name_next = named("class")
    existing = [name_next(runner.causes.entry()) for _ in range(MAX_NEW_LESSONS)]
    assert set(runner.call(*existing).errnos) == {1}

    # The plan has nothing, and all limits are reached: no entry is added.
    given.plan(**NO_PLAN, max_co_teachers=2, max_course_classes=1, monthly_classes=1)
    runner.run(generate_pairs(first=refusals, second=refusals - {121601004}))
    given.plan(upgradable=False)
    runner.run(generate_pairs(first=refusals, second={121601004}))

    # Causes of the identity.
    runner.run(generate_pairs(first=refusals, second={TWICE}), twin, twin({}))
    runner.run(generate_pairs(first={TWICE}, second=later), twin, twin({}))
    runner.run([(TWICE, KNOWN)], named("class"), named("class")({}))
    runner.run(generate_pairs(first=refusals, second={KNOWN}), named("class"))
    runner.run(generate_pairs(first={KNOWN}, second=later), named("class"))
    with given.unfinished(NAME, 4000, courseId=runner.causes.course, classJson=existing):
        others = generate_pairs(first={BUSY}, second=later | {KNOWN})
        pairs = [(TWICE, BUSY), *generate_pairs(first=refusals, second={BUSY}), *others]
        runner.run(pairs, named("class"), named("class")({}))

    # Causes of warnings: the storage is full, and the hours are used up.
    given.plan(**everything, **unlimited, storage_mb=1, classroom_hours=1)
    runner.run(generate_pairs(first=refusals - PLANNED.keys() - LIMITED.keys(), second=warnings))
    for errno, changes in {**PLANNED, **LIMITED}.items():
        given.plan(**changes)
        runner.run(generate_pairs(first={errno}, second=warnings))
        given.plan(**everything, **unlimited)
    runner.run(generate_pairs(first=warnings, second=warnings))
    assert runner.done == set(generate_pairs())
