"""Handlers of sub-accounts."""

from homeroom.contract.results import EmptyResult
from homeroom.contract.sub_accounts import DeleteSubSchoolAccount
from homeroom.partner.routes import CallContext
from homeroom.usecases import schools


def delete_sub_school_account(
    call: CallContext[None], params: DeleteSubSchoolAccount
) -> EmptyResult:
    """Remove a sub-account; the user keeps every other role."""
    schools.remove_sub_account(call.uow, call.school, params.uid)
    return EmptyResult()
