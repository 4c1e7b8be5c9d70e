"""`homeroom user` and `homeroom subaccount`."""

import click

from homeroom.base.ids import SchoolId, UserId
from homeroom.cli.command import (
    ID,
    CommandContext,
    json_option,
    print_fields,
    print_table,
    with_context,
)
from homeroom.domain.accounts import User
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import operations, schools


@click.group()
def user() -> None:
    """Show and cancel accounts."""


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
