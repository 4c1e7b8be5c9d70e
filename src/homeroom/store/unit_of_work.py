"""The store and its unit of work: a use case gets one transaction, with all repositories on it.

The store commits everything that the use case wrote, or nothing. Back-pressure: units of work wait
in the queue of the engine, and a caller gets its result only after the commit.
"""

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from homeroom.base.clock import Clock, Moment
from homeroom.base.ids import SchoolId, UserId
from homeroom.contract.errno import Errno, Outcome
from homeroom.domain.events import Actor, Event
from homeroom.domain.jobs import JobPayload
from homeroom.store.accounts import Accounts
from homeroom.store.activities import Activities
from homeroom.store.audit import AuditTrail
from homeroom.store.backlog import Backlog
from homeroom.store.chat import Chats
from homeroom.store.cipher import Keyring
from homeroom.store.class_roles import ClassRoles
from homeroom.store.class_students import ClassStudents
from homeroom.store.classroom_events import ClassroomEvents
from homeroom.store.clips import Clips
from homeroom.store.comments import Comments
from homeroom.store.courses import Courses
from homeroom.store.deliveries import Deliveries
from homeroom.store.drive import Drive
from homeroom.store.endpoint_alarms import EndpointAlarms
from homeroom.store.endpoints import Endpoints
from homeroom.store.engine import (
    Engine,
    NeedsExclusiveError,
    QueuedUnit,
    Transaction,
    UnavailableError,
    UnitScope,
)
from homeroom.store.files import Files
from homeroom.store.groupings import Groupings
from homeroom.store.job_queue import JobQueue
from homeroom.store.labels import Labels
from homeroom.store.lane_commands import LaneCommands
from homeroom.store.lessons import Lessons
from homeroom.store.load import StoreLoad
from homeroom.store.maintenance import MaintenanceWindows
from homeroom.store.message_log import MessageLog
from homeroom.store.message_retention import MessageRetention
from homeroom.store.open_classrooms import OpenClassrooms
from homeroom.store.outages import OutageCause
from homeroom.store.outbox import Outbox, SubscribedSchools
from homeroom.store.outbox_leases import OutboxLeases
from homeroom.store.page_queries import PageQueries
from homeroom.store.page_visits import PageVisits
from homeroom.store.presences import Presences
from homeroom.store.publish_sessions import PublishSessions
from homeroom.store.quotas import Quotas
from homeroom.store.readback import ReadbackLists
from homeroom.store.readback_activities import ActivityLists
from homeroom.store.readback_members import MemberLists
from homeroom.store.records import Job, Lease
from homeroom.store.resets import Resets
from homeroom.store.rosters import Rosters
from homeroom.store.school_accounts import SchoolAccounts
from homeroom.store.schools import Schools
from homeroom.store.scripted_events import ScriptedEvents
from homeroom.store.sealing import Sealing
from homeroom.store.server_keys import ServerKeys
from homeroom.store.server_state import ServerState
from homeroom.store.sessions import Sessions
from homeroom.store.storages import Storages
from homeroom.store.stream_signatures import StreamSignatures
from homeroom.store.sub_lessons import SubLessons
from homeroom.store.swept_rows import SweptRows
from homeroom.store.teachers import Teachers
from homeroom.store.tokens import Tokens
from homeroom.store.units import Units
from homeroom.store.viewers import Viewers

T = TypeVar("T")
R = TypeVar("R")
RESULT_TIMEOUT_SECONDS = 60
"""Longest wait of a blocking caller (`Store.write`, `Store.read`) for its result."""


class _Repository(Generic[R]):
    """An attribute of a unit of work: a repository on its transaction, made on first use.

    A unit uses a few of them, and making all took longer than some of its statements.
    """

    def __init__(self, make: Callable[[Transaction], R]) -> None:
        self._make = make
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, uow: "UnitOfWork", owner: type | None = None) -> R:
        # Kept in the instance, where the next look-up finds it before this descriptor.
        repository = uow.__dict__[self._name] = self._create(uow)
        return repository

    def _create(self, uow: "UnitOfWork") -> R:
        return self._make(uow._tx)  # noqa: SLF001  part of the unit


class _SecretRepository(_Repository[R]):
    """An attribute of a unit of work: a repository of secrets, with the keys that decrypt them."""

    def __init__(self, make: Callable[[Transaction, Keyring], R]) -> None:
        self._make_with_keys = make
        self._name = ""

    def _create(self, uow: "UnitOfWork") -> R:
        return self._make_with_keys(uow._tx, uow._keyring)  # noqa: SLF001  part of the unit


