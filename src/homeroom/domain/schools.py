"""Schools: their plan and their calendar."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, UserId


class Plan(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """What a school may do and how it likes things; a limit of 0 is no limit.

    Every field is a key of `homeroom school set`.
    """

    time_zone: str = "Asia/Shanghai"
    suspended: bool = False
    """The partner API answers 102."""

    recording: bool = True
    scene: bool = True
    live: bool = True
    replay: bool = True
    co_teachers: bool = True
    dual_camera: bool = True
    broadcast: bool = True
    smart_classroom: bool = True
    head_teachers: bool = True
    drive: bool = True
    max_resolution: int = 2
    """0 standard, 1 HD, 2 full HD."""

    max_seats: int = 12
    """Students on stage; unlike the limits below, 0 means none."""
    max_co_teachers: int = 0
    max_course_students: int = 0
    max_course_auditors: int = 20
    max_course_classes: int = 0
    max_teachers: int = 0
    max_labels: int = 100
    max_folders: int = 5000
    monthly_classes: int = 0
    upgradable: bool = True
    """Whether a bigger plan exists: decides between errno 121601003 and 121601004."""
    classroom_hours: int = 0
    """Hours of class a month that are paid for."""
    storage_mb: int = 0
    """Room for recordings and pictures, in units of 1,000,000 bytes."""

    stop_delay: int | None = None
    """Seconds a teacher takes to stop; none means the server's own setting."""
    sync_nickname: bool = False
    """A new course member's nickname is set to the name in the school's student list."""
    join_at_registration: bool = True
    """register may put people on the school's lists."""
    keep_identities: bool = False
    """The identity of a deleted class is never used again."""


@dataclass(frozen=True, slots=True)
class School:
    """A tenant: every id belongs to one."""

    id: SchoolId
    name: str
    secret: str
    former_secret: str | None
    plan: Plan
    owner: UserId
    """The school account."""


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return a time zone; raises `ZoneInfoNotFoundError` or `ValueError` for none."""
    return ZoneInfo(name)


def month_of(moment: Moment, plan: Plan) -> tuple[Moment, Moment]:
    """Return the first moment of the month around a moment and that of the next, in school time."""
    local = datetime.fromtimestamp(moment, UTC).astimezone(zone(plan.time_zone))
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return int(first.timestamp()), int(following.timestamp())
