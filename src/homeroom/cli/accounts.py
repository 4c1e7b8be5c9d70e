"""`homeroom user` and `homeroom subaccount`."""

import sys

import click

from homeroom.base.ids import SchoolId, UserId
from homeroom.base.passwords import hash_password
from homeroom.cli.command import (
    ID,
    CommandContext,
    json_option,
    print_fields,
    print_table,
    with_context,
)
from homeroom.domain.accounts import PASSWORD_LENGTHS, User
from homeroom.domain.refusal import OperatorError
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import operations, schools


@click.group()
def user() -> None:
    """Show, change and cancel accounts, and set passwords."""


@user.command()
@click.argument("user", metavar="USER")
@json_option
@with_context
def show(context: CommandContext, user: str, *, as_json: bool) -> None:
    """Show an account by UID, telephone number or e-mail address."""

    def read_account(uow: UnitOfWork) -> tuple[User, list[tuple[SchoolId, str]]]:
        account = operations.get_user(uow, user)
        return account, operations.list_roles(uow, account.id)

    account, roles = context.read(read_account)
    print_fields(
        {
            "uid": account.id,
            "nickname": account.nickname,
            "telephone": account.telephone,
            "email": account.email,
            "cancelled": account.is_cancelled,
            "posts": [{"sid": sid, "post": role} for sid, role in roles],
        },
        as_json=as_json,
    )


@user.command()
@click.argument("user", metavar="USER")
@json_option
@with_context
def cancel(context: CommandContext, user: str, *, as_json: bool) -> None:
    """Cancel an account; its telephone number and address can be registered again.

    USER is a UID, a telephone number or an e-mail address. This cannot be undone.
    """

    def cancel_account(uow: UnitOfWork) -> User:
        context.audit.user = operations.get_user(uow, user).id
        return operations.cancel_user(uow, context.audit.user)

    cancelled = context.write(cancel_account)
    print_fields({"uid": cancelled.id, "cancelled": True}, as_json=as_json)


@user.command("change-phone")
@click.argument("user", metavar="USER")
@click.argument("telephone")
@json_option
@with_context
def change_phone(context: CommandContext, user: str, telephone: str, *, as_json: bool) -> None:
    """Change the telephone number of an account; its UID stays the same.

    USER is a UID, a telephone number or an e-mail address. Every school that has the person on a
    list or in a course gets a message.
    """

    def change(uow: UnitOfWork) -> User:
        context.audit.user = operations.get_user(uow, user).id
        return operations.change_telephone(uow, context.audit.user, telephone)

    changed = context.write(change)
    print_fields({"uid": changed.id, "telephone": changed.telephone}, as_json=as_json)


@user.command("set-password")
@click.argument("user", metavar="USER")
@click.option("--school", type=ID, metavar="SID", help="Count on the pages of this school alone.")
@json_option
@with_context
def set_password(
    context: CommandContext, user: str, school: SchoolId | None, *, as_json: bool
) -> None:
    """Set a password, for logins on the pages of classes; earlier logins end.

    USER is a UID, a telephone number or an e-mail address. The command asks for the password, or
    reads a line of the standard input. It counts on the pages of all schools, beside the password
    that a school set for its own pages, or with --school in place of it.
    """
    password = _read_password()
    if len(password) not in PASSWORD_LENGTHS:
        raise OperatorError("a password has 6 to 20 characters")
    password_hash = hash_password(password, None)

    def save(uow: UnitOfWork) -> UserId:
        context.audit.user = uid = operations.get_user(uow, user).id
        operations.set_password(uow, uid, school, password_hash)
        return uid

    uid = context.write(save, school)
    print_fields({"uid": uid, "sid": school, "password": "set"}, as_json=as_json)


def _read_password() -> str:
    """Return the password, without showing it: an argument would stand in the process list."""
    if sys.stdin.isatty():
        text: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return text
    return sys.stdin.readline().rstrip("\r\n")


@click.group()
def subaccount() -> None:
    """Manage the sub-accounts of a school; stopUsingTeacher does not stop them."""


@subaccount.command()
@click.argument("sid", type=ID)
@click.argument("uid", type=ID)
@json_option
@with_context
def add(context: CommandContext, sid: SchoolId, uid: UserId, *, as_json: bool) -> None:
    """Make a user a sub-account of a school."""
    added = context.write(lambda uow: schools.add_sub_account(uow, sid, uid), sid)
    print_fields({"sid": sid, "uid": uid, "nickname": added.nickname}, as_json=as_json)


@subaccount.command()
@click.argument("sid", type=ID)
@click.argument("uid", type=ID)
@json_option
@with_context
def remove(context: CommandContext, sid: SchoolId, uid: UserId, *, as_json: bool) -> None:
    """Remove a sub-account; the user keeps every other role."""
    context.write(lambda uow: schools.remove_sub_account(uow, sid, uid), sid)
    print_fields({"sid": sid, "uid": uid, "removed": True}, as_json=as_json)


@subaccount.command("list")
@click.argument("sid", type=ID)
@json_option
@with_context
def list_sub_accounts(context: CommandContext, sid: SchoolId, *, as_json: bool) -> None:
    """List the sub-accounts of a school."""
    accounts = context.read(lambda uow: schools.list_sub_accounts(uow, sid))
    rows = [{"uid": account.id, "nickname": account.nickname} for account in accounts]
    print_table(rows, as_json=as_json, if_empty="The school has no sub-accounts.")
