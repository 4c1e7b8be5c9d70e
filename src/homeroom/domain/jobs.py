"""Jobs: work that is done later, after the response has gone out. One payload type a kind."""

from enum import StrEnum
from typing import ClassVar

import msgspec

from homeroom.base.ids import SchoolId, UserId


class JobKind(StrEnum):
    """The kind of a job, as the queue stores it."""

    FINISH_STOP = "finish_stop"
    ERASE_FILE = "erase_file"
    ERASE_FILES = "erase_files"
    ADOPT_FILES = "adopt_files"


class JobPayload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base class of the payloads: the parameters of one kind of job, stored as JSON."""

    kind: ClassVar[JobKind]
    storage: str | None = None
    """The storage whose servers alone can run it; none: every server can."""


class FinishStop(JobPayload, frozen=True):
    """Payload of the job that turns a stopping teacher into a stopped one."""

    kind = JobKind.FINISH_STOP
    school: SchoolId
    user: UserId


class EraseFile(JobPayload, frozen=True):
    """Payload of the job that erases the file of a deleted clip.

    Without a storage it is unknown which one has the file: the job becomes one for each storage.
    """

    kind = JobKind.ERASE_FILE
    path: str


class EraseFiles(JobPayload, frozen=True):
    """Payload of the job that erases several files, as those of a school that was reset."""

    kind = JobKind.ERASE_FILES
    paths: list[str]


class AdoptFiles(JobPayload, frozen=True):
    """Payload of the job that finds the files of a storage among the clips of no known storage.

    It runs when a storage is new to the database, and after another was forgotten.
    """

    kind = JobKind.ADOPT_FILES
