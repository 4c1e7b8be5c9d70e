"""Schools: their plan and their calendar."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, UserId
from homeroom.base.values import Value
from homeroom.contract.errno import Errno
from homeroom.domain.refusal import OperatorError

MAX_LIMIT = 1_000_000_000
MAX_FRAME_ORIGINS = 20
"""Sites that may frame the pages of a school."""
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(
    rf"https?://({_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]+\])(:[1-9][0-9]{{0,4}})?", re.IGNORECASE
)
"""An origin as browsers compare it: no path, and no character that ends it in a header."""


def _limit(text: str) -> msgspec.Meta:
    return msgspec.Meta(ge=0, le=MAX_LIMIT, description=f"{text}; 0 is no limit.")


def _describe(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Plan(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """The plan of a school: features, limits and preferences.

    Every field is a key of `homeroom school set`, its description what an operator reads there.
    """

    time_zone: Annotated[str, _describe("Where the school's months begin, as Europe/Paris.")] = (
        "Asia/Shanghai"
    )
    suspended: Annotated[
        bool, _describe(f"The partner API answers {Errno.NOT_AUTHORISED.number}.")
    ] = False
    arrears: Annotated[
        bool,
        _describe(
            f"The school owes money: calls of the v1 wire answer {Errno.NOT_AUTHORISED.number}."
        ),
    ] = False

    recording: Annotated[bool, _describe("Classes may be recorded.")] = True
    scene: Annotated[bool, _describe("The classroom itself may be recorded.")] = True
    live: Annotated[bool, _describe("Classes may be shown live on a page.")] = True
    replay: Annotated[bool, _describe("Recordings may be shown on a page.")] = True
    co_teachers: Annotated[bool, _describe("Classes may have co-teachers.")] = True
    dual_camera: Annotated[bool, _describe("Classes may have a second camera.")] = True
    broadcast: Annotated[bool, _describe("Classes may be broadcast to stations.")] = True
    smart_classroom: Annotated[bool, _describe("Classes may be held in smart classrooms.")] = True
    dual_teacher: Annotated[bool, _describe("Classes may have dual-teacher sub classes.")] = True
    head_teachers: Annotated[bool, _describe("Courses may have head teachers.")] = True
    drive: Annotated[bool, _describe("The school has a cloud drive.")] = True
    max_resolution: Annotated[
        int, msgspec.Meta(ge=0, le=2, description="0 standard, 1 HD, 2 full HD.")
    ] = 2

    max_seats: Annotated[
        int, msgspec.Meta(ge=0, le=1000, description="Students on stage; 0 means no student.")
    ] = 12
    max_co_teachers: Annotated[int, _limit("Co-teachers of a class")] = 0
    max_course_students: Annotated[int, _limit("Students of a course")] = 0
    max_course_auditors: Annotated[int, _limit("Auditors of a course")] = 20
    max_course_classes: Annotated[int, _limit("Classes of a course")] = 0
    max_course_units: Annotated[int, _limit("Units of a course")] = 0
    max_class_students: Annotated[int, _limit("Students and guests of a class")] = 0
    max_teachers: Annotated[int, _limit("Teachers in service")] = 0
    max_labels: Annotated[int, _limit("Labels")] = 100
    max_folders: Annotated[int, _limit("Folders of the cloud drive")] = 5000
    monthly_classes: Annotated[int, _limit("Classes created in a month")] = 0
    upgradable: Annotated[
        bool,
        _describe(
            f"A bigger plan exists: past monthly_classes {Errno.MONTHLY_LIMIT_UPGRADE.number}, "
            f"otherwise {Errno.MONTHLY_LIMIT.number}."
        ),
    ] = True
    classroom_hours: Annotated[int, _limit("Hours of class a month that are paid for")] = 0
    unknown_accounts_per_hour: Annotated[
        int, _limit("UIDs and accounts that do not exist which calls may name in an hour")
    ] = 60
    storage_mb: Annotated[
        int, _limit("Room for recordings and files, in units of 1,000,000 bytes")
    ] = 0

    retention_days: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=36500,
            description="Days after a class that its unlocked recordings are kept; 0: no limit.",
        ),
    ] = 0
    undelete_days: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=3650,
            description="Days for which an operator can restore what deleteClassVideo deleted.",
        ),
    ] = 0
    viewer_days: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=36500,
            description="Days after a class that its viewers' details are kept; 0: no limit.",
        ),
    ] = 180
    chat_days: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=36500,
            description="Days after a class that its chat is kept; 0: no limit.",
        ),
    ] = 0
    push_viewer_ip: Annotated[
        bool, _describe("Messages about viewers carry their internet addresses.")
    ] = False
    frame_origins: Annotated[
        str, _describe("Who may frame the live pages, as https://a.example https://b.example:8443.")
    ] = ""
    service_until: Annotated[
        int | None,
        _describe("No class may end later, in seconds since 1970 (UTC); none: no limit."),
    ] = None
    stop_delay: Annotated[
        int | None,
        msgspec.Meta(description="Seconds a teacher takes to stop; none is the server's own."),
    ] = None
    sync_nickname: Annotated[
        bool, _describe("A new course member is called as in the school's list of students.")
    ] = False
    join_at_registration: Annotated[
        bool, _describe("register may put people on the school's lists.")
    ] = True
    keep_identities: Annotated[
        bool, _describe("The identity of a deleted class is never used again.")
    ] = False


class PlanKey(Value, frozen=True):
    """A key of a plan, with its default and its meaning for the operator."""

    name: str
    default: str
    meaning: str


def list_plan_keys() -> tuple[PlanKey, ...]:
    """Return every key that `homeroom school set` takes, in order."""
    return tuple(
        PlanKey(field.name, format_plan_value(field.default), get_args(field.type)[1].description)
        for field in msgspec.structs.fields(Plan)
    )


def format_plan_value(value: object) -> str:
    """Return a value of a plan as an operator types it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value in (None, "") else str(value)


