"""Units of courses on the wire."""

from typing import Annotated

import msgspec
from msgspec import Meta

from homeroom.base.ids import CourseId, UnitId
from homeroom.contract.action import V2JSON, Action, Check
from homeroom.contract.checks import ACTIVITY_COURSE
from homeroom.contract.errno import Errno
from homeroom.contract.params import (
    ID,
    TEXT,
    MissingParamError,
    Params,
    ParamType,
    read_choice,
    read_text_of_length,
)
from homeroom.contract.results import EmptyResult, Result

PUBLISHED = 2
"""The value of publishFlag for what members see; 0 is a draft."""
V2_NAME = ParamType(read_text_of_length(1, 50), "text of 1 to 50 characters")
OTHER_NAME = ParamType(read_text_of_length(1, 50), "text of 1 to 50 characters", keeps_empty=True)
PUBLISH_FLAG = ParamType(read_choice(0, PUBLISHED), "0 draft, 2 published")


UnitNumber = Annotated[int, Meta(description="The id of the unit.")]


class CreateUnit(Params, frozen=True, kw_only=True):
    """The parameters of lms.unit.create."""

    course_id: Annotated[CourseId, ID]
    name: Annotated[str, V2_NAME]
    publish_flag: Annotated[int, PUBLISH_FLAG]
    content: Annotated[str, TEXT] = ""


class UpdateUnit(Params, frozen=True, kw_only=True):
    """The parameters of lms.unit.update; what is not sent stays as it is."""

    course_id: Annotated[CourseId, ID]
    unit_id: Annotated[UnitId, ID]
    name: Annotated[str | None, OTHER_NAME] = None
    content: Annotated[str | None, ParamType(TEXT.read, "text", keeps_empty=True)] = None
    publish_flag: Annotated[int | None, PUBLISH_FLAG] = None

    def validate(self) -> None:
        """Refuse a call that changes nothing."""
        if self.name is None and self.content is None and self.publish_flag is None:
            raise MissingParamError("name", "send name, content or publishFlag")


class DeleteUnit(Params, frozen=True, kw_only=True):
    """The parameters of lms.unit.delete."""

    course_id: Annotated[CourseId, ID]
    unit_id: Annotated[UnitId, ID]


class MoveUnit(Params, frozen=True, kw_only=True):
    """The parameters of lms.unit.move."""

    course_id: Annotated[CourseId, ID]
    unit_id: Annotated[UnitId, ID]
    to_unit_id: Annotated[UnitId, ID]


class NewUnitData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new unit."""

    name: Annotated[str, Meta(description="The name of the unit.")]
    unit_id: UnitNumber


class UnitData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The id of a unit."""

    unit_id: UnitNumber


class CreatedUnit(Result, frozen=True, kw_only=True):
    """Result of lms.unit.create."""

    data: NewUnitData


class UnitResult(Result, frozen=True, kw_only=True):
    """Result of lms.unit.update and lms.unit.delete."""

    data: UnitData


CHANGEABLE_UNIT = Check(
    Errno.NO_SUCH_UNIT, "the course has no such unit, or it is the default unit of the course"
)

CREATE_UNIT = Action(
    name="lms.unit.create",
    title="Create a unit",
    params=CreateUnit,
    result=CreatedUnit,
    bindings=(V2JSON("/lms/unit/create"),),
    checks=(
        *ACTIVITY_COURSE,
        Check(Errno.UNIT_EXISTS, "a unit of the course has the name, be it a draft"),
        Check(Errno.UNIT_FULL, "the course has as many units as the school's plan allows"),
    ),
    faults=(Errno.UNIT_NOT_ADDED, Errno.UNIT_ADDED),
)

UPDATE_UNIT = Action(
    name="lms.unit.update",
    title="Edit a unit",
    params=UpdateUnit,
    result=UnitResult,
    bindings=(V2JSON("/lms/unit/update"),),
    checks=(
        *ACTIVITY_COURSE,
        CHANGEABLE_UNIT,
        Check(Errno.UNIT_STAYS_PUBLISHED, "the unit is published and is to become a draft"),
        Check(Errno.UNIT_NAME_TAKEN, "another unit of the course has the name"),
    ),
    faults=(),
)

DELETE_UNIT = Action(
    name="lms.unit.delete",
    title="Delete a unit with its activities",
    params=DeleteUnit,
    result=UnitResult,
    bindings=(V2JSON("/lms/unit/delete"),),
    checks=(
        Check(Errno.SCHOOL_IN_ARREARS, "the school is in arrears, by the plan key `arrears`"),
        *ACTIVITY_COURSE,
        CHANGEABLE_UNIT,
        Check(Errno.UNIT_HAS_HELD_LESSON, "a class of the unit is running or over"),
    ),
    faults=(Errno.SCHOOL_STATE,),
)

MOVE_UNIT = Action(
    name="lms.unit.move",
    title="Move all activities of a unit to another unit",
    params=MoveUnit,
    result=EmptyResult,
    bindings=(V2JSON("/lms/unit/move"),),
    checks=(
        *ACTIVITY_COURSE,
        Check(Errno.SAME_UNIT, "unitId and toUnitId are the same"),
        Check(
            Errno.NO_SUCH_SOURCE_UNIT,
            "the course has no such unit, or it is the default unit of the course",
        ),
        Check(Errno.NO_SUCH_TARGET_UNIT, "the course has no such target unit"),
        Check(Errno.TARGET_UNIT_FULL, "the target would hold more activities than a unit may"),
    ),
    faults=(Errno.UNIT_NOT_MOVED, Errno.UNIT_NOT_DELETED),
)
