"""`homeroom user` and `homeroom subaccount`."""

import click

from homeroom.base.ids import SchoolId, UserId
from homeroom.cli.frame import ID, Place, as_json, on_data, tell, tell_all
from homeroom.domain.accounts import User
from homeroom.store.work import Work
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

    def facts(work: Work) -> tuple[User, list[tuple[SchoolId, str]]]:
        found = operations.user(work, user)
        return found, work.accounts.posts(found.id)

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
        lambda work: operations.cancel_user(work, operations.user(work, user).id),
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
    added = place.work(lambda work: schools.add_sub_account(work, sid, uid), sid)
    tell({"sid": sid, "uid": uid, "nickname": added.nickname}, as_json=as_json)


@subaccount.command()
@click.argument("sid", type=ID)
@click.argument("uid", type=ID)
@as_json
@on_data
def remove(place: Place, sid: SchoolId, uid: UserId, *, as_json: bool) -> None:
    """Take a sub-account back; the user stays what they are besides."""
    place.work(lambda work: schools.remove_sub_account(work, sid, uid), sid)
    tell({"sid": sid, "uid": uid, "removed": True}, as_json=as_json)


@subaccount.command("list")
@click.argument("sid", type=ID)
@as_json
@on_data
def every(place: Place, sid: SchoolId, *, as_json: bool) -> None:
    """List the sub-accounts of a school."""
    found = place.look(lambda work: schools.sub_accounts(work, sid))
    rows = [{"uid": one.id, "nickname": one.nickname} for one in found]
    tell_all(rows, as_json=as_json, none="The school has no sub-accounts.")
