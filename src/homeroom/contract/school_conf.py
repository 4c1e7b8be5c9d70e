"""Settings of a school on the wire."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.contract.action import V2JSON, Action
from homeroom.contract.errno import Errno
from homeroom.contract.params import STRICT_FLAG, MissingParamError, Params
from homeroom.contract.results import Result


class ModifySchoolConf(Params, frozen=True, kw_only=True):
    """The parameters of modifySchoolConf; what is absent stays as it is."""

    allow_view_replay: Annotated[bool | None, STRICT_FLAG] = None
    allow_new_student_view_replay: Annotated[bool | None, STRICT_FLAG] = None

    def validate(self) -> None:
        """Ask for at least one of the two."""
        if self.allow_view_replay is None and self.allow_new_student_view_replay is None:
            raise MissingParamError("allowViewReplay", "or allowNewStudentViewReplay must be given")


class NoFields(msgspec.Struct, frozen=True):
    """An object without members."""


class ModifiedSchoolConf(Result, frozen=True, kw_only=True):
    """The result of modifySchoolConf."""

    data: Annotated[NoFields, Meta(description="An empty object.")]


MODIFY_SCHOOL_CONF = Action(
    name="modifySchoolConf",
    title="Change settings of the school",
    params=ModifySchoolConf,
    result=ModifiedSchoolConf,
    bindings=(V2JSON("/school/modifySchoolConf", missing=Errno.PARAM_MISSING),),
    faults=(),
)
