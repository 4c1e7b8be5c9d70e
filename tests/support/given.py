"""Builders: a school with what a test needs; every fact not named is a default."""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import UpdateBase
from sqlalchemy.sql import Select

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, FolderId, LessonId, PresetId, SchoolId, UserId
from homeroom.base.keys import KeyGenerator
from homeroom.base.mp4 import FILE_TYPE_BOX
from homeroom.base.values import replace
from homeroom.contract.action import Action
from homeroom.contract.errno import Errno
from homeroom.domain.clips import Clip
from homeroom.domain.lessons import Lesson, Origin
from homeroom.domain.lifecycle import OVERTIME_SECONDS
from homeroom.domain.schools import School
from homeroom.domain.viewers import ViewerKind
from homeroom.store.engine import Row, SQLValue
from homeroom.store.records import NewViewer, Viewer
from homeroom.store.statement import Statement
from homeroom.store.storage import import_clip
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.testing.clock import ManualClock
from homeroom.testing.partner import Value
from homeroom.testing.school import SchoolBuilder
from homeroom.usecases import clips, schools
from homeroom.usecases.accounts import MEGABYTE
from homeroom.usecases.dependencies import Dependencies
from homeroom.web.faults import Fault
from tests.support.serving import House
from tests.support.wire import Partner

_NUMBERS: Final = count(1)
UNFINISHED_MS: Final = 1500
BEGINS_WITHIN: Final = 10.0


