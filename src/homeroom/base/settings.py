"""Settings: read once, from HOMEROOM_* and a file; each has a default that works."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

PREFIX = "HOMEROOM_"
FILE = "HOMEROOM_CONFIG"
SCHEMES = {
    "database": ("postgresql://", "postgres://"),
    "public_url": ("http://", "https://"),
    "rtmp_url": ("rtmp://", "rtmps://"),
    "media_url": ("http://", "https://"),
}
_PLACE = re.compile(r"(.*) - at `\$\.(\w+)`")
"""Where msgspec says what is wrong, and where."""


class BadSettings(Exception):
    """A setting that is not what it should be; the message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an operator may set; `HOMEROOM_PUBLIC_URL` is `public_url`."""

    data: Path = Path("data")
    """The folder of the embedded database, recordings and pictures."""
    database: str | None = None
    """A PostgreSQL address, `postgresql://…`; none is SQLite in the data folder."""
    host: str = "127.0.0.1"
    """The address listened at; 0.0.0.0 is every network of the machine."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    """The port listened at; 0 takes a free one."""
    public_url: str | None = None
    """The address of the pages as browsers see it; none is the address served at."""
    rtmp_url: str | None = None
    """Where streams are pulled over RTMP, `rtmp://host`; none is the public host."""
    media_url: str | None = None
    """Where streams are pulled over HTTP; none is the public address."""
    stop_delay: Annotated[int, msgspec.Meta(ge=0)] = 60
    """Seconds a stopped teacher takes to be out of service; 0 in the sandbox."""
    demo: bool = False
    """Make the demo school at the start, where it is not there yet."""
    sandbox: bool = False
    """Serve the sandbox: a clock to move, faults, reset, journal. Not for production."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """debug, info, warning or error."""

    def __post_init__(self) -> None:
        """Refuse addresses that are none, while the setting's name is known."""
        for name, schemes in SCHEMES.items():
            value = getattr(self, name)
            if value is not None and not value.startswith(schemes):
                message = f"{name} must begin with {' or '.join(schemes)}"
                raise ValueError(message)


def current(given: Mapping[str, Any]) -> Settings:
    """Return the settings of this process; what was typed wins."""
    return read(os.environ, given)


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
        message = _PLACE.sub(r"\2: \1", str(error)).replace("`", "")
        raise BadSettings(f"settings: {message}") from None


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadSettings(f"{path}: {why}") from None


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise NotImplementedError
