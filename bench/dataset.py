"""The data that the rows of the table work on: a school with people, classes and clips.

It is prepared once for each version of the server, on the wire and by SQL, and copied for each of
those that are measured. Ids of what SQL puts in have nine digits, as wide as `NUMBER`.
"""

import json
import subprocess
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bench import bulk
from bench.target import (
    Account,
    Place,
    create_places,
    database_options,
    lesson_form,
    serving,
)
from bench.versions import Version
from homeroom.base.clock import DAY, HOUR, MINUTE, SystemClock
from homeroom.base.settings import Settings

FIRST_NEWCOMER = 110_000_000
"""Uids of students who are in no course yet."""
FIRST_SINGLE = 115_000_000
"""Uids of students who are in a course, by the remainder of their uid."""
FIRST_MEMBER = 120_000_000
"""Uids of students who are in a course, a thousand of them in the same: see `DataSet.course_of`."""
FIRST_OVER = 210_000_000
"""Ids of classes that are over, each with a clip."""
FIRST_AHEAD = 220_000_000
"""Ids of classes of tomorrow."""
OTHERS = 12
"""Schools for the action that limits the calls of each school."""
MEMBERS_IN_A_ROW = 1000
"""Students whose uids follow each other and who are in the same course."""


@dataclass(frozen=True)
class Sizes:
    """Rows of each kind; a call that uses one up needs another one."""

    newcomers: int
    singles: int
    members: int
    over: int
    ahead: int = 64


@dataclass(frozen=True)
class DataSet:
    """A prepared school, and what the requests name."""

    account: Account
    places: list[Place]
    labels: list[int]
    token: str
    """An operator's token."""
    page: str
    """Path and query of the live page of a class that is open."""
    others: list[tuple[Account, Place]]
    """Schools for createClass, of which each may make 1,000 calls a minute."""
    sizes: Sizes

    def course_of(self, member: int) -> int:
        """Return the course of a student from `FIRST_MEMBER` on."""
        return self.places[member // MEMBERS_IN_A_ROW % len(self.places)].course

    def course_of_copy(self, number: int) -> int:
        """Return the course of a class from `FIRST_OVER` or `FIRST_AHEAD` on, counted from 0."""
        return self.places[number % len(self.places)].course


def prepare(settings: Settings, version: Version, sizes: Sizes) -> DataSet:
    """Fill an empty database with the commands and the server of a version."""
    school = _run_command(settings, version, "school", "create", "--name", "Bench")
    token = _run_command(settings, version, "token", "create")["token"]
    account = Account(school["sid"], school["secret"])
    schools = [
        _run_command(settings, version, "school", "create", "--name", f"Bench {number}")
        for number in range(OTHERS)
    ]
    with (
        serving(settings, version) as target,
        closing(account.partner(target.port)) as partner,
    ):
        places = create_places(partner)
        labels = [
            int(partner.call("addSchoolLabel", labelName=f"label {n}").data["labelId"])
            for n in range(2)
        ]
        form = lesson_form(account, places[0])
        now = SystemClock().now()
        form |= {"beginTime": str(now + 5 * MINUTE), "endTime": str(now + HOUR)}
        del form["courseUniqueIdentity"], form["safeKey"], form["timeStamp"], form["SID"]
        reply = partner.call("addCourseClass", **form)
        assert reply.errno == 1, (reply.body, reply.reason)
        page = f"/{str(reply.body['more_data']['live_url']).rpartition('/')[2]}"
        others = [
            _create_other(Account(each["sid"], each["secret"]), target.port) for each in schools
        ]
    dataset = DataSet(account, places, labels, token, page, others, sizes)
    _fill(settings, dataset, int(reply.data))
    return dataset


def _create_other(account: Account, port: int) -> tuple[Account, Place]:
    with closing(account.partner(port)) as partner:
        return account, create_places(partner, courses=1)[0]


def _run_command(settings: Settings, version: Version, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        version.command(*words, "--json", *database_options(settings)),
        env=version.environment(),
        capture_output=True,
        check=True,
    )
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def _fill(settings: Settings, dataset: DataSet, lesson: int) -> None:
    sizes, sid = dataset.sizes, dataset.account.sid
    for first, many in (
        (FIRST_NEWCOMER, sizes.newcomers),
        (FIRST_SINGLE, sizes.singles),
        (FIRST_MEMBER, sizes.members),
    ):
        bulk.add_students(settings, dataset.account, first, many)
    for number, place in enumerate(dataset.places):
        bulk.run(
            settings,
            "INSERT INTO course_members (course_id, user_id, role, nickname, joined_at) "  # noqa: S608  our own numbers
            f"SELECT {place.course}, user_id, 1, 'Student', 0 FROM students "
            f"WHERE school_id = {sid} AND user_id >= {FIRST_SINGLE} AND {number} = "
            f"CASE WHEN user_id < {FIRST_MEMBER} THEN user_id "
            f"ELSE user_id / {MEMBERS_IN_A_ROW} END % {len(dataset.places)}",
        )
    courses = "".join(
        f"WHEN {number} THEN {dataset.course_of_copy(number)} "
        for number in range(len(dataset.places))
    )
    for first, many, moved in (
        (FIRST_OVER, sizes.over, -10 * DAY),
        (FIRST_AHEAD, sizes.ahead, DAY),
    ):
        changed = {
            "id": f"{first} + n - 1",
            "course_id": f"CASE (n - 1) % {len(dataset.places)} {courses}END",
            "begins_at": f"begins_at + {moved}",
            "ends_at": f"ends_at + {moved}",
            "key": f"'{first}' || CAST(n AS TEXT)",
        }
        bulk.copy_rows(settings, "lessons", many, changed, f"id = {lesson}")
    # A recorded clip names the storage that has its file.
    has_storage = "storage_id" in bulk.read_columns(settings, "clips")
    column, storage = (
        (", storage_id", ", (SELECT max(id) FROM storages)") if has_storage else ("", "")
    )
    bulk.run(
        settings,
        "INSERT INTO clips (lesson_id, file_id, path, name, size, created_at, kind, started_at, "  # noqa: S608  our own numbers
        f"is_finished{column}) SELECT id, 'f' || CAST(id AS TEXT), 'p' || CAST(id AS TEXT), "
        f"'clip', 1, 0, 'class', 0, 1{storage} FROM lessons "
        f"WHERE id BETWEEN {FIRST_OVER} AND {FIRST_AHEAD - 1}",
        "ANALYZE",
    )
