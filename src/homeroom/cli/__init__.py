"""The commands an operator types."""

import os
from pathlib import Path
from typing import Any

import click

from homeroom.base.keys import Keys
from homeroom.base.settings import Settings, read
from homeroom.bootstrap import CannotStart, opened_store, serve as run_server
from homeroom.usecases import schools
from homeroom.usecases.means import Means


@click.group()
def main() -> None:
    """Homeroom."""


@main.command()
@click.option("--host")
@click.option("--port", type=int)
@click.option("--data")
@click.option("--database")
@click.option("--sandbox", is_flag=True)
@click.option("--demo", is_flag=True)
def serve(**given: Any) -> None:
    settings = read(os.environ, given)
    try:
        run_server(settings, lambda url: print(f"Homeroom is listening at {url}", flush=True))
    except CannotStart as error:
        raise click.ClickException(str(error))


@main.command()
@click.option("--data")
@click.option("--database")
@click.option("--name")
def create(name, **given: Any) -> None:
    settings = read(os.environ, given)
    with opened_store(settings) as store:
        s = store.work(lambda work: schools.create(work, Means(Keys(), "", 0), name))
        print(s.id, s.secret)


if __name__ == "__main__":
    main()