_WORDS = {"on": "true", "yes": "true", "off": "false", "no": "false", "none": "null"}


def change_plan(plan: Plan, texts: Mapping[str, str]) -> Plan:
    """Return a plan with some keys changed; raise `OperatorError` for the first wrong one."""
    fields = {field.name: field for field in msgspec.structs.fields(Plan)}
    values: dict[str, Any] = {}
    for key, text in texts.items():
        if key not in fields:
            raise OperatorError(f"{key}: no such key; known are {', '.join(fields)}")
        kind = fields[key].type
        plain = text if isinstance(fields[key].default, str) else _WORDS.get(text.lower(), text)
        try:
            values[key] = msgspec.convert(plain, kind, strict=False)
        except msgspec.ValidationError as error:
            raise OperatorError(f"{key}={text}: {_describe_error(str(error), kind)}") from None
    new = msgspec.structs.replace(plan, **values)
    try:
        load_time_zone(new.time_zone)
    except (OSError, ValueError, ZoneInfoNotFoundError):
        raise OperatorError(f"time_zone={new.time_zone}: no such time zone") from None
    if new.frame_origins.strip().lower() == "none":
        new = msgspec.structs.replace(new, frame_origins="")
    _check_origins(parse_frame_origins(new))
    if new.stop_delay is not None and not 0 <= new.stop_delay <= MAX_LIMIT:
        raise OperatorError(f"stop_delay={new.stop_delay}: must be a number of seconds, or none")
    if new.service_until is not None and new.service_until < 0:
        raise OperatorError(f"service_until={new.service_until}: must be a time, or none")
    return new


def parse_frame_origins(plan: Plan) -> tuple[str, ...]:
    """Return the origins whose pages may frame the live pages of a school."""
    return tuple(plan.frame_origins.replace(",", " ").split())


def _check_origins(origins: tuple[str, ...]) -> None:
    if len(origins) > MAX_FRAME_ORIGINS:
        raise OperatorError(
            f"frame_origins: must be up to {MAX_FRAME_ORIGINS} sites, not {len(origins)}"
        )
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise OperatorError(
                f"frame_origins={origin}: must be as https://portal.example or "
                "http://127.0.0.1:3000, without a path or a slash at the end"
            )


def _describe_error(message: str, kind: Any) -> str:  # noqa: ANN401  a type, as msgspec holds it
    """Return an error message of msgspec in the words of an operator."""
    if "bool" in str(kind):
        return "must be on or off"
    if ">=" in message or "<=" in message:
        return message.replace("Expected `int`", "must be").replace("`", "")
    return "must be a whole number"


class School(Value, frozen=True):
    """A school: the tenant that every id belongs to."""

    id: SchoolId
    name: str
    secret: str
    former_secret: str | None
    plan: Plan
    owner: UserId
    """The school account."""


@lru_cache(maxsize=64)
def load_time_zone(name: str) -> ZoneInfo:
    """Return a time zone; raises `ZoneInfoNotFoundError` or `ValueError` if it does not exist."""
    return ZoneInfo(name)


def month_bounds(moment: Moment, plan: Plan) -> tuple[Moment, Moment]:
    """Return the first moment of the month around a moment and that of the next, in school time."""
    local = datetime.fromtimestamp(moment, UTC).astimezone(load_time_zone(plan.time_zone))
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return int(first.timestamp()), int(following.timestamp())
