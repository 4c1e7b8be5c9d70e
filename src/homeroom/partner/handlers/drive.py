"""Cloud folders: wire to use case and back; ids travel as text here."""

from homeroom.base.ids import FolderId
from homeroom.contract.drive import CreateFolder, GetTopFolderId
from homeroom.domain.webcasts import Hosts
from homeroom.partner.answers import Answer
from homeroom.partner.routes import CallContext
from homeroom.usecases import drive


def known(_hosts: Hosts, folder: FolderId) -> Answer:
    """Answer with the folder that has the name."""
    return Answer(data=str(folder))


def get_top_folder_id(call: CallContext, _asked: GetTopFolderId) -> Answer:
    """Serve getTopFolderId."""
    return Answer(data=str(drive.top(call.uow, call.school)))


def create_folder(call: CallContext, asked: CreateFolder) -> Answer:
    """Serve createFolder."""
    folder = drive.add(call.uow, call.school, asked.folder_id, asked.folder_name)
    return Answer(data=str(folder))
