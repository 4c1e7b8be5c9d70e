"""`homeroom school`, `homeroom preset` and `homeroom sign`."""

from typing import Any
from urllib.parse import urlencode

import click
import msgspec

from homeroom.base.clock import SystemClock
from homeroom.base.ids import SchoolId
from homeroom.base.keys import KeyGenerator, md5_hex
from homeroom.cli.command import (
    ID,
    PAIR,
    CommandContext,
    json_option,
    print_fields,
    print_table,
    to_json,
    with_context,
)
from homeroom.domain.refusal import OperatorError
from homeroom.domain.schools import School, format_plan_value, list_plan_keys
from homeroom.partner.signatures import sign_json
from homeroom.usecases import schools
from homeroom.usecases.dependencies import Dependencies

DEPENDENCIES = Dependencies(KeyGenerator(), "", 0)


def build_credentials(school: School) -> dict[str, str]:
    """Return the credentials of a call made now; a server accepts them for 20 minutes."""
    stamp = str(SystemClock().now())
    return {"SID": str(school.id), "safeKey": md5_hex(school.secret + stamp), "timeStamp": stamp}


def _print_school(school: School, *, as_json: bool) -> None:
    fields: dict[str, Any] = {
        "sid": school.id,
        "name": school.name,
        "owner": school.owner,
        "secret": school.secret,
        "former_secret": school.former_secret,
    }
    plan = msgspec.structs.asdict(school.plan)
    if as_json:
        click.echo(to_json({**fields, "plan": plan}))
    else:
        print_fields(
            {**fields, **{key: format_plan_value(value) for key, value in plan.items()}},
            as_json=False,
        )


@click.group()
def school() -> None:
    """Create schools and set their plans."""


@school.command()
@click.option("--name", required=True, help="The school's name.")
@json_option
@with_context
def create(context: CommandContext, name: str, *, as_json: bool) -> None:
    """Create a school and print its SID and SECRET.

    It has every feature and no limit until `homeroom school set` changes that.
    """
    created = context.write(lambda uow: schools.create(uow, DEPENDENCIES, name), create=True)
    print_fields({"sid": created.id, "secret": created.secret}, as_json=as_json)


@school.command("list")
@json_option
@with_context
def list_schools(context: CommandContext, *, as_json: bool) -> None:
    """List the schools."""
    rows = [
        {
            "sid": school.id,
            "name": school.name,
            "owner": school.owner,
            "suspended": school.plan.suspended,
        }
        for school in context.read(schools.list_schools)
    ]
    print_table(rows, as_json=as_json, if_empty="There are no schools.")


@school.command()
@click.argument("sid", type=ID)
@json_option
@with_context
def show(context: CommandContext, sid: SchoolId, *, as_json: bool) -> None:
    """Show a school: its secrets, and every key that `school set` accepts."""
    _print_school(context.read(lambda uow: schools.get(uow, sid)), as_json=as_json)


def _format_plan_keys() -> str:
    """Return the keys of a plan for the help text."""
    keys = list_plan_keys()
    width = max(len(f"{key.name}={key.default}") for key in keys)
    lines = (f"{f'{key.name}={key.default}':<{width}}  {key.meaning}" for key in keys)
    return "\b\nKeys and what a new school has:\n" + "\n".join(f"  {line}" for line in lines)


@school.command("set", epilog=_format_plan_keys())
@click.argument("sid", type=ID)
@click.argument("pairs", type=PAIR, nargs=-1, required=True)
@json_option
@with_context
def change_school(
    context: CommandContext, sid: SchoolId, pairs: tuple[tuple[str, str], ...], *, as_json: bool
) -> None:
    """Set features and limits of a school: `school set 1000001 live=off max_labels=20`."""
    changed = context.write(lambda uow: schools.change(uow, sid, dict(pairs)), sid)
    _print_school(changed, as_json=as_json)


@school.command()
@click.argument("sid", type=ID)
@click.option(
    "--drop-former", is_flag=True, help="Invalidate the former secret; create no new one."
)
@json_option
@with_context
def rotate_secret(
    context: CommandContext, sid: SchoolId, *, drop_former: bool, as_json: bool
) -> None:
    """Give a school a new secret; the former one stays valid until --drop-former."""
    if drop_former:
        school = context.write(lambda uow: schools.drop_former_secret(uow, sid), sid)
    else:
        school = context.write(lambda uow: schools.rotate_secret(uow, DEPENDENCIES, sid), sid)
    fields = {"sid": school.id, "secret": school.secret, "former_secret": school.former_secret}
    print_fields(fields, as_json=as_json)


@click.command()
@click.option("--sid", type=ID, required=True, help="The school that calls.")
@click.option("--body", help="The JSON object of a call of the v2 wire.")
@json_option
@with_context
def sign(context: CommandContext, sid: SchoolId, body: str | None, *, as_json: bool) -> None:
    """Print the credentials of a call made now; they are valid for 20 minutes.

    For a shell: curl -d "$(homeroom sign --sid 1000001)" -d courseId=1 …

    With --body, print the body and the headers that sign it, as options of curl:
    homeroom sign --sid 1000001 --body '{"courseId": 1}' | curl -K - http://…
    """
    school = context.read(lambda uow: schools.get(uow, sid))
    if body is None:
        credentials = build_credentials(school)
        click.echo(to_json(credentials) if as_json else urlencode(credentials))
        return
    try:
        headers = sign_json(body.encode(), school.id, school.secret, SystemClock().now())
    except msgspec.MsgspecError as error:
        raise OperatorError(f"--body: no JSON object: {error}") from None
    if as_json:
        click.echo(to_json({"headers": headers, "body": body}))
        return
    for name, value in headers.items():
        click.echo(f'header = "{name}: {value}"')
    click.echo(f"data-raw = {_quote(body)}")


def _quote(text: str) -> str:
    """Return a text as curl reads it in a file of options."""
    for letter, escaped in (
        ("\\", "\\\\"),
        ('"', '\\"'),
        ("\n", "\\n"),
        ("\t", "\\t"),
        ("\r", "\\r"),
    ):
        text = text.replace(letter, escaped)
    return f'"{text}"'


@click.group()
def preset() -> None:
    """Manage classroom presets; a course refers to one by id (classroomSettingId)."""


@preset.command("add")
@click.argument("sid", type=ID)
@click.argument("name")
@json_option
@with_context
def add_preset(context: CommandContext, sid: SchoolId, name: str, *, as_json: bool) -> None:
    """Add a classroom preset to a school."""
    number = context.write(lambda uow: schools.add_preset(uow, sid, name), sid)
    print_fields({"preset": number, "sid": sid, "name": name}, as_json=as_json)


@preset.command("list")
@click.argument("sid", type=ID)
@json_option
@with_context
def list_presets(context: CommandContext, sid: SchoolId, *, as_json: bool) -> None:
    """List the classroom presets of a school."""
    presets = context.read(lambda uow: schools.list_presets(uow, sid))
    rows = [{"preset": number, "name": name} for number, name in presets]
    print_table(rows, as_json=as_json, if_empty="The school has no classroom presets.")
