"""`homeroom user` and `homeroom subaccount`."""

import click

from homeroom.base.ids import SchoolId, UserId
from homeroom.cli.frame import ID, Place, as_json, on_data, tell, tell_all
from homeroom.domain.accounts import User
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import operations, schools


@click.group()
def user() -> None:
    """Look at accounts, and cancel them."""


@user.command()
@click.argument("user", metavar="USER")
@as_json
@on_data
def show(place: Place, user: str, *, as_json: bool) -> None:
    """Show an account by UID, telephone number or e-mail address."""

    def facts(uow: UnitOfWork) -> tuple[User, list[tuple[SchoolId, str]]]:
        found = operations.get_user(uow, user)
        return found, operations.list_roles(uow, found.id)

    found, posts = place.look(facts)
    tell(
        {
            "uid": found.id,
            "nickname": found.nickname,
            "telephone": found.telephone,
            "email": found.email,
            "cancelled": found.is_cancelled,
            "posts": [{"sid": sid, "post": post} for sid, post in posts],
        },
        as_json=as_json,
    )


@user.command()
@click.argument("user", metavar="USER")
@as_json
@on_data
def cancel(place: Place, user: str, *, as_json: bool) -> None:
    """Cancel an account; its telephone number or address is free for another then.

    USER is a UID, a telephone number or an e-mail address. There is no way back.
    """
    gone = place.work(
        lambda uow: operations.cancel_user(uow, operations.get_user(uow, user).id),
    )
    tell({"uid": gone.id, "cancelled": True}, as_json=as_json)


@click.group()
def subaccount() -> None:
    """Manage the sub-accounts of a school, which stopUsingTeacher never stops."""


@subaccount.command()
@click.argument("sid", type=ID)
@click.argument("uid", type=ID)
@as_json
@on_data
def add(place: Place, sid: SchoolId, uid: UserId, *, as_json: bool) -> None:
    """Make a user a sub-account of a school."""
    added = place.work(lambda uow: schools.add_sub_account(uow, sid, uid), sid)
    tell({"sid": sid, "uid": uid, "nickname": added.nickname}, as_json=as_json)


@subaccount.command()
@click.argument("sid", type=ID)
@click.argument("uid", type=ID)
@as_json
@on_data
def remove(place: Place, sid: SchoolId, uid: UserId, *, as_json: bool) -> None:
    """Take a sub-account back; the user stays what they are besides."""
    place.work(lambda uow: schools.remove_sub_account(uow, sid, uid), sid)
    tell({"sid": sid, "uid": uid, "removed": True}, as_json=as_json)


@subaccount.command("list")
@click.argument("sid", type=ID)
@as_json
@on_data
def every(place: Place, sid: SchoolId, *, as_json: bool) -> None:
    """List the sub-accounts of a school."""
    found = place.look(lambda uow: schools.list_sub_accounts(uow, sid))
    rows = [{"uid": one.id, "nickname": one.nickname} for one in found]
    tell_all(rows, as_json=as_json, none="The school has no sub-accounts.")
