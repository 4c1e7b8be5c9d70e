"""`homeroom teacher` and `homeroom student`: the people on the lists of a school."""

from collections.abc import Callable
from typing import TypeVar

import click

from homeroom.base.ids import SchoolId, UserId
from homeroom.base.keys import KeyGenerator
from homeroom.base.passwords import hash_password
from homeroom.cli.command import (
    ID,
    CommandContext,
    NameType,
    format_time,
    json_option,
    print_fields,
    print_table,
    with_context,
)
from homeroom.domain.teachers import TeacherState
from homeroom.store.readback_records import StudentRecord, TeacherRecord
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import accounts, operations, school_lists, teachers
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.school_lists import NamedPerson

T = TypeVar("T")
MAX_NAME_LENGTH = 24
"""Characters of a name on a list; the partner API cuts longer ones."""


name_option = click.option(
    "--name", type=NameType(MAX_NAME_LENGTH), required=True, help="The name on the school's list."
)
sid_argument = click.argument("sid", type=ID)
user_argument = click.argument("user", metavar="USER")


@click.group()
def teacher() -> None:
    """List, add, rename, stop and restart the teachers of a school.

    USER is a UID, a telephone number or an e-mail address.
    """


@teacher.command("list")
@sid_argument
@json_option
@with_context
def list_teachers(context: CommandContext, sid: SchoolId, *, as_json: bool) -> None:
    """List the teachers of a school."""
    rows = [
        {**_to_fields(record), "state": record.state}
        for record in context.read(lambda uow: school_lists.list_all_teachers(uow, sid))
    ]
    print_table(rows, as_json=as_json, if_empty="The school has no teachers.")


@teacher.command("add")
@sid_argument
@user_argument
@name_option
@json_option
@with_context
def add_teacher(
    context: CommandContext, sid: SchoolId, user: str, name: str, *, as_json: bool
) -> None:
    """Add a teacher to a school, as addTeacher does; an unknown account is registered.

    A new account has no password yet: `homeroom user set-password` sets it.
    """

    def add(uow: UnitOfWork, uid: UserId) -> None:
        teachers.add(uow, sid, uid, None, name, None)

    _print_added(_add(context, sid, user, name, add), sid, name, as_json=as_json)


@teacher.command("edit")
@sid_argument
@user_argument
@name_option
@json_option
@with_context
def edit_teacher(
    context: CommandContext, sid: SchoolId, user: str, name: str, *, as_json: bool
) -> None:
    """Rename a teacher on the school's list, as editTeacher does."""
    uid, _ = _change(context, sid, user, lambda uow, uid: teachers.edit(uow, sid, uid, name, None))
    print_fields({"sid": sid, "uid": uid, "name": name}, as_json=as_json)


@teacher.command("cancel")
@sid_argument
@user_argument
@json_option
@with_context
def cancel_teacher(context: CommandContext, sid: SchoolId, user: str, *, as_json: bool) -> None:
    """Take a teacher out of service, as stopUsingTeacher does.

    The teacher must have no class and no course that is not over. The stop takes as long as the
    setting stop_delay and the plan say; the running server finishes it.
    """
    deps = Dependencies(KeyGenerator(), "", context.load_settings().stop_delay)
    uid, state = _change(
        context, sid, user, lambda uow, uid: teachers.stop(uow, deps, sid, uid, None)
    )
    print_fields({"sid": sid, "uid": uid, "state": state.value}, as_json=as_json)


@teacher.command("restart")
@sid_argument
@user_argument
@json_option
@with_context
def restart_teacher(context: CommandContext, sid: SchoolId, user: str, *, as_json: bool) -> None:
    """Bring a stopped teacher back into service, as restartUsingTeacher does."""
    uid, _ = _change(context, sid, user, lambda uow, uid: teachers.restart(uow, sid, uid, None))
    print_fields({"sid": sid, "uid": uid, "state": TeacherState.ACTIVE.value}, as_json=as_json)


@click.group()
def student() -> None:
    """List, add, rename and remove the students of a school.

    USER is a UID, a telephone number or an e-mail address.
    """


@student.command("list")
@sid_argument
@json_option
@with_context
def list_students(context: CommandContext, sid: SchoolId, *, as_json: bool) -> None:
    """List the students of a school."""
    records = context.read(lambda uow: school_lists.list_all_students(uow, sid))
    print_table(
        [_to_fields(record) for record in records],
        as_json=as_json,
        if_empty="The school has no students.",
    )


@student.command("add")
@sid_argument
@user_argument
@name_option
@json_option
@with_context
def add_student(
    context: CommandContext, sid: SchoolId, user: str, name: str, *, as_json: bool
) -> None:
    """Add a student to a school, as addSchoolStudent does; an unknown account is registered.

    A new account has no password yet: `homeroom user set-password` sets it.
    """

    def add(uow: UnitOfWork, uid: UserId) -> None:
        accounts.add_school_student(uow, sid, uid, None, name)

    _print_added(_add(context, sid, user, name, add), sid, name, as_json=as_json)


@student.command("edit")
@sid_argument
@user_argument
@name_option
@json_option
@with_context
def edit_student(
    context: CommandContext, sid: SchoolId, user: str, name: str, *, as_json: bool
) -> None:
    """Rename a student on the school's list, as editSchoolStudent does."""
    uid, _ = _change(
        context, sid, user, lambda uow, uid: accounts.rename_school_student(uow, sid, uid, name)
    )
    print_fields({"sid": sid, "uid": uid, "name": name}, as_json=as_json)


@student.command("cancel")
@sid_argument
@user_argument
@json_option
@with_context
def cancel_student(context: CommandContext, sid: SchoolId, user: str, *, as_json: bool) -> None:
    """Take a student off the school's list; courses keep their members.

    The account stays; `homeroom user cancel` cancels it.
    """
    uid, _ = _change(
        context, sid, user, lambda uow, uid: school_lists.remove_student(uow, sid, uid)
    )
    print_fields({"sid": sid, "uid": uid, "removed": True}, as_json=as_json)


def _change(
    context: CommandContext, sid: SchoolId, user: str, change: Callable[[UnitOfWork, UserId], T]
) -> tuple[UserId, T]:
    """Change something of a user; return the UID, noted for the audit trail, and the result."""

    def find_and_change(uow: UnitOfWork) -> tuple[UserId, T]:
        context.audit.user = uid = operations.get_user(uow, user).id
        return uid, change(uow, uid)

    return context.write(find_and_change, sid)


def _add(
    context: CommandContext,
    sid: SchoolId,
    user: str,
    name: str,
    add: Callable[[UnitOfWork, UserId], None],
) -> NamedPerson:
    """Add a user to a list; an unknown account gets a random password."""
    password_hash = hash_password(KeyGenerator().password(), None)

    def find_and_add(uow: UnitOfWork) -> NamedPerson:
        person = school_lists.find_or_register(uow, sid, user, name, password_hash)
        context.audit.user = person.user
        add(uow, person.user)
        return person

    return context.write(find_and_add, sid)


def _print_added(person: NamedPerson, sid: SchoolId, name: str, *, as_json: bool) -> None:
    fields = {"sid": sid, "uid": person.user, "name": name, "registered": person.is_new}
    print_fields(fields, as_json=as_json)


def _to_fields(record: TeacherRecord | StudentRecord) -> dict[str, object]:
    return {
        "uid": record.uid,
        "name": record.name,
        "account": record.telephone or record.email,
        "cancelled": record.cancelled_at is not None,
        "since": format_time(record.created_at),
    }
