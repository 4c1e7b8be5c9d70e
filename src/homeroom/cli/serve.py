"""`homeroom serve`."""

import logging
import shlex
import stat
from typing import Any
from urllib.parse import quote

import click

from homeroom.base.clock import HOUR, MINUTE
from homeroom.base.settings import Settings
from homeroom.bootstrap.core import CoreParts
from homeroom.bootstrap.serve import serve as run_server
from homeroom.cli.command import CommandContext, get_invocation, print_warning, with_context
from homeroom.cli.schools import build_credentials
from homeroom.contract.action import APIPath
from homeroom.domain.streams import APP
from homeroom.domain.webcasts import build_lesson_addresses
from homeroom.usecases import audit, teaching
from homeroom.usecases.demo import DemoSchool
from homeroom.web.addresses import is_loopback

log = logging.getLogger("homeroom.cli")


@click.command()
@click.option("--host", help="Listen at this address.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="0 chooses a free port.  [default: 8080]"
)
@click.option(
    "--media",
    type=click.Choice(["embedded", "external", "none"]),
    help="The media server for streams.  [default: embedded]",
)
@click.option("--rtmp-port", type=click.IntRange(0, 65535), help="Port of RTMP.  [default: 1935]")
@click.option(
    "--media-port",
    type=click.IntRange(0, 65535),
    help="Port of HTTP-FLV and HLS.  [default: 8081]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Processes that serve HTTP; more than 1 needs PostgreSQL.  [default: 1]",
)
@click.option("--public-url", metavar="URL", help="Base URL of the pages for browsers, https://…")
@click.option("--demo", is_flag=True, default=None, help="Create a demo school, once.")
@click.option(
    "--sandbox",
    is_flag=True,
    default=None,
    help="Serve /sandbox: movable clock, fault injection, reset, journal.",
)
@with_context
def serve(context: CommandContext, /, **options: Any) -> None:  # noqa: ANN401  the options above, named as the settings
    """Serve the partner API until SIGTERM or Ctrl-C.

    Each option is a setting too, HOMEROOM_PORT for --port; docs/homeroom.sample.toml has them all.
    """
    settings = context.load_settings(**options)
    _print_warnings(settings)

    def announce(url: str, core: CoreParts, demo_school: DemoSchool | None) -> None:
        entry = context.audit.build_entry()
        store = core.async_store.store
        store.submit_write(lambda uow: audit.record(uow, entry), _warn_without_entry)
        click.echo(_format_greeting(context, url, core, demo_school))
        if demo_school is not None:
            click.echo(_format_first_call(context, url, demo_school))

    run_server(settings, announce)


def _warn_without_entry(_result: object, failure: BaseException | None) -> None:
    if failure is not None:
        log.warning("audit_entry_lost", extra={"act": "serve", "reason": str(failure)})


def _print_warnings(settings: Settings) -> None:
    file = settings.database_file
    if file is not None and file.stat().st_mode & stat.S_IRWXO:
        print_warning(f"{file} with the address of the database is open to other users: chmod 600")
    if is_loopback(settings.host):
        return
    if settings.public_url is None:
        print_warning(
            "without --public-url, addresses of pages and streams name the address listened at"
        )
    if settings.sandbox:
        print_warning(
            "/sandbox is open to this machine; from elsewhere it needs the operator's token"
        )


def _format_greeting(
    context: CommandContext,
    url: str,
    core: CoreParts,
    demo: DemoSchool | None,
) -> str:
    settings, hosts = core.settings, core.hosts
    lines = [f"Homeroom is listening at {url}"]
    if demo is not None and demo.on_air is not None and demo.yours is not None:
        lines += [
            f"  live class  {build_lesson_addresses(demo.on_air.lesson, hosts).live_url}",
            f"  teach       {teaching.get_page_url(demo.yours, core.deps, hosts)}",
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
        # Their address contains a secret, and this output is often written to a system log.
        lines.append(f"  hooks       {get_invocation()} media hooks{context.format_options()}")
    return "\n".join(lines)


def _format_first_call(context: CommandContext, url: str, demo_school: DemoSchool) -> str:
    """Return credentials and a curl command for a first call, ready to paste."""
    school, demo = demo_school.school, demo_school.demo
    begin = demo_school.now + HOUR
    address = shlex.quote(f"{url}{APIPath.COURSE.value}?action=addCourseClass")
    form = {
        "courseId": demo.courses[0],
        "className": "My first class",
        "beginTime": begin,
        "endTime": begin + 45 * MINUTE,
        "teacherUid": demo.teachers[0],
    }
    fields = " ".join(f"-d {name}={quote(str(value), safe='')}" for name, value in form.items())
    credentials = " ".join(
        f"-d {name}={value}" for name, value in build_credentials(school).items()
    )
    sign = f"{get_invocation()} sign --sid {school.id}{context.format_options()}"
    token = (
        demo_school.token or "shown at the first start only; `homeroom token create` makes another"
    )
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
