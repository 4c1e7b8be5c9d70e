"""Sub-accounts of a school on the wire."""

from typing import Annotated

from homeroom.base.ids import UserId
from homeroom.contract.action import Action, APIPath, Check, V1Form
from homeroom.contract.errno import Errno
from homeroom.contract.params import ID, Params
from homeroom.contract.results import EmptyResult


class DeleteSubSchoolAccount(Params, frozen=True, kw_only=True):
    """The parameters of deleteSubSchoolAccount."""

    uid: Annotated[UserId, ID.with_names("UID")]


DELETE_SUB_SCHOOL_ACCOUNT = Action(
    name="deleteSubSchoolAccount",
    title="Delete a school sub-account",
    params=DeleteSubSchoolAccount,
    result=EmptyResult,
    bindings=(V1Form(APIPath.COURSE),),
    checks=(Check(Errno.NO_SUCH_SUB_ACCOUNT, "the user is no sub-account of the school"),),
    faults=(Errno.FAILED,),
)
