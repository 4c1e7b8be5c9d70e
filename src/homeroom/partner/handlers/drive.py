"""Cloud folders: wire to use case and back; ids travel as text here."""

from homeroom.base.ids import FolderId
from homeroom.contract.drive import CreateFolder, GetTopFolderId
from homeroom.domain.webcasts import Hosts
from homeroom.partner.response import PartnerResponse
from homeroom.partner.routes import CallContext
from homeroom.usecases import drive


def describe_existing_folder(_hosts: Hosts, folder: FolderId) -> PartnerResponse:
    """Answer with the folder that has the name."""
    return PartnerResponse(data=str(folder))


def get_top_folder_id(call: CallContext, _params: GetTopFolderId) -> PartnerResponse:
    """Serve getTopFolderId."""
    return PartnerResponse(data=str(drive.get_top_folder(call.uow, call.school)))


def create_folder(call: CallContext, params: CreateFolder) -> PartnerResponse:
    """Serve createFolder."""
    folder = drive.add(call.uow, call.school, params.folder_id, params.folder_name)
    return PartnerResponse(data=str(folder))
