"""A school under load whose server is killed: what it holds must be what was acknowledged.

Each client has things of its own, so between two of its calls it knows exactly what is there. A
call that a kill cut off may have been done or not, but never in part.
"""

import json
import random
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg

from homeroom.base.clock import DAY, HOUR, SystemClock
from homeroom.base.ids import LessonId
from homeroom.base.keys import KeyGenerator
from homeroom.base.settings import Settings
from homeroom.folder import open_store
from homeroom.store.local_storage import LocalStorage
from homeroom.store.storage import import_clip
from homeroom.usecases import clips
from tests.support.process import Process
from tests.support.wire import Partner, Reply

CLIENTS: Final = 4
STUDENTS: Final = 12
CLIPS_A_ROUND: Final = 3
SWEPT_SECONDS: Final = 20
ACKNOWLEDGED_SECONDS: Final = 60
Query = Callable[[str, int], list[tuple[Any, ...]]]
"""Runs a statement with one value, marked `?`, and returns the rows."""
RECORDING: Final = b"\0\0\0\x08ftyp a recording"


@dataclass(frozen=True)
class Held:
    """Contents of a client's course and of its class with recordings."""

    members: frozenset[int] = frozenset()
    labels: tuple[int, ...] = ()
    classes: frozenset[tuple[str, tuple[int, ...]]] = frozenset()
    """Names, each with the co-teachers."""
    deleted: frozenset[str] = frozenset()
    """Clips, by fileId."""


@dataclass
class Client:
    """One caller: what is its own, and what it knows to be there."""

    course: int
    teachers: tuple[int, ...]
    students: tuple[int, ...]
    labels: tuple[int, ...]
    recorded: int
    """A class that is over, and takes clips."""
    random: random.Random
    held: Held = field(default_factory=Held)
    clips: list[str] = field(default_factory=list)
    unsure: Held | None = None
    """What is there if the call that was cut off was done after all."""
    made: int = 0

    def work(self, api: Partner, stop: threading.Event, acknowledged: Callable[[], None]) -> None:
        """Make one call after the other until there is no server any more."""
        while not stop.is_set():
            call, then = self._next()
            self.unsure = then
            try:
                reply = call(api)
            except httpx.TransportError:
                return
            assert reply.errno == 1, (reply.body, reply.reason)
            assert all(one == 1 for one in _entries(reply)), reply.body
            self.held, self.unsure = then, None
            acknowledged()

    def _next(self) -> tuple[Callable[[Partner], Reply], Held]:
        kinds = [self._create, self._create, self._label]
        kinds.append(self._remove if self.held.members else self._add)
        if len(self.held.deleted) < len(self.clips):
            kinds.append(self._delete)
        return self.random.choice(kinds)()

    def _create(self) -> tuple[Callable[[Partner], Reply], Held]:
        self.made += 1
        name = f"{self.course} {self.made}"
        teacher, *helpers = self.random.sample(self.teachers, 3)
        begin = SystemClock().now() + 10 * DAY
        form: dict[str, Any] = {
            "courseId": self.course,
            "className": name,
            "beginTime": begin,
            "endTime": begin + HOUR,
            "teacherUid": teacher,
            "assistantUids": helpers,
            "courseUniqueIdentity": name,
        }
        then = replace(self.held, classes=self.held.classes | {(name, tuple(helpers))})
        return lambda api: api.call("addCourseClass", **form), then

    def _label(self) -> tuple[Callable[[Partner], Reply], Held]:
        chosen = self.random.sample(self.labels, self.random.randint(1, len(self.labels)))
        entry = [{"courseId": self.course, "labelIds": chosen}]
        then = replace(self.held, labels=tuple(chosen))
        return lambda api: api.call("addCourseLabels", CourseList=entry), then

    def _add(self) -> tuple[Callable[[Partner], Reply], Held]:
        entries = [{"uid": uid} for uid in self.students]
        form: dict[str, Any] = {"courseId": self.course, "identity": 1, "studentJson": entries}
        then = replace(self.held, members=frozenset(self.students))
        return lambda api: api.call("addCourseStudentMultiple", **form), then

    def _remove(self) -> tuple[Callable[[Partner], Reply], Held]:
        members = sorted(self.held.members)
        gone = self.random.sample(members, min(4, len(members)))
        form: dict[str, Any] = {"courseId": self.course, "identity": 1, "studentUidJson": gone}
        then = replace(self.held, members=self.held.members - set(gone))
        return lambda api: api.call("delCourseStudentMultiple", **form), then

    def _delete(self) -> tuple[Callable[[Partner], Reply], Held]:
        file_id = next(one for one in self.clips if one not in self.held.deleted)
        then = replace(self.held, deleted=self.held.deleted | {file_id})
        form = {"classId": self.recorded, "fileId": file_id}
        return lambda api: api.call("deleteClassVideo", **form), then


