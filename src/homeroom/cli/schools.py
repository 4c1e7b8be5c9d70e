"""`homeroom school`, `homeroom preset` and `homeroom sign`."""

from typing import Any
from urllib.parse import urlencode

import click
import msgspec

from homeroom.base.clock import SystemClock
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator, md5_hex
from homeroom.cli.frame import ID, PAIR, Place, as_json, in_json, on_data, tell, tell_all
from homeroom.domain.schools import School, format_plan_value, list_plan_keys
from homeroom.usecases import schools
from homeroom.usecases.dependencies import Dependencies

MEANS = Dependencies(KeyGenerator(), "", 0)


def signed(school: School) -> dict[str, str]:
    """Return the credentials of a call made now; a server takes them for 20 minutes."""
    stamp = str(SystemClock().now())
    return {"SID": str(school.id), "safeKey": md5_hex(school.secret + stamp), "timeStamp": stamp}


def _tell_school(found: School, *, as_json: bool) -> None:
    facts: dict[str, Any] = {
        "sid": found.id,
        "name": found.name,
        "owner": found.owner,
        "secret": found.secret,
        "former_secret": found.former_secret,
    }
    plan = msgspec.structs.asdict(found.plan)
    if as_json:
        click.echo(in_json({**facts, "plan": plan}))
    else:
        tell(
            {**facts, **{key: format_plan_value(value) for key, value in plan.items()}},
            as_json=False,
        )


@click.group()
def school() -> None:
    """Make schools, and say what they may do."""


@school.command()
@click.option("--name", required=True, help="The school's name.")
@as_json
@on_data
def create(place: Place, name: str, *, as_json: bool) -> None:
    """Make a school and print its SID and SECRET.

    It has every feature and no limit until `homeroom school set` says otherwise.
    """
    made = place.work(lambda uow: schools.create(uow, MEANS, name), makes=True)
    tell({"sid": made.id, "secret": made.secret}, as_json=as_json)


@school.command("list")
@as_json
@on_data
def every(place: Place, *, as_json: bool) -> None:
    """List the schools."""
    rows = [
        {"sid": one.id, "name": one.name, "owner": one.owner, "suspended": one.plan.suspended}
        for one in place.look(schools.list_schools)
    ]
    tell_all(rows, as_json=as_json, none="There are no schools.")


@school.command()
@click.argument("sid", type=ID)
@as_json
@on_data
def show(place: Place, sid: SchoolId, *, as_json: bool) -> None:
    """Show a school: its secrets, and every key that `school set` takes."""
    _tell_school(place.look(lambda uow: schools.get(uow, sid)), as_json=as_json)


def _keys() -> str:
    """Return the keys of a plan for the page of help."""
    known = list_plan_keys()
    width = max(len(f"{key.name}={key.default}") for key in known)
    lines = (f"{f'{key.name}={key.default}':<{width}}  {key.meaning}" for key in known)
    return "\b\nKeys and what a new school has:\n" + "\n".join(f"  {line}" for line in lines)


@school.command("set", epilog=_keys())
@click.argument("sid", type=ID)
@click.argument("pairs", type=PAIR, nargs=-1, required=True)
@as_json
@on_data
def change(
    place: Place, sid: SchoolId, pairs: tuple[tuple[str, str], ...], *, as_json: bool
) -> None:
    """Say what a school may do, as `school set 1000001 live=off max_labels=20`."""
    changed = place.work(lambda uow: schools.change(uow, sid, dict(pairs)), sid)
    _tell_school(changed, as_json=as_json)


@school.command()
@click.argument("sid", type=ID)
@click.option("--drop-former", is_flag=True, help="End the former secret; make no new one.")
@as_json
@on_data
def rotate_secret(place: Place, sid: SchoolId, *, drop_former: bool, as_json: bool) -> None:
    """Give a school a new secret; the former one stays good until --drop-former."""
    if drop_former:
        now = place.work(lambda uow: schools.drop_former_secret(uow, sid), sid)
    else:
        now = place.work(lambda uow: schools.rotate_secret(uow, MEANS, sid), sid)
    facts = {"sid": now.id, "secret": now.secret, "former_secret": now.former_secret}
    tell(facts, as_json=as_json)


@click.command()
@click.option("--sid", type=ID, required=True, help="The school that calls.")
@as_json
@on_data
def sign(place: Place, sid: SchoolId, *, as_json: bool) -> None:
    """Print the credentials of a call made now; they are good for 20 minutes.

    For a shell: curl -d "$(homeroom sign --sid 1000001)" -d courseId=1 …
    """
    credentials = signed(place.look(lambda uow: schools.get(uow, sid)))
    click.echo(in_json(credentials) if as_json else urlencode(credentials))


@click.group()
def preset() -> None:
    """Manage classroom presets, which courses name by their id (classroomSettingId)."""


@preset.command("add")
@click.argument("sid", type=ID)
@click.argument("name")
@as_json
@on_data
def add_preset(place: Place, sid: SchoolId, name: str, *, as_json: bool) -> None:
    """Add a classroom preset to a school."""
    number = place.work(lambda uow: schools.add_preset(uow, sid, name), sid)
    tell({"preset": number, "sid": sid, "name": name}, as_json=as_json)


@preset.command("list")
@click.argument("sid", type=ID)
@as_json
@on_data
def every_preset(place: Place, sid: SchoolId, *, as_json: bool) -> None:
    """List the classroom presets of a school."""
    found = place.look(lambda uow: schools.list_presets(uow, sid))
    rows = [{"preset": number, "name": name} for number, name in found]
    tell_all(rows, as_json=as_json, none="The school has no classroom presets.")
