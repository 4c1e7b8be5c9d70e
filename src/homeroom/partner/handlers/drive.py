"""Handlers of cloud folders; their ids travel as text."""

from homeroom.contract.drive import CreateFolder, FolderResult, GetTopFolderId
from homeroom.domain.webcasts import Hosts
from homeroom.partner.routes import CallContext
from homeroom.usecases import drive


def describe_existing_folder(_hosts: Hosts, folder: object) -> FolderResult:
    """Return the folder that has the name already."""
    return FolderResult(data=str(folder))


def get_top_folder_id(call: CallContext[None], _params: GetTopFolderId) -> FolderResult:
    """Return the top folder of the school's drive."""
    return FolderResult(data=str(drive.get_top_folder(call.uow, call.school)))


def create_folder(call: CallContext[None], params: CreateFolder) -> FolderResult:
    """Create a folder and return its id."""
    folder = drive.add(call.uow, call.school, params.folder_id, params.folder_name)
    return FolderResult(data=str(folder))
