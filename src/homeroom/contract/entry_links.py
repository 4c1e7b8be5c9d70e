"""Links into a class on the wire."""

from typing import Annotated

from msgspec import Meta

from homeroom.base.ids import CourseId, LessonId
from homeroom.contract.accounts import TELEPHONE_CHECK, UserParams
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.checks import COURSE_KIND, LESSON_OF_COURSE, OWN_COURSE
from homeroom.contract.errno import Errno
from homeroom.contract.params import ID, TEXT, ParamType, read_choice_or_default
from homeroom.contract.results import Result

DESKTOP, IOS, ANDROID = 1, 2, 3
DEVICE = ParamType(
    read_choice_or_default(DESKTOP, DESKTOP, IOS, ANDROID),
    "1 Windows and macOS, 2 iOS, 3 Android; anything else is 1",
)


class GetLoginLinked(UserParams, frozen=True, kw_only=True):
    """The parameters of getLoginLinked (READINGS Q73)."""

    course_id: Annotated[CourseId, ID]
    class_id: Annotated[LessonId, ID]
    device_type: Annotated[int, DEVICE] = DESKTOP
    life_time: Annotated[str | None, ParamType(TEXT.read, "accepted, and without effect")] = None


class EntryLink(Result, frozen=True, kw_only=True):
    """Result of getLoginLinked."""

    data: Annotated[
        str,
        Meta(
            description="The link; its telephone number is masked, as 139****0001, where the user "
            "is named by UID and the school neither registered nor named the account."
        ),
    ]


GET_LOGIN_LINKED = Action(
    name="getLoginLinked",
    title="Get a link that opens a class",
    params=GetLoginLinked,
    result=EntryLink,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(
        TELEPHONE_CHECK,
        OWN_COURSE,
        *LESSON_OF_COURSE,
        COURSE_KIND,
        Check(Errno.LESSON_IS_OVER, "the class is over, its 20 minutes of overtime included"),
        Check(
            Errno.NOT_OF_LESSON,
            "the user is neither a teacher, co-teacher, student, guest or auditor of the class nor "
            "the school account or a sub-account, or does not exist",
        ),
        Check(Errno.USER_CANCELLED, "the account was cancelled"),
        Check(Errno.NEEDS_TELEPHONE, "the account has an e-mail address only"),
    ),
)
