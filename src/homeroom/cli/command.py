"""The common part of every command: data options, output, parameter types and errors."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

import click
import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId
from homeroom.base.private_files import WideModeError, private_umask
from homeroom.base.settings import Settings, SettingsError, has_password, load_settings
from homeroom.cli.audited_store import AuditedStore, CommandAudit, describe_command
from homeroom.contract.params import MAX_DIGITS
from homeroom.domain.refusal import OperatorError, Refusal
from homeroom.folder import StartupError, database_address, has_sandbox, open_store
from homeroom.store.engine import ContendedError, StoreError
from homeroom.store.key_file import KeyFileError
from homeroom.store.unit_of_work import Store, UnitOfWork

P = ParamSpec("P")
T = TypeVar("T")
OutputFields = Mapping[str, Any]
MAX_MOMENT = 253_402_300_799
"""The last second of the year 9999."""
USAGE_EXIT_CODE = 2
REPORTED_ERRORS = (
    SettingsError,
    StartupError,
    WideModeError,
    KeyFileError,
    OperatorError,
    StoreError,
    ContendedError,
)
"""Errors whose message is written for an operator."""


# --- data -------------------------------------------------------------------------------------


class CommandContext(msgspec.Struct, frozen=True):
    """The data folder and database that a command works on."""

    data: Path | None
    database: str | None
    database_file: Path | None
    key_file: Path | None
    audit: CommandAudit
    """The description of the command in the audit trail."""

    def load_settings(self, **overrides: Any) -> Settings:  # noqa: ANN401  settings of any type
        """Return the settings from options, environment and file, in this order."""
        if self.database is not None and has_password(self.database):
            raise OperatorError(
                "--database must have no password: every user of this machine can read it in the"
                " list of processes. Write the address to HOMEROOM_DATABASE, or to a file for"
                " --database-file"
            )
        places = {
            "data": self.data,
            "database": self.database,
            "database_file": self.database_file,
            "key_file": self.key_file,
        }
        return load_settings({**places, **overrides})

    @contextmanager
    def open_store(self, *, create: bool = False) -> Iterator[Store]:
        """Open the store; create a missing database only if the command asks for it.

        What is written adds an entry to the audit trail, in the same unit of work.
        """
        settings = self.load_settings()
        where = database_address(settings)
        if isinstance(where, Path) and not where.exists() and not create:
            raise OperatorError(
                f"{settings.data} has no database: `homeroom serve` or `homeroom school create`"
                " makes one, --data names another folder"
            )
        with open_store(settings) as store:
            # The inbox of a sandbox has the messages of all schools.
            store.subscribed.is_everybody = has_sandbox(store)
            yield AuditedStore(store, self.audit)

    def write(
        self,
        use_case: Callable[[UnitOfWork], T],
        school: SchoolId | None = None,
        *,
        create: bool = False,
    ) -> T:
        """Run a use case in a unit of work that writes."""
        with self.open_store(create=create) as store:
            return store.write(use_case, school)

    def read(self, use_case: Callable[[UnitOfWork], T]) -> T:
        """Run a use case that only reads."""
        with self.open_store() as store:
            return store.read(use_case)

    def format_options(self) -> str:
        """Return the options with which another command finds the same data."""
        data = self.load_settings().data
        options = (
            ("--data", data if data != Settings().data else None),
            ("--database", self.database),
            ("--database-file", self.database_file),
            ("--key-file", self.key_file),
        )
        return "".join(f" {name} {shlex.quote(str(value))}" for name, value in options if value)


def with_context(command: Callable[Concatenate[CommandContext, P], T]) -> Callable[..., T]:
    """Add the options that name the data to a command, and pass them as a `CommandContext`."""

    @click.option(
        "--data",
        # click would report an unreadable folder as a wrong option.
        type=click.Path(path_type=Path, readable=False),
        metavar="DIR",
        help="The data folder.  [HOMEROOM_DATA, or ./data]",
    )
    @click.option(
        "--database",
        metavar="URL",
        help="PostgreSQL, postgresql://…; not with a password, which the list of processes would"
        " show.  [HOMEROOM_DATABASE, or SQLite in the data folder]",
    )
    @click.option(
        "--database-file",
        type=click.Path(path_type=Path, readable=False),
        metavar="FILE",
        help="A file with the PostgreSQL address.  [HOMEROOM_DATABASE_FILE]",
    )
    @click.option(
        "--key-file",
        type=click.Path(path_type=Path, readable=False),
        metavar="FILE",
        help="The key of encrypted secrets.  [HOMEROOM_KEY_FILE, or homeroom.key in the folder]",
    )
    @wraps(command)
    def wrapper(
        *args: Any,  # noqa: ANN401  what click passes
        data: Path | None,
        database: str | None,
        database_file: Path | None,
        key_file: Path | None,
        **params: Any,  # noqa: ANN401  what click passes
    ) -> T:
        audit = describe_command(click.get_current_context())
        context = CommandContext(data, database, database_file, key_file, audit)
        return command(context, *args, **params)

    return wrapper


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for a script.")


# --- output -----------------------------------------------------------------------------------


def to_json(value: object) -> str:
    """Return a value as one line of JSON."""
    return msgspec.json.encode(value).decode()


def print_fields(fields: OutputFields, *, as_json: bool) -> None:
    """Print fields, one a line, or as JSON."""
    if as_json:
        click.echo(to_json(fields))
        return
    width = max(map(len, fields))
    for name, value in fields.items():
        click.echo(f"{name:<{width}}  {_format_value(value)}")


def print_table(rows: Sequence[OutputFields], *, as_json: bool, if_empty: str) -> None:
    """Print rows as a table, or as JSON; `if_empty` is printed for no rows."""
    if as_json:
        click.echo(to_json(rows))
        return
    if not rows:
        click.echo(if_empty)
        return
    texts = [[_format_value(value) for value in row.values()] for row in rows]
    columns = list(zip(rows[0], *texts, strict=True))
    widths = [max(map(len, column)) for column in columns]
    for line in zip(*columns, strict=True):
        cells = (f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _format_value(value: object) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(_format_value, value)) or "-"
        case dict():
            return (
                " ".join(f"{name}={_format_value(member)}" for name, member in value.items()) or "-"
            )
    return str(value)


def format_time(moment: Moment | None) -> str | None:
    """Return a moment as ISO 8601 in UTC."""
    return datetime.fromtimestamp(moment, UTC).isoformat() if moment is not None else None


# --- parameter types --------------------------------------------------------------------------


class MomentType(click.ParamType[Moment]):
    """A time: epoch seconds, or ISO 8601, which is UTC without an offset."""

    name = "time"

    def convert(
        self, value: str | Moment, param: click.Parameter | None, ctx: click.Context | None
    ) -> Moment:
        """Return the time in epoch seconds, or fail with a usage error."""
        if isinstance(value, int):
            return value
        try:
            if value.isascii() and value.isdigit():
                moment = int(value)
            else:
                when = datetime.fromisoformat(value)
                moment = int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
        except (ValueError, OverflowError):
            moment = -1
        if not 0 <= moment <= MAX_MOMENT:
            self.fail(f"{value!r} is neither epoch seconds nor ISO 8601", param, ctx)
        return moment


class IdType(click.ParamType[int]):
    """An id: a whole number above 0 that a database can store."""

    name = "id"

    def convert(
        self, value: str | int, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the number, or fail with a usage error."""
        text = str(value)
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0
        if number == 0:
            self.fail(f"{value!r} is not an id", param, ctx)
        return number