class Given(SchoolBuilder):
    """One fresh school of a running server, with what no partner call can bring about."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._other: Given | None = None
        self._ends = ExitStack()
        deps = Dependencies(KeyGenerator(), "", 0)
        self.school: School = self.store.write(lambda uow: schools.create(uow, deps, "School"))
        super().__init__(Partner(house.url, self.school.id, self.school.secret, house.clock))

    @property
    def clock(self) -> ManualClock:
        """The clock of the server."""
        return self.house.clock

    @property
    def store(self) -> Store:
        """The server's own store."""
        return self.house.store

    @property
    def now(self) -> Moment:
        """The present moment."""
        return self.clock.now()

    def plan(self, **changes: Any) -> None:  # noqa: ANN401  as `homeroom school set` takes them
        """Change the school's plan, as an operator does."""
        sid = SchoolId(self.school.id)

        def change(uow: UnitOfWork) -> None:
            held = uow.schools.get(sid)
            assert held is not None
            uow.schools.save_plan(sid, msgspec.structs.replace(held.plan, **changes))

        self.store.write(change)
        self.house.forget_credentials()

    def fault(self, action: str, errno: Errno | None = None, **more: Any) -> None:  # noqa: ANN401  passed on to Fault
        """Ask for a fault at the next call of an action of this school."""
        facts = {"delay_ms": 0, "drop": False, "times": 1, "after_commit": False, **more}
        faults = self.house.faults
        faults.add(
            Fault(id=0, action=action, school=SchoolId(self.school.id), errno=errno, **facts)
        )

    def teaching_member(self, course: CourseId, identity: int = 1) -> UserId:
        """Make a member of a course who is also a teacher of the school."""
        member = self.member(course, identity)
        self.done("addTeacher", teacherUid=member, teacherName="Teacher")
        return member

    def viewer(self, lesson: LessonId, **facts: Any) -> Viewer:  # noqa: ANN401  any of NewViewer
        """Add a viewer to a class: by default a visitor."""
        number = next(_NUMBERS)
        new = NewViewer(lesson, f"visitor:{number}", ViewerKind.VISITOR, f"Viewer {number}")
        return self.store.write(lambda uow: uow.viewers.save(replace(new, **facts), uow.now))

    def other(self) -> "Given":
        """Return another school of the same server, made at the first call."""
        if self._other is None:
            self._other = Given(self.house)
        return self._other

    def set_course(self, course: CourseId, **columns: SQLValue) -> CourseId:
        """Write what the partner API does not write of a course, as `homeroom course` does."""
        self.store.write(lambda uow: uow.courses.save(course, columns))
        return course

    def public_course(self) -> CourseId:
        """Make a course and turn it into a public one, as an operator does."""
        return self.set_course(self.course(), kind="public")

    def deleted_course(self) -> CourseId:
        """Make a course and delete it, as an operator does."""
        return self.set_course(self.course(), deleted_at=self.now)

    def ended_course(self) -> CourseId:
        """Make a course and end it."""
        course = self.course()
        self.done("endCourse", courseId=course)
        return course

    def cancelled(self, user: UserId) -> UserId:
        """Cancel an account, as `homeroom user cancel` does."""
        self.store.write(lambda uow: uow.accounts.cancel(user, uow.now))
        return user

    def stopped(self, teacher: UserId) -> UserId:
        """Take a teacher out of service."""
        self.done("stopUsingTeacher", teacherUid=teacher)
        return teacher

    def stopping(self, teacher: UserId) -> UserId:
        """Begin to take a teacher out of service, which then takes a minute."""
        self.plan(stop_delay=60)
        self.stopped(teacher)
        self.plan(stop_delay=None)
        return teacher

    def guest(self, lesson: LessonId, user: UserId) -> UserId:
        """Add a user to one class only, as a client does."""
        self.store.write(lambda uow: uow.class_students.add_guests([(lesson, user)]))
        return user

    def made_elsewhere(self, lesson: LessonId) -> LessonId:
        """Let a class have been made by a client."""
        self.store.write(lambda uow: uow.lessons.save_origin(lesson, Origin.CLIENT))
        return lesson

    def closed_early(self, lesson: LessonId) -> LessonId:
        """Close a class now, as its teacher does in the classroom."""
        self.store.write(lambda uow: uow.lessons.close(lesson, uow.now))
        return lesson

    def sub_account(self, user: UserId) -> UserId:
        """Make a user a sub-account of the school, as `homeroom subaccount add` does."""
        sid = self.school.id
        self.store.write(lambda uow: uow.schools.add_sub_account(sid, user))
        return user

    def preset(self) -> PresetId:
        """Make a classroom preset, as a console does."""
        sid = self.school.id
        return self.store.write(lambda uow: uow.schools.add_preset(sid, "Preset"))

    def locked_folder(self) -> FolderId:
        """Make a folder that the partner API may not put folders into."""
        folder = self.folder()
        self.store.write(lambda uow: uow.drive.save_writable(folder, writable=False))
        return folder

    def full_storage(self) -> "Given":
        """Use up the school's storage with a recording of the whole of it."""
        self.clip(self.held_lesson(), b"-" * MEGABYTE)
        self.plan(storage_mb=1)
        return self

    @contextmanager
    def unfinished(
        self, action: str, delay_ms: int = UNFINISHED_MS, /, **fields: Value
    ) -> Iterator[None]:
        """Keep a call of another client unfinished, for longer than requests wait unless said."""
        self.fault(action, delay_ms=delay_ms)
        faults = self.house.faults
        with ThreadPoolExecutor(1) as other_client:
            slow = other_client.submit(self.api.call, action, **fields)
            until = time.monotonic() + BEGINS_WITHIN
            while any(fault.school == self.school.id for fault in faults.pending()):
                assert time.monotonic() < until, "the slow call did not begin"
                time.sleep(0.005)
            yield
            assert slow.result().errno == 1, slow.result().reason

    def maintenance(self, begin: Moment, end: Moment) -> None:
        """Announce maintenance until the test ends, as `homeroom maintenance add` does."""
        window = self.store.write(lambda uow: uow.maintenance.add(begin, end, blocks=False))
        self._ends.callback(self.store.write, lambda uow: uow.maintenance.delete(window))

    def until(self, moment: Moment) -> None:
        """Let time pass until a moment."""
        assert moment >= self.now, "the clock of the house goes one way"
        self.clock.advance(moment - self.now)

    def held_lesson(self, course: CourseId | None = None, **fields: Value) -> LessonId:
        """Make a class that is recorded unless said otherwise, and let it go by, overtime too."""
        lesson = self.lesson(course, **{"record": 1, **fields})
        self.until(self.seen(lesson).hours.end + OVERTIME_SECONDS)
        return lesson

    def clip(self, lesson: LessonId, content: bytes = b"a recording", **facts: Any) -> Clip:  # noqa: ANN401  any of NewClip
        """Put a recorded file into a class, as `homeroom clip add` does, but for what is said."""
        files = self.house.files
        name = f"{next(_NUMBERS):08x}"
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "recording.mp4"
            is_film = content[4:8] == FILE_TYPE_BOX
            source.write_bytes(content if is_film else b"\0\0\0\x08ftyp" + content[8:])
            kept = replace(import_clip(files, source, name, self.now), **facts)
        return self.store.write(lambda uow: clips.add(uow, lesson, kept))

    def seen(self, lesson: LessonId) -> Lesson:
        """Return a class as the store keeps it."""
        held = self.store.read(lambda uow: uow.lessons.get(lesson))
        assert held is not None
        return held

    def rows(self, query: Select[Any]) -> list[Row]:
        """Return what the database holds, for facts that the partner API does not show."""
        statement = Statement(query)
        return self.store.read(lambda uow: uow.schools._tx.fetch_all(statement, {}))  # noqa: SLF001  the way in

    def write(self, change: UpdateBase) -> None:
        """Change what the database holds, for facts in bulk that no call brings about."""
        statement = Statement(change)
        self.store.write(lambda uow: uow.schools._tx.execute(statement, {}))  # noqa: SLF001  the way in

    def failing(self, action: Action[Any, Any], errno: Errno) -> "Given":
        """Let the next call of an action fail with a number, by a fault."""
        self.fault(action.name, errno)
        return self

    def close(self) -> None:
        """Close the connections, and undo what holds for the whole server."""
        self._ends.close()
        super().close()
        if self._other is not None:
            self._other.close()
