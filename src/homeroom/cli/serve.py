"""`homeroom serve`."""

import shlex
from typing import Any
from urllib.parse import quote

import click

from homeroom.base.clock import HOUR, MINUTE
from homeroom.base.settings import Settings
from homeroom.bootstrap import RunningServer
from homeroom.bootstrap import serve as run_server
from homeroom.cli.frame import Place, on_data, program, warn
from homeroom.cli.schools import signed
from homeroom.contract.action import APIPath
from homeroom.domain.streams import APP
from homeroom.domain.webcasts import build_lesson_addresses
from homeroom.sandbox.gate import is_loopback
from homeroom.usecases import teaching
from homeroom.usecases.demo import DemoSchool


@click.command()
@click.option("--host", help="Listen at this address.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="0 takes a free one.  [default: 8080]")
@click.option(
    "--media",
    type=click.Choice(["embedded", "external", "none"]),
    help="Who carries streams.  [default: embedded]",
)
@click.option(
    "--rtmp-port", type=click.IntRange(0, 65535), help="Where RTMP is taken.  [default: 1935]"
)
@click.option(
    "--media-port",
    type=click.IntRange(0, 65535),
    help="Where HTTP-FLV and HLS are.  [default: 8081]",
)
@click.option("--public-url", metavar="URL", help="Where browsers find the pages, https://…")
@click.option("--demo", is_flag=True, default=None, help="Make a demo school, once.")
@click.option(
    "--sandbox",
    is_flag=True,
    default=None,
    help="Serve /sandbox: a clock to move, faults to ask for, reset, journal.",
)
@on_data
def serve(place: Place, /, **given: Any) -> None:  # noqa: ANN401  the options above, settings as they are
    """Serve the partner API until SIGTERM or Ctrl-C.

    Each option is a setting too, HOMEROOM_PORT for --port; docs/homeroom.sample.toml has them all.
    """
    settings = place.settings(**given)
    _warn(settings)

    def ready(running: RunningServer, school: DemoSchool | None) -> None:
        click.echo(_greeting(place, settings, running, school))
        if school is not None:
            click.echo(_introduction(place, running.url, school))

    run_server(settings, ready)


def _warn(settings: Settings) -> None:
    if is_loopback(settings.host):
        return
    if settings.public_url is None:
        warn("without --public-url, addresses of pages and streams name the address listened at")
    if settings.sandbox:
        warn("/sandbox is open to this machine; from elsewhere it needs the operator's token")


def _greeting(
    place: Place, settings: Settings, running: RunningServer, shown: DemoSchool | None
) -> str:
    url, hosts = running.url, running.services.hosts
    lines = [f"Homeroom is listening at {url}"]
    if shown is not None and shown.on_air is not None and shown.yours is not None:
        lines += [
            f"  live class  {build_lesson_addresses(shown.on_air.lesson, hosts).live_url}",
            f"  teach       {teaching.get_page_url(shown.yours, running.services.deps, hosts)}",
        ]
    lines += [
        f"  docs        {url}/docs",
        f"  health      {url}/healthz",
    ]
    if settings.sandbox:
        lines.append(f"  sandbox     {url}/sandbox/clock")
    if settings.media != "none":
        lines += [
            f"  push        {hosts.push}/{APP}",
            f"  pull        {hosts.rtmp}/{APP} and {hosts.http}/{APP}",
        ]
    if settings.media == "external":
        # Their address holds a secret, and what is printed here often ends in a journal.
        lines.append(f"  hooks       {program()} media hooks{place.typed()}")
    return "\n".join(lines)


def _introduction(place: Place, url: str, shown: DemoSchool) -> str:
    """Return what a newcomer needs to make the first call, to be pasted as it stands."""
    school, demo = shown.school, shown.demo
    begin = shown.now + HOUR
    address = shlex.quote(f"{url}{APIPath.COURSE.value}?action=addCourseClass")
    form = {
        "courseId": demo.courses[0],
        "className": "My first class",
        "beginTime": begin,
        "endTime": begin + 45 * MINUTE,
        "teacherUid": demo.teachers[0],
    }
    fields = " ".join(f"-d {name}={quote(str(value), safe='')}" for name, value in form.items())
    credentials = " ".join(f"-d {name}={value}" for name, value in signed(school).items())
    sign = f"{program()} sign --sid {school.id}{place.typed()}"
    token = shown.token or "shown at the first start only; `homeroom token create` makes another"
    return f"""
{school.name}
  SID     {school.id}
  SECRET  {school.secret}
  token   {token}

Create a class (the credentials are good for 20 minutes):

curl -sS {address} \\
  {credentials} \\
  {fields}

Later, sign again:

curl -sS {address} \\
  -d "$({sign})" \\
  {fields}
"""
