"""Seats, resolution and cameras of a class on the wire."""

from typing import Annotated

from homeroom.base.ids import CourseId, LessonId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import CHANGEABLE_COURSE
from homeroom.contract.errno import Errno
from homeroom.contract.lessons import DUAL_CAMERA, HD, SEATS, V1_LESSON
from homeroom.contract.params import ID, ParamError, Params
from homeroom.contract.results import EmptyResult


class ModifyClassSeatNum(Params, frozen=True, kw_only=True):
    """The parameters of modifyClassSeatNum; what is not sent stays as it is (READINGS Q67)."""

    course_id: Annotated[CourseId, ID]
    class_id: Annotated[LessonId, ID]
    seat_num: Annotated[int | None, SEATS] = None
    is_hd: Annotated[int | None, HD] = None
    is_dc: Annotated[int | None, DUAL_CAMERA] = None

    def validate(self) -> None:
        """Ask for seats or a resolution."""
        if self.seat_num is None and self.is_hd is None:
            raise ParamError("seatNum", "send seatNum, isHd, or both")


MODIFY_CLASS_SEAT_NUM = Action(
    name="modifyClassSeatNum",
    title="Change the stage size or the picture quality of a class",
    params=ModifyClassSeatNum,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        *CHANGEABLE_COURSE,
        *V1_LESSON,
        Check(Errno.LESSON_IS_OVER, "the class is over"),
        Check(Errno.LESSON_IS_RUNNING, "the class is running, its 20 minutes of overtime included"),
        Check(Errno.SEATS_FROZEN, "the class begins within 20 minutes"),
        Check(Errno.SEATS_INVALID, "seatNum is no number, or is below zero"),
        Check(Errno.TOO_MANY_SEATS, "the class would have more seats than the plan allows"),
        Check(
            Errno.NO_DUAL_CAMERA_HERE,
            "the class would have two cameras, and it has not one seat or is in a smart classroom",
        ),
        Check(
            Errno.SEATS_FORBID_HD,
            "the class would have HD or full HD, and neither one seat nor six",
        ),
        Check(
            Errno.DUAL_CAMERA_NOT_IN_PLAN,
            "the class would have a second camera, which the plan does not have",
        ),
        Check(Errno.RESOLUTION_NOT_IN_PLAN, "the resolution would be higher than the plan allows"),
    ),
    faults=(Errno.FAILED, Errno.SEATS_NOT_CHANGED, Errno.RESOLUTION_NOT_CHANGED),
)
