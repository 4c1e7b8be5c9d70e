"""A rehearsed classroom: what has happened in it, and which event of a script may follow (Q100)."""

from collections import Counter
from collections.abc import Mapping
from typing import Final, Literal

from homeroom.base.clock import MINUTE, Moment
from homeroom.base.errors import HomeroomError
from homeroom.base.ids import UserId
from homeroom.contract.messages.script import (
    AnswerStep,
    AnyStep,
    CollectStep,
    DoneStep,
    EnterStep,
    ExtendStep,
    GrabStep,
    GroupsStep,
    KickStep,
    LeaveStep,
    QuestionStep,
    RaceEndStep,
    RateStep,
    format_step,
)
from homeroom.domain.classroom_events import (
    ClassIdentity,
    ClassroomEvent,
    ClassroomEventKind,
    LeaveReason,
)
from homeroom.domain.events import SERVICE
from homeroom.domain.lessons import MAX_LESSON_SECONDS, Lesson
from homeroom.domain.lifecycle import OVERTIME_SECONDS

EARLY_SECONDS: Final = 10 * MINUTE
"""Time before the start from which students and auditors may enter."""
_PUNCTUAL: Final = (ClassIdentity.STUDENT, ClassIdentity.AUDITOR)
_NO_DETAILS: Final = ("at", "do", "uid", "by")
Device = tuple[UserId, int]


class ScriptError(HomeroomError):
    """An event of a script cannot happen; the message says why."""


