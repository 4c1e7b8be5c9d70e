"""The store of a command: each unit of work writes an entry of the audit trail about it."""

import os
import pwd
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import click
import msgspec

from homeroom.base.clock import SystemClock
from homeroom.base.ids import SchoolId, UserId
from homeroom.base.masking import MASK
from homeroom.base.values import replace
from homeroom.domain.audit import (
    AuditActor,
    AuditKind,
    AuditOutcome,
    NewAuditEntry,
    mask_arguments,
    mask_text,
)
from homeroom.domain.refusal import OperatorError, Refusal
from homeroom.domain.schools import School
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import audit

T = TypeVar("T")
NOT_ARGUMENTS = frozenset({"data", "database", "database_file", "key_file", "as_json"})
SCHOOL_PARAMS = ("sid", "school")
USER_PARAMS = ("uid", "user", "added", "removed")


@dataclass
class CommandAudit:
    """The command that runs, as the audit trail describes it."""

    act: str
    arguments: dict[str, object]
    school: SchoolId | None
    user: UserId | None
    """The account that the command is about; a command that looks it up sets it."""

    def build_entry(self, school: SchoolId | None = None) -> NewAuditEntry:
        """Return the entry of a unit of work."""
        return NewAuditEntry(
            at=SystemClock().now(),
            kind=AuditKind.COMMAND,
            act=self.act,
            actor=_find_actor(),
            arguments=msgspec.json.encode(mask_arguments(self.arguments)).decode(),
            school=school or self.school,
            user=self.user,
        )


class AuditedStore(Store):
    """A store whose first write adds an entry in its own unit of work; a refusal adds one too.

    A command with several units of work is one act, and has one entry.
    """

    def __init__(self, store: Store, command: CommandAudit) -> None:
        super().__init__(store.engine, store.clock, store.keyring)
        self.storage_id = store.storage_id
        self.subscribed = store.subscribed
        self._store = store
        self._command = command
        self._is_recorded = False

    def write(self, use_case: Callable[[UnitOfWork], T], school: SchoolId | None = None) -> T:
        """Run a unit of work together with its entry, and wait for its commit."""

        def run(uow: UnitOfWork) -> T:
            result = use_case(uow)
            if self._is_recorded:
                return result
            about = school or _find_school(result)
            audit.record(uow, self._command.build_entry(about))
            return result

        try:
            result = super().write(run, school)
        except (OperatorError, Refusal) as refusal:
            # The failure of the command is reported, not that it left no entry.
            with suppress(Exception):
                self._record_refusal(refusal, school)
            raise
        # Only now: a unit can run again before it is committed.
        self._is_recorded = True
        return result

    def _record_refusal(self, refusal: OperatorError | Refusal, school: SchoolId | None) -> None:
        entry = replace(
            self._command.build_entry(school),
            outcome=AuditOutcome.REFUSED,
            reason=mask_text(str(refusal)),
        )
        self._store.write(lambda uow: audit.record(uow, entry))


def describe_command(context: click.Context) -> CommandAudit:
    """Return the command that runs, without the options that only name the data."""
    params = {
        param.name: param for param in context.command.params if param.name not in NOT_ARGUMENTS
    }
    hidden = {name for name, param in params.items() if getattr(param, "hide_input", False)}
    values = {name: context.params.get(name) for name in params if name in context.params}
    arguments: dict[str, object] = {
        name: MASK if name in hidden else _to_plain(value) for name, value in values.items()
    }
    school, user = _find_id(values, SCHOOL_PARAMS), _find_id(values, USER_PARAMS)
    return CommandAudit(
        act=_format_path(context),
        arguments=arguments,
        school=SchoolId(school) if school is not None else None,
        user=UserId(user) if user is not None else None,
    )


def _format_path(context: click.Context) -> str:
    """Return the words of a command without the program, such as `school set`."""
    if context.parent is None:
        return ""
    return f"{_format_path(context.parent)} {context.info_name}".strip()


def _find_id(values: Mapping[str, object], names: Sequence[str]) -> int | None:
    """Return the first parameter of these names that is an id."""
    return next((value for name in names if isinstance(value := values.get(name), int)), None)


def _to_plain(value: object) -> object:
    """Return pairs such as max_labels=20 as an object, so that each is masked by its name."""
    if isinstance(value, tuple) and value and all(isinstance(pair, tuple) for pair in value):
        return dict(value)
    return value


def _find_school(result: object) -> SchoolId | None:
    """Return the school that is changed, or that a changed thing belongs to."""
    if isinstance(result, School):
        return result.id
    school = getattr(result, "school", None)
    return SchoolId(school) if isinstance(school, int) else None


def _find_actor() -> AuditActor:
    """Return the user of the operating system that runs the command.

    By the number of the process, not by the environment, which a user can set.
    """
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container may run by a number alone
        name = str(uid)
    return AuditActor(name=name, uid=uid, origin=socket.gethostname())
