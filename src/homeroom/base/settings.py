"""Settings: read once, from HOMEROOM_* and a file; each has a default that works."""

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec

from homeroom.base.errors import HomeroomError

PREFIX = "HOMEROOM_"
FILE_VARIABLE = "HOMEROOM_CONFIG"
URL_SCHEMES = {
    "database": ("postgresql://", "postgres://"),
    "public_url": ("http://", "https://"),
    "link_url": ("http://", "https://"),
    "push_url": ("rtmp://", "rtmps://"),
    "rtmp_url": ("rtmp://", "rtmps://"),
    "media_url": ("http://", "https://"),
    "media_api": ("http://", "https://"),
    "smtp_url": ("smtp://", "smtps://"),
}
_KEY_VALUE = re.compile(r"\s*\w+\s*=")
"""The other form of an address of libpq: `host=db.example.org dbname=homeroom`."""
_PLACE = re.compile(r"(.*) - at `\$\.(\w+)`")
"""A message of msgspec: the error, and the name of the setting."""


class SettingsError(HomeroomError):
    """A setting has no valid value; the message names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an operator may set; `HOMEROOM_PUBLIC_URL` is `public_url`."""

    data: Path = Path("data")
    """The folder of the embedded database, recordings and pictures."""
    database: str | None = None
    """A PostgreSQL address, `postgresql://…`; none is SQLite in the data folder."""
    database_file: Path | None = None
    """A file with the PostgreSQL address, where that has a password; in place of `database`."""
    key_file: Path | None = None
    """The file of the key that encrypts secrets; none is `homeroom.key` of the data folder."""
    host: str = "127.0.0.1"
    """The address that the server listens on; 0.0.0.0 is every network of the machine."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8080
    """The port of the API and the pages; 0 takes a free one."""
    workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    """Processes that serve HTTP, for the cores of the machine; more than 1 needs PostgreSQL."""
    public_url: str | None = None
    """The address of the pages as browsers see it; without it, the address listened on."""
    link_url: str | None = None
    """The address in the links of getLoginLinked; without it, that of the pages."""
    media: Literal["embedded", "external", "none"] = "embedded"
    """The media engine that carries streams: our own engine, an SRS or CDN of yours, or none."""
    rtmp_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 1935
    """The port of RTMP, for push and pull; 0 takes a free one."""
    media_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8081
    """The port of HTTP-FLV and HLS; 0 takes a free one."""
    push_url: str | None = None
    """The address that streams are pushed to, `rtmp://host`; without it, the public host."""
    rtmp_url: str | None = None
    """The address for pulling over RTMP, `rtmp://host`; without it, the public host."""
    media_url: str | None = None
    """The address for pulling over HTTP; without it, the public host at the media port."""
    media_api: str | None = None
    """The HTTP API of an external SRS, which lists its streams; optional."""
    webrtc_address: str | None = None
    """The IP address that browsers teach by, at any UDP port; none is the machine's own."""
    media_folder: Path | None = None
    """The folder recordings are written to; none is `media/recordings` of the data folder."""
    pull_days: Annotated[int, msgspec.Meta(ge=1, le=36500)] = 3650
    """Days for which a pull address is valid."""
    coalesce_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """Milliseconds for which data for viewers are collected: more delay, more viewers."""
    rotate_minutes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 60
    """Minutes after which a recording continues in another clip."""
    stop_delay: Annotated[int, msgspec.Meta(ge=0)] = 60
    """Seconds a stopped teacher takes to be out of service; 0 in the sandbox."""
    public_docs: bool = True
    """Serve /docs and the OpenAPI documents to all; else to this machine and operator's tokens."""
    public_metrics: bool = False
    """Serve /metrics to all; else to this machine and to an operator's token."""
    webhook_allow: str = ""
    """Private networks that messages may be sent to, with commas: 10.1.0.0/16,fd00::/8."""
    smtp_url: str | None = None
    """The mail server of alarms, `smtp://user:password@host:587?from=address`; none sends none."""
    demo: bool = False
    """Make the demo school at the start, where it is not there yet."""
    sandbox: bool = False
    """Serve the sandbox: a clock to move, faults, reset, journal. Not for production."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """debug, info, warning or error."""

    def __post_init__(self) -> None:
        """Check the addresses here, where the error can name the setting."""
        for name, schemes in URL_SCHEMES.items():
            value = getattr(self, name)
            if name == "database" and value is not None and _KEY_VALUE.match(value):
                continue
            if value is not None and not value.startswith(schemes):
                message = f"{name} must begin with {' or '.join(schemes)}"
                raise ValueError(message)
        if self.webrtc_address is not None:
            try:
                ip_address(self.webrtc_address)
            except ValueError:
                raise ValueError("webrtc_address must be an IP address") from None
        try:
            self.allowed_networks()
        except ValueError as error:
            raise ValueError(f"webhook_allow must name networks: {error}") from None
        if self.workers > 1 and self.database is None:
            raise ValueError("workers above 1 needs PostgreSQL: SQLite has one writer at a time")
        if self.media == "external" and not (self.rtmp_url and self.media_url):
            raise ValueError("media external needs rtmp_url and media_url, where it is pulled from")

    def allowed_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the networks of `webhook_allow`; raises `ValueError` for another text."""
        texts = (text.strip() for text in self.webhook_allow.split(","))
        return tuple(ip_network(text) for text in texts if text)


def load_settings(overrides: Mapping[str, Any]) -> Settings:
    """Return the settings of this process; options of the command line win."""
    return parse_settings(os.environ, overrides)


def parse_settings(environment: Mapping[str, str], overrides: Mapping[str, Any]) -> Settings:
    """Return the settings: the command line wins over the environment, and that over the file."""
    values: dict[str, Any] = {}
    if environment.get(FILE_VARIABLE):
        _put(values, _read_file(Path(environment[FILE_VARIABLE])), "the file")
    texts = {name: environment.get(PREFIX + name.upper()) for name in Settings.__struct_fields__}
    _put(values, {name: text for name, text in texts.items() if text}, "the environment")
    options = {name: value for name, value in overrides.items() if value is not None}
    _put(values, options, "the command line")
    if "database_file" in values:
        values["database"] = _read_address(Path(values["database_file"]))
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=convert_path)
    except msgspec.ValidationError as error:
        message = _PLACE.sub(r"\2: \1", str(error)).replace("`", "")
        raise SettingsError(f"settings: {message}") from None


def has_password(address: str) -> bool:
    """Tell whether the address of a database contains a password."""
    credentials, at, _host = re.split(r"[/?#]", address.partition("://")[2])[0].rpartition("@")
    has_parameter = re.search(r"password\s*=", unquote(address)) is not None
    return has_parameter or (bool(at) and ":" in credentials)


def _put(values: dict[str, Any], new: Mapping[str, Any], source: str) -> None:
    """Put settings over those of a weaker source; the two that name the database exclude."""
    if "database" in new and "database_file" in new:
        raise SettingsError(f"settings: {source} has database and database_file, and one is enough")
    if "database" in new or "database_file" in new:
        values.pop("database", None)
        values.pop("database_file", None)
    values |= new


def _read_address(path: Path) -> str:
    """Return the address in the file of the setting `database_file`."""
    try:
        return path.read_text().strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError(f"settings: database_file: {path}: {why}") from None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"{path}: {why}") from None


def convert_path(kind: type, value: object) -> object:
    """Decode a path, which msgspec does not: its `dec_hook` for settings."""
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise NotImplementedError