class Rehearsal:
    """The state of a classroom, as its log gives it."""

    def __init__(self, lesson: Lesson, identities: Mapping[UserId, int]) -> None:
        """Begin with an empty room; `identities` are those of the persons who may enter."""
        self.lesson = lesson
        self.identities = identities
        self.inside: dict[Device, int] = {}
        self.visitors: set[UserId] = set()
        """All who have ever entered."""
        self.allowed_at: dict[UserId, Moment] = {}
        self.trophies: Counter[UserId] = Counter()
        self.ratings: dict[tuple[UserId, UserId], ClassroomEvent] = {}
        """The latest rating by one person of another."""
        self.question: ClassroomEvent | None = None
        self.collected: ClassroomEvent | None = None
        """The question before, whose answers were collected."""
        self.race: ClassroomEvent | None = None
        self.fastest: ClassroomEvent | None = None
        self.ends_at = lesson.lifecycle.closes_at
        self.is_extended = False

    def apply(self, event: ClassroomEvent) -> None:
        """Apply an event of the log. Events must come in their order."""
        if event.user is not None:
            self._apply_to_person(event, event.user)
        match event.kind:
            case ClassroomEventKind.QUESTION:
                self.question = event
            case ClassroomEventKind.COLLECT:
                self.question, self.collected = None, self.question
            case ClassroomEventKind.RACE:
                self.race, self.fastest = event, None
            case ClassroomEventKind.GRAB:
                self.fastest = self.fastest or event
            case ClassroomEventKind.RACE_END:
                self.race = None
            case ClassroomEventKind.EXTEND:
                self.is_extended = True
                if self.lesson.closed_at is None:
                    end = self.lesson.hours.begin + int(event.details["seconds"])
                    self.ends_at = end + OVERTIME_SECONDS
            case ClassroomEventKind.CLOSE:
                self.ends_at = min(self.ends_at, event.at)
            case _:
                pass

    def _apply_to_person(self, event: ClassroomEvent, user: UserId) -> None:
        details = event.details
        match event.kind:
            case ClassroomEventKind.ENTER:
                identity = int(details.get("identity", ClassIdentity.STUDENT))
                self.inside[user, int(details.get("client", 0))] = identity
                self.visitors.add(user)
            case ClassroomEventKind.LEAVE:
                self.inside.pop((user, int(details.get("client", 0))), None)
            case ClassroomEventKind.KICK:
                self.allowed_at[user] = event.at + int(details["seconds"])
            case ClassroomEventKind.AWARD:
                self.trophies[user] += int(details["times"])
            case ClassroomEventKind.RATE:
                self.ratings[user, self._find_rated(event)] = event
            case _:
                pass

    def build(self, step: AnyStep) -> list[ClassroomEvent]:
        """Return what an event of a script puts into the log; raises `ScriptError`."""
        at = self.lesson.hours.begin + step.at
        self._check(step, at)
        user: UserId | None = getattr(step, "uid", None)
        fields = format_step(step)
        kind = ClassroomEventKind(fields["do"])
        details = {name: value for name, value in fields.items() if name not in _NO_DETAILS}
        if isinstance(step, EnterStep):
            details["identity"] = int(self.identities[step.uid])
        elif isinstance(step, LeaveStep):
            details["identity"] = int(self.inside[step.uid, step.client])
        events = [self._event(kind, at, user, self._find_actor(step), details)]
        if isinstance(step, KickStep):
            events += [
                self._event(
                    ClassroomEventKind.LEAVE,
                    at,
                    step.uid,
                    events[0].actor,
                    {"identity": identity, "client": client, "reason": int(LeaveReason.KICKED)},
                )
                for (person, client), identity in sorted(self.inside.items())
                if person == step.uid
            ]
        return events

    def _event(
        self,
        kind: ClassroomEventKind,
        at: Moment,
        user: UserId | None,
        actor: UserId | None,
        details: dict[str, object],
    ) -> ClassroomEvent:
        return ClassroomEvent(self.lesson.id, at, kind, user, actor, details, is_simulated=True)

    def _find_actor(self, step: AnyStep) -> UserId | None:
        if not isinstance(step, DoneStep):
            return None
        return self.lesson.teacher if step.by is None else step.by

    def _find_rated(self, event: ClassroomEvent) -> UserId:
        return UserId(event.details.get("student") or self.lesson.teacher)

    # --- rules -----------------------------------------------------------------------------------

    def _check(self, step: AnyStep, at: Moment) -> None:
        if isinstance(step, RateStep):
            self._check_rating(step)
            return
        if at >= self.ends_at:
            raise ScriptError("the class is closed then")
        if at < self.lesson.lifecycle.opens_at:
            raise ScriptError("the class is not open then: it opens 20 minutes before its start")
        if isinstance(step, EnterStep):
            self._check_entry(step, at)
            return
        self._check_presence(step)
        self._check_state(step)

    def _check_state(self, step: AnyStep) -> None:
        """Make sure that an event fits what is going on in the room."""
        match step:
            case ExtendStep():
                self._check_length(step)
            case QuestionStep():
                if not set(step.correct) <= set(step.items):
                    raise ScriptError(f"correct: {step.correct!r} is not of {step.items!r}")
            case AnswerStep():
                self._check_answer(step)
            case CollectStep() if self.question is None:
                raise ScriptError("no question is open")
            case GrabStep() | RaceEndStep() if self.race is None:
                raise ScriptError("no race is open")
            case GroupsStep():
                for member in (member for group in step.groups for member in group):
                    self._require_inside(member.uid)
            case _:
                pass

    def _check_entry(self, step: EnterStep, at: Moment) -> None:
        identity = self.identities.get(step.uid)
        if identity is None:
            raise ScriptError(f"uid: {step.uid} may not enter this class")
        if identity in _PUNCTUAL and at < self.lesson.hours.begin - EARLY_SECONDS:
            raise ScriptError(f"uid: {step.uid} may enter from 10 minutes before the start")
        if at < self.allowed_at.get(step.uid, at):
            seconds = self.allowed_at[step.uid] - self.lesson.hours.begin
            raise ScriptError(f"uid: {step.uid} was kicked and may return at {seconds}")
        if (step.uid, step.client) in self.inside:
            raise ScriptError(f"uid: {step.uid} is inside already, by client {step.client}")
        if step.client and (step.uid, 0) not in self.inside:
            raise ScriptError(f"client: {step.uid} enters by the first device first, client 0")

    def _check_presence(self, step: AnyStep) -> None:
        """Make sure that who acts and who is meant are inside."""
        user: UserId | None = getattr(step, "uid", None)
        if isinstance(step, LeaveStep):
            if (step.uid, step.client) not in self.inside:
                raise ScriptError(f"uid: {step.uid} is not inside, by client {step.client}")
        elif user is not None:
            self._require_inside(user)
        if isinstance(step, DoneStep) and step.by != SERVICE:
            if step.by is not None:
                self._require_inside(step.by, "by")
            elif user is not None:
                self._require_inside(self.lesson.teacher, "by")

    def _require_inside(self, user: UserId, field: Literal["uid", "by"] = "uid") -> None:
        if not self.is_inside(user):
            raise ScriptError(f"{field}: {user} is not inside")

    def is_inside(self, user: UserId) -> bool:
        """Return whether a person is inside, by any device."""
        return (user, 0) in self.inside or (user, 1) in self.inside

    def _check_length(self, step: ExtendStep) -> None:
        hours = self.lesson.hours
        if self.is_extended:
            raise ScriptError("a class is extended once")
        if self.lesson.is_dual:
            raise ScriptError("a dual-teacher class is not extended")
        if not hours.end - hours.begin < step.seconds <= MAX_LESSON_SECONDS:
            length = hours.end - hours.begin
            raise ScriptError(f"seconds: must be more than {length}, and 24 hours at most")

    def _check_answer(self, step: AnswerStep) -> None:
        if self.question is None:
            raise ScriptError("no question is open")
        items = str(self.question.details["items"])
        if not set(step.item) <= set(items):
            raise ScriptError(f"item: {step.item!r} is not of {items!r}")

    def _check_rating(self, step: RateStep) -> None:
        is_teacher = step.uid == self.lesson.teacher
        if step.uid not in self.visitors:
            raise ScriptError(f"uid: {step.uid} was not inside")
        if is_teacher and step.student is None:
            raise ScriptError("student: the teacher rates a student")
        if step.student is not None and not is_teacher:
            raise ScriptError("student: a student rates the teacher")
        if step.student is not None and step.student not in self.visitors:
            raise ScriptError(f"student: {step.student} was not inside")
