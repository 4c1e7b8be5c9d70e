"""Handlers of units."""

from homeroom.contract.results import EmptyResult
from homeroom.contract.units import (
    PUBLISHED,
    CreatedUnit,
    CreateUnit,
    DeleteUnit,
    MoveUnit,
    NewUnitData,
    UnitData,
    UnitResult,
    UpdateUnit,
)
from homeroom.domain.units import UnitChange
from homeroom.partner.routes import CallContext
from homeroom.usecases import units


def create_unit(call: CallContext[None], params: CreateUnit) -> CreatedUnit:
    """Create a unit and return its name and id."""
    unit = units.add(
        call.uow,
        call.school,
        params.course_id,
        params.name,
        params.content,
        published=params.publish_flag == PUBLISHED,
    )
    return CreatedUnit(data=NewUnitData(name=params.name, unit_id=unit))


def update_unit(call: CallContext[None], params: UpdateUnit) -> UnitResult:
    """Change a unit."""
    flag = params.publish_flag
    change = UnitChange(
        name=params.name,
        content=params.content,
        is_published=flag == PUBLISHED if flag is not None else None,
    )
    units.edit(call.uow, call.school, params.course_id, params.unit_id, change)
    return UnitResult(data=UnitData(unit_id=params.unit_id))


def delete_unit(call: CallContext[None], params: DeleteUnit) -> UnitResult:
    """Delete a unit with its activities."""
    units.delete(call.uow, call.school, params.course_id, params.unit_id)
    return UnitResult(data=UnitData(unit_id=params.unit_id))


def move_unit(call: CallContext[None], params: MoveUnit) -> EmptyResult:
    """Move all activities of a unit to another one."""
    units.move(call.uow, call.school, params.course_id, params.unit_id, params.to_unit_id)
    return EmptyResult()