class UnitOfWork:
    """A unit of work: the current time, the repositories on one transaction, and the warnings."""

    schools = _SecretRepository(Schools)
    server_keys = _SecretRepository(ServerKeys)
    sealing = _SecretRepository(Sealing)
    accounts = _Repository(Accounts)
    school_accounts = _Repository(SchoolAccounts)
    teachers = _Repository(Teachers)
    courses = _Repository(Courses)
    lessons = _Repository(Lessons)
    sub_lessons = _Repository(SubLessons)
    units = _Repository(Units)
    activities = _Repository(Activities)
    rosters = _Repository(Rosters)
    groupings = _Repository(Groupings)
    labels = _Repository(Labels)
    drive = _Repository(Drive)
    files = _Repository(Files)
    clips = _Repository(Clips)
    publish_sessions = _Repository(PublishSessions)
    viewers = _Repository(Viewers)
    presences = _Repository(Presences)
    pages = _Repository(PageQueries)
    chats = _Repository(Chats)
    sessions = _Repository(Sessions)
    jobs = _Repository(JobQueue)
    open_classrooms = _Repository(OpenClassrooms)
    outbox = _Repository(Outbox)
    outbox_leases = _Repository(OutboxLeases)
    deliveries = _Repository(Deliveries)
    lane_commands = _Repository(LaneCommands)
    backlog = _Repository(Backlog)
    endpoint_alarms = _Repository(EndpointAlarms)
    message_log = _Repository(MessageLog)
    message_retention = _Repository(MessageRetention)
    endpoints = _SecretRepository(Endpoints)
    quotas = _Repository(Quotas)
    class_roles = _Repository(ClassRoles)
    class_students = _Repository(ClassStudents)
    classroom_events = _Repository(ClassroomEvents)
    comments = _Repository(Comments)
    page_visits = _Repository(PageVisits)
    scripted_events = _Repository(ScriptedEvents)
    tokens = _Repository(Tokens)
    maintenance = _Repository(MaintenanceWindows)
    server_state = _Repository(ServerState)
    stream_signatures = _Repository(StreamSignatures)
    readback = _Repository(ReadbackLists)
    member_lists = _Repository(MemberLists)
    activity_lists = _Repository(ActivityLists)
    resets = _Repository(Resets)
    audit = _Repository(AuditTrail)
    storages = _Repository(Storages)
    swept_rows = _Repository(SweptRows)

    def __init__(
        self,
        tx: Transaction,
        now: Moment,
        keyring: Keyring,
        *,
        is_exclusive: bool = True,
        storage: str | None = None,
        subscribed: SubscribedSchools | None = None,
    ) -> None:
        self._tx = tx
        self._keyring = keyring
        self._subscribed = subscribed or SubscribedSchools()
        self.now = now
        self.storage = storage
        """The id of the storage that this process has the files of, if it is known."""
        self.is_exclusive = is_exclusive
        self.warnings: list[Errno] = []
        self.lease_jobs: Callable[[], Lease] | None = None
        """Makes the lease of jobs that are due at once; set by a caller that runs them."""
        self.due_jobs: list[Job] = []
        """Jobs of this unit that are leased for its caller; the response waits for them."""
        self.kept_changes: list[Callable[[UnitOfWork], None]] = []
        """Changes that stand even if the unit is refused: see `keep`."""
        self.actor = Actor()
        """The person who acts, and the interface; set before the use case runs."""
        self.schools_with_messages: set[SchoolId] = set()
        """Schools that have new messages once this unit is committed."""

    @property
    def units_at_once(self) -> int:
        """Units that run at the same time in its transaction, and so wait for each other."""
        return self._tx.units_at_once

    def warn(self, errno: Errno) -> None:
        """Add a warning to the response. The unit is committed, so the errno must be a warning.

        Raises `ValueError` for an errno that refuses the request.
        """
        if errno.outcome is not Outcome.WARNING:
            message = f"{errno.name} is not a warning: raise Refusal"
            raise ValueError(message)
        self.warnings.append(errno)

    def keep(self, change: Callable[["UnitOfWork"], None]) -> None:
        """Make a change that stands even if this unit is refused.

        A refusal rolls the unit back. The caller of the unit then makes the change once more, in a
        unit of its own.
        """
        self.kept_changes.append(change)
        change(self)

    def enqueue(self, payload: JobPayload, school: SchoolId | None, after: int = 0) -> None:
        """Add a job to the queue, due some seconds from now; it is committed with the unit."""
        can_run_here = payload.storage in (None, self.storage)
        if after or self.lease_jobs is None or not can_run_here:
            self.jobs.add(payload, self.now + after, school)
        else:
            self.due_jobs.append(self.jobs.add(payload, self.now, school, self.lease_jobs()))

    def emit(self, event: Event) -> None:
        """Write the message of an event; it is committed with the unit, or does not exist (Q93).

        Nothing is written for a school without receivers.
        """
        self.emit_all((event,))

    def emit_all(self, events: Sequence[Event]) -> None:
        """Write the messages of some events in their order, in one statement."""
        subscribed = [event for event in events if self.wants_messages(event.school)]
        if subscribed:
            self.outbox.add(subscribed, self.now)
            self.schools_with_messages.update(event.school for event in subscribed)

    def wake_outbox(self, school: SchoolId) -> None:
        """Let servers look for what to deliver to the school's receivers, after the commit.

        With SQLite, the server sees the act of a command when it looks again, every few seconds.
        """
        self.outbox.announce(school)
        self.schools_with_messages.add(school)

    def find_actor(self, school: SchoolId) -> UserId:
        """Return the person who acts, or the school account for calls and commands."""
        if self.actor.user is not None:
            return self.actor.user
        return self._subscribed.get_owner(school, self._tx)

    def wants_messages(self, school: SchoolId) -> bool:
        """Return whether the messages of a school are written: if not, none needs a body."""
        return self._subscribed.includes(school, self._tx)

    def require_exclusive(self) -> None:
        """Make sure that no other unit of the school runs at the same time.

        Raises `NeedsExclusiveError` if one may; the engine then runs this unit again with the
        exclusive lock of the school.
        """
        if not self.is_exclusive:
            raise NeedsExclusiveError