def _entries(reply: Reply) -> list[int]:
    return reply.errnos if isinstance(reply.body.get("data"), list) else []


class Kills:
    """A server on a folder, killed and started again and again."""

    def __init__(self, folder: Path, seed: int, database: str | None = None) -> None:
        """Take the address of a PostgreSQL database; without one it is SQLite in the folder."""
        self.folder = folder
        self.database = database
        self.random = random.Random(seed)
        self.acknowledged = 0
        self.recoveries: list[float] = []
        """Seconds from each new start of the server to its first right answer."""
        self._changed = threading.Condition()
        self.server = self._start()
        school = json.loads(self.server.cli("school", "create", "--name", "Soak", "--json"))
        self.sid, self.secret = int(school["sid"]), str(school["secret"])
        self.clients = self._prepared()

    def round(self) -> None:
        """Load the server, kill it, and make sure of what is there; then start it again."""
        for client in self.clients:
            self.put_clips(client)
        stop = threading.Event()
        apis = [self._partner() for _ in self.clients]
        failures: list[BaseException] = []

        def work(client: Client, api: Partner) -> None:
            try:
                client.work(api, stop, self._count)
            except BaseException as failure:  # noqa: BLE001  shown by the test, not lost in a thread
                failures.append(failure)

        threads = [
            threading.Thread(target=work, args=pair)
            for pair in zip(self.clients, apis, strict=True)
        ]
        for thread in threads:
            thread.start()
        enough = self.acknowledged + self.random.randint(5, 60)
        with self._changed:
            arrived = self._changed.wait_for(
                lambda: self.acknowledged >= enough or failures, ACKNOWLEDGED_SECONDS
            )
        self.server.kill()
        stop.set()
        for thread in threads:
            thread.join()
        for api in apis:
            api.close()
        assert not failures, failures
        assert arrived, self.server.log
        assert "Traceback" not in self.server.log, self.server.log
        self._check()
        began = time.monotonic()
        self.server = self._start()
        with self._partner() as api:
            assert api.call("addSchoolLabel", labelName="recovered").errno in (1, 353)
        self.recoveries.append(time.monotonic() - began)
        self._check_bytes()

    def describe(self, rounds: int) -> str:
        """Return the figures so far."""
        slowest = sorted(self.recoveries)
        p99 = slowest[min(len(slowest) - 1, len(slowest) * 99 // 100)]
        return (
            f"{rounds} kills, {self.acknowledged} acknowledged calls, recovery"
            f" p50 {slowest[len(slowest) // 2]:.2f} s, p99 {p99:.2f} s"
        )

    def _start(self) -> Process:
        return Process("--sandbox", data=self.folder, database=self.database)

    def _partner(self) -> Partner:
        return Partner(self.server.url, self.sid, self.secret, SystemClock())

    def _count(self) -> None:
        with self._changed:
            self.acknowledged += 1
            self._changed.notify_all()

    # --- before --------------------------------------------------------------------------

    def _prepared(self) -> list[Client]:
        """Give each client a course, students, and a class that is over; teachers are shared."""
        api = self._partner()
        telephones = iter(range(13_700_000_000, 13_800_000_000))

        def done(action: str, **fields: Any) -> Any:  # noqa: ANN401  each action has its own data
            reply = api.call(action, **fields)
            assert reply.errno == 1, (reply.body, reply.reason)
            return reply.body.get("data")

        def person(member: int) -> int:
            form = {"telephone": str(next(telephones)), "md5pass": "0" * 32}
            return int(done("register", **form, addToSchoolMember=member))

        teachers = tuple(person(2) for _ in range(4))
        labels = tuple(
            int(done("addSchoolLabel", labelName=f"label {number}")["labelId"])
            for number in range(5)
        )
        clients = []
        begin = SystemClock().now() + HOUR
        for number in range(CLIENTS):
            course = int(done("addCourse", courseName=f"Course {number}"))
            hours = {"beginTime": begin, "endTime": begin + HOUR}
            recorded = int(
                done(
                    "addCourseClass",
                    courseId=course,
                    className="recorded",
                    teacherUid=teachers[0],
                    assistantUids=list(teachers[1:3]),
                    record=1,
                    **hours,
                )
            )
            client = Client(
                course,
                teachers,
                tuple(person(1) for _ in range(STUDENTS)),
                labels,
                recorded,
                random.Random(self.random.random()),
            )
            client.held = replace(
                client.held, classes=frozenset({("recorded", tuple(teachers[1:3]))})
            )
            clients.append(client)
        api.close()
        self.server.advance(DAY)
        return clients

    def put_clips(self, client: Client) -> None:
        """Add recordings as `homeroom clip add` does, while the server runs."""
        settings = Settings(data=self.folder, database=self.database)
        files = LocalStorage(self.folder)
        with tempfile.TemporaryDirectory() as folder, open_store(settings) as store:
            source = Path(folder) / "recording.mp4"
            source.write_bytes(RECORDING)
            for _ in range(CLIPS_A_ROUND):
                kept = import_clip(files, source, KeyGenerator().file_id(), SystemClock().now())
                store.write(partial(clips.add, lesson_id=LessonId(client.recorded), file=kept))
                client.clips.append(kept.file_id)

    # --- afterwards ----------------------------------------------------------------------

    def _check(self) -> None:
        """Compare what every client knows with what the dead server's database holds."""
        with self._opened() as query:
            for client in self.clients:
                there = read_contents(query, client)
                assert there in (client.held, client.unsure), (there, client.held, client.unsure)
                client.held, client.unsure = there, None

    @contextmanager
    def _opened(self) -> Iterator[Query]:
        """Open the database of a dead server."""
        if self.database is None:
            with opened_sqlite(self.folder / "homeroom.db") as query:
                yield query
            return
        with psycopg.connect(self.database, autocommit=True) as connection:
            # The server is dead, but its last statements may still be at work.
            others = (
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            deadline = time.monotonic() + SWEPT_SECONDS
            while connection.execute(others).fetchall() != [(0,)]:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield lambda sql, value: connection.execute(
                sql.replace("?", "%s").encode(), (value,)
            ).fetchall()

    def _check_bytes(self) -> None:
        """Make sure that the next server ends what a kill interrupted: deleted bytes are gone."""
        gone = {one for client in self.clients for one in client.held.deleted}
        kept = {one for client in self.clients for one in client.clips} - gone
        deadline = time.monotonic() + SWEPT_SECONDS
        while (left := self._on_disk()) & gone and time.monotonic() < deadline:
            time.sleep(0.02)
        assert left == kept, (sorted(left - kept), sorted(kept - left), self.server.log)

    def _on_disk(self) -> set[str]:
        return {path.stem for path in self.folder.glob("clips/*/*.mp4")}


@contextmanager
def opened_sqlite(path: Path) -> Iterator[Query]:
    """Open a database that no server uses, and make sure that it is whole."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        yield lambda sql, value: connection.execute(sql, (value,)).fetchall()


def read_contents(query: Query, client: Client) -> Held:
    """Return what a database holds of a client."""
    helpers = "SELECT user_id FROM co_teachers WHERE lesson_id = ? ORDER BY position"
    lessons = query("SELECT id, name, teacher_id FROM lessons WHERE course_id = ?", client.course)
    listed = {
        one
        for (one,) in query(
            "SELECT user_id FROM course_teachers WHERE course_id = ?", client.course
        )
    }
    classes = {
        (name, tuple(one for (one,) in query(helpers, number))) for number, name, _ in lessons
    }
    assert len(classes) == len(lessons)
    assert listed == {teacher for *_, teacher in lessons} | {one for _, co in classes for one in co}
    members = query("SELECT user_id FROM course_members WHERE course_id = ?", client.course)
    labels = query(
        "SELECT label_id FROM course_labels WHERE course_id = ? ORDER BY position", client.course
    )
    deleted = query(
        "SELECT file_id FROM clips WHERE lesson_id = ? AND deleted_at IS NOT NULL", client.recorded
    )
    return Held(
        frozenset(one for (one,) in members),
        tuple(one for (one,) in labels),
        frozenset(classes),
        frozenset(one for (one,) in deleted),
    )
