"""An action of the partner API: its name, its parameters and every way it may end."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from homeroom.contract.errno import Errno
from homeroom.contract.params import Params, ParamsReader

P = TypeVar("P", bound=Params)

ALWAYS = (Errno.DONE, Errno.BAD_PARAMS, Errno.NOT_AUTHORISED)
"""Every action of the v1 wire may end so."""

BEFORE_DISPATCH = (Errno.IN_MAINTENANCE,)
"""What any call may meet before its action is looked at."""


class APIPath(StrEnum):
    """The address an action is served at."""

    COURSE = "/partner/api/course.api.php"
    CLOUD = "/partner/api/cloud.api.php"


@dataclass(frozen=True)
class Action(Generic[P]):
    """One action: what it takes, what it may answer, and the order in which it checks."""

    name: str
    title: str
    params: type[P]
    refuses: tuple[Errno, ...] = ()
    """Answers after which nothing was changed, in the order of the checks."""
    notes: tuple[Errno, ...] = ()
    """Answers after which the work stands; when several hold, the first one is given."""
    entries: tuple[Errno, ...] = ()
    """Answers of single entries of a batch."""
    faults: tuple[Errno, ...] = (Errno.FAILED, Errno.SERVER_FAULT)
    """Answers that only a fault gives."""
    answer: str = ""
    """What is answered besides `error_info`, in words, for the reference page."""
    order: str = ""
    """The order of the checks, in words, for the reference page."""
    door: APIPath = APIPath.COURSE
    takes_file: bool = False

    @property
    def errnos(self) -> tuple[Errno, ...]:
        """Every number the action may answer, at the top or in an entry, each once."""
        given = (*ALWAYS, *self.refuses, *self.notes, *self.entries, *self.faults)
        return tuple(dict.fromkeys(given))

    def reader(self) -> ParamsReader[P]:
        """Return what reads this action's parameters."""
        return ParamsReader(self.params)