class Store:
    """A database: runs units of work and snapshot reads."""

    def __init__(self, engine: Engine, clock: Clock, keyring: Keyring | None = None) -> None:
        self.engine = engine
        self.clock = clock
        self.load = StoreLoad()
        self.keyring = keyring or Keyring()
        """Decrypts the secrets in the database; empty until the key file was read."""
        self.storage_id: str | None = None
        """The id of the storage that this process has the files of, if it is known."""
        self.subscribed = SubscribedSchools()
        self.on_messages: Callable[[Collection[SchoolId]], None] | None = None
        """Gets the schools that have new messages, after the commit and in any thread."""

    def _begin(self, tx: Transaction, *, is_exclusive: bool = True) -> UnitOfWork:
        return UnitOfWork(
            tx,
            self.clock.now(),
            self.keyring,
            is_exclusive=is_exclusive,
            storage=self.storage_id,
            subscribed=self.subscribed,
        )

    def submit_write(
        self,
        use_case: Callable[[UnitOfWork], T],
        on_done: Callable[[Any, BaseException | None], None],
        *,
        school: SchoolId | None = None,
        scope: UnitScope | None = None,
        urgent: bool = False,
    ) -> None:
        """Queue a unit of work; `on_done` gets its result or its exception after the commit.

        Units of a school run one after another, or at the same time if their scopes allow it and
        the engine can do so. Without a school, the unit takes no lock. An urgent unit does not wait
        for those that were queued before it, if the engine can do so.
        """
        load, number = self.load, self.load.add()
        unit = QueuedUnit(_do_nothing, on_done, school, scope, is_urgent=urgent)
        schools: Collection[SchoolId] = ()

        def run(tx: Transaction) -> T:
            nonlocal schools
            load.remove(number)
            uow = self._begin(tx, is_exclusive=unit.scope is None)
            schools = uow.schools_with_messages
            return use_case(uow)

        def end(result: Any, failure: BaseException | None) -> None:  # noqa: ANN401  any use case's result
            load.remove(number)  # of a unit that could not begin
            # The unit and its functions would refer to each other, and to all that they use.
            unit.run, unit.on_done = _do_nothing, on_done
            if schools and failure is None and self.on_messages is not None:
                self.on_messages(schools)
            on_done(result, failure)

        unit.run, unit.on_done = run, end
        self.engine.write(unit)

    def submit_read(
        self,
        use_case: Callable[[UnitOfWork], T],
        on_done: Callable[[Any, BaseException | None], None],
    ) -> None:
        """Queue a snapshot read; `on_done` gets its result or its exception."""
        load, number = self.load, self.load.add()

        def run(tx: Transaction) -> T:
            load.remove(number)
            return use_case(self._begin(tx))

        def end(result: Any, failure: BaseException | None) -> None:  # noqa: ANN401  any use case's result
            load.remove(number)  # of a read that could not begin
            on_done(result, failure)

        self.engine.read(QueuedUnit(run, end))

    def write(self, use_case: Callable[[UnitOfWork], T], school: SchoolId | None = None) -> T:
        """Run a unit of work and wait for its commit."""
        future: Future[T] = Future()
        self.submit_write(use_case, _completer(future), school=school)
        return _wait(future)

    def read(self, use_case: Callable[[UnitOfWork], T]) -> T:
        """Run a snapshot read and wait for its result."""
        future: Future[T] = Future()
        self.submit_read(use_case, _completer(future))
        return _wait(future)

    def begin_stopping(self, seconds: float) -> None:
        """Give each unit, of now or later, some seconds; once one takes longer, fail all."""
        self.engine.begin_stopping(seconds)

    def close(self) -> None:
        """Finish the queued units, then close the database."""
        self.engine.close()


def _do_nothing(_tx: Transaction) -> None:
    """Stand for a use case that is not set yet, or is over."""


def _wait(future: Future[T]) -> T:
    try:
        return future.result(RESULT_TIMEOUT_SECONDS)
    except TimeoutError:
        raise UnavailableError(OutageCause.TIMEOUT) from None


def _completer(future: Future[T]) -> Callable[[Any, BaseException | None], None]:
    def on_done(result: Any, failure: BaseException | None) -> None:  # noqa: ANN401  any use case's result
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)

    return on_done
