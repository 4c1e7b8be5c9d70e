"""Settings: read once, from HOMEROOM_* and a file; each has a default that works."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

PREFIX = "HOMEROOM_"
FILE = "HOMEROOM_CONFIG"


class BadSettings(Exception):
    """A setting that is not what it should be; the message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an operator may set; `HOMEROOM_PUBLIC_URL` is `public_url`."""

    data: Path = Path("data")
    """The folder of the embedded database, recordings and pictures."""
    database: str | None = None
    """A PostgreSQL address, `postgresql://…`; none is SQLite in the data folder."""
    host: str = "127.0.0.1"
    port: int = 8080
    """0 takes a free one."""
    public_url: str | None = None
    """The address of the pages as browsers see it; none is the address served at."""
    rtmp_url: str | None = None
    """Where streams are pulled over RTMP, `rtmp://host`; none is the public host."""
    media_url: str | None = None
    """Where streams are pulled over HTTP; none is the public address."""
    stop_delay: int = 60
    """Seconds a stopped teacher takes to be out of service; 0 in the sandbox."""
    demo: bool = False
    sandbox: bool = False
    log_level: str = "info"


def read(environment: Mapping[str, str], given: Mapping[str, Any]) -> Settings:
    """Return the settings: what was typed wins over the environment, that over the file."""
    values: dict[str, Any] = {}
    if environment.get(FILE):
        values |= _file(Path(environment[FILE]))
    names = Settings.__struct_fields__
    for name in names:
        text = environment.get(PREFIX + name.upper(), "")
        if text:
            values[name] = text
    values |= {name: value for name, value in given.items() if value is not None}
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        message = f"settings: {error}"
        raise BadSettings(message) from None


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        message = f"{path}: {error}"
        raise BadSettings(message) from None


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise NotImplementedError
