"""Handlers of links into a class."""

from homeroom.contract.entry_links import IOS, EntryLink, GetLoginLinked
from homeroom.domain.accounts import AccountName
from homeroom.domain.webcasts import build_client_link, build_entry_url
from homeroom.partner.handlers.accounts import parse_legacy_telephone
from homeroom.partner.routes import CallContext
from homeroom.store.storage import Storage
from homeroom.usecases import entry


def prepare_user(_storage: Storage, params: GetLoginLinked) -> AccountName | None:
    """Parse the telephone number where no UID was sent."""
    return parse_legacy_telephone(params)


def get_login_linked(call: CallContext[AccountName | None], params: GetLoginLinked) -> EntryLink:
    """Return the link of a user into a class; it holds no ticket, the user logs in."""
    class_entry = entry.get_entry(
        call.uow, call.school, params.uid, call.prepared, params.course_id, params.class_id
    )
    if class_entry.is_masked:
        call.reasons.append(
            f"the school has not named the account of UID {params.uid}: its telephone number is "
            "masked; send telephone to get the whole link"
        )
    build = build_entry_url if params.device_type == IOS else build_client_link
    return EntryLink(data=build(class_entry.lesson, class_entry.telephone, call.hosts))
