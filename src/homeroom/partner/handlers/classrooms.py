"""Handler of the seats, resolution and cameras of a class."""

from homeroom.contract.classrooms import ModifyClassSeatNum
from homeroom.contract.lessons import SECOND_CAMERA
from homeroom.contract.results import EmptyResult
from homeroom.domain.lessons import SeatsChange
from homeroom.partner.routes import CallContext
from homeroom.usecases import classrooms


def modify_class_seat_num(call: CallContext[None], params: ModifyClassSeatNum) -> EmptyResult:
    """Change the seats, the resolution and the second camera of a class."""
    change = SeatsChange(
        seats=params.seat_num,
        resolution=params.is_hd,
        has_two_cameras=params.is_dc == SECOND_CAMERA if params.is_dc is not None else None,
    )
    classrooms.change(call.uow, call.school, params.course_id, params.class_id, change)
    return EmptyResult()
