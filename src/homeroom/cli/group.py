"""The group of all commands."""

import click

from homeroom.cli import (
    accounts,
    audit,
    clips,
    clock,
    courses,
    doctor,
    endpoints,
    folders,
    keys,
    lessons,
    messages,
    operations,
    people,
    schools,
    serve,
    storages,
    streams,
    swept,
    viewers,
)
from homeroom.cli.command import CommandGroup


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="homeroom")
def main() -> None:
    """Homeroom: an open, self-hosted server that speaks the ClassIn partner API.

    Every command works with or without a running server; --data or --database names the data.
    Settings also come from HOMEROOM_* and from the file that HOMEROOM_CONFIG names.
    """


for command in (
    serve.serve,
    schools.school,
    schools.sign,
    schools.preset,
    accounts.user,
    accounts.subaccount,
    people.teacher,
    people.student,
    courses.course,
    lessons.lesson,
    streams.stream,
    streams.media,
    clips.clip,
    viewers.viewers,
    viewers.link,
    viewers.chat,
    folders.folder,
    endpoints.endpoint,
    messages.message,
    clock.clock,
    storages.storage,
    swept.swept,
    operations.maintenance,
    operations.token,
    keys.key,
    operations.migrate,
    audit.audit,
    doctor.doctor,
):
    main.add_command(command)