class NameType(click.ParamType[str]):
    """A name: text that is trimmed, with a limited number of printable characters."""

    name = "name"

    def __init__(self, max_length: int) -> None:
        self._max_length = max_length

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the trimmed name, or fail with a usage error."""
        name = value.strip()
        if not (0 < len(name) <= self._max_length and name.isprintable()):
            self.fail(f"a name has 1 to {self._max_length} printable characters", param, ctx)
        return name


class PairType(click.ParamType[tuple[str, str]]):
    """A pair of the form KEY=VALUE."""

    name = "KEY=VALUE"

    def convert(
        self,
        value: str | tuple[str, str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, str]:
        """Return key and value, or fail with a usage error."""
        if isinstance(value, tuple):
            return value
        key, equals, text = value.partition("=")
        if not (key and equals):
            self.fail(f"{value!r} is not KEY=VALUE", param, ctx)
        return key.strip(), text.strip()


ID = IdType()
MOMENT = MomentType()
PAIR = PairType()


def get_single_value(pairs: Sequence[tuple[str, str]], key: str, allowed: Sequence[str]) -> str:
    """Return the value of the only key that a command accepts; raises `OperatorError`."""
    for name, value in pairs:
        if name != key:
            raise OperatorError(f"{name}: no such key; known is {key}")
        if value not in allowed:
            raise OperatorError(f"{key}={value}: must be one of {', '.join(allowed)}")
    return pairs[-1][1]


# --- errors -----------------------------------------------------------------------------------


class CommandGroup(click.Group):
    """The group of all commands; reports an error as one line on stderr and an exit code."""

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  the signature is of click
        """Run a command and exit with its exit code."""
        kwargs["standalone_mode"] = False
        try:
            with private_umask():
                code = super().main(*args, **kwargs)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(USAGE_EXIT_CODE)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "homeroom"
            _fail(f"{error.format_message()} (see {path} --help)", USAGE_EXIT_CODE)
        except click.ClickException as error:
            _fail(error.format_message())
        except (click.Abort, KeyboardInterrupt):
            _fail("stopped", 130)
        except REPORTED_ERRORS as error:
            _fail(str(error))
        except Refusal as refusal:
            _fail(refusal.reason)
        except BrokenPipeError:
            # The reader closed the pipe. Without this, the flush at exit would fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except OSError as error:
            _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        sys.exit(code if isinstance(code, int) else 0)


def _fail(message: str, code: int = 1) -> NoReturn:
    click.echo(f"homeroom: {' '.join(message.split())}", err=True)
    sys.exit(code)


def print_warning(message: str) -> None:
    """Print a warning on stderr."""
    click.echo(f"homeroom: warning: {message}", err=True)


def get_invocation() -> str:
    """Return the command line that started this program, for commands shown to an operator."""
    script = sys.argv[0]
    if Path(script).name == "homeroom":
        return "homeroom" if shutil.which("homeroom") == script else shlex.quote(script)
    return f"{shlex.quote(sys.executable)} -m homeroom.cli"
