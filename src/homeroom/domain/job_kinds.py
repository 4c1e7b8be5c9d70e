"""The kinds of job: what is done later, after the answer has gone out."""

from enum import StrEnum


class JobKind(StrEnum):
    """A kind of job, and what its payload names."""

    FINISH_STOP = "finish_stop"
    """A stopping teacher becomes stopped; payload: school and user."""
    ERASE_FILE = "erase_file"
    """The bytes of a deleted file leave the disk; payload: path in the data folder."""
    ERASE_FILES = "erase_files"
    """The files of a school that was reset leave the disk; payload: a JSON list of paths."""
