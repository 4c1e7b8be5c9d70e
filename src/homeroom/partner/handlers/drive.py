"""Handlers of cloud folders; their ids travel as text."""

from homeroom.contract.drive import (
    CloudList,
    CreateFolder,
    DelFolder,
    FolderList,
    FolderResult,
    GetCloudList,
    GetFolderList,
    GetTopFolderId,
    ListedFile,
    ListedFolder,
    RenamedFolder,
    SecondLevelFolder,
)
from homeroom.contract.results import EmptyResult
from homeroom.domain.files import format_size
from homeroom.domain.webcasts import Hosts
from homeroom.partner.routes import CallContext
from homeroom.usecases import drive


def describe_existing_folder(_hosts: Hosts, folder: object) -> FolderResult:
    """Return the folder that has the name already."""
    return FolderResult(data=str(folder))


def describe_taken_name(_hosts: Hosts, folder: object) -> RenamedFolder:
    """Return the folder that has the name already."""
    return RenamedFolder(data=str(folder))


def get_top_folder_id(call: CallContext[None], _params: GetTopFolderId) -> FolderResult:
    """Return the top folder of the school's drive."""
    return FolderResult(data=str(drive.get_top_folder(call.uow, call.school)))


def get_folder_list(call: CallContext[None], _params: GetFolderList) -> FolderList:
    """Return the folders of the first two levels."""
    levels = drive.list_levels(call.uow, call.school)
    return FolderList(
        data={
            str(first): [
                SecondLevelFolder(id=str(folder.id), pid=str(first), name=folder.name)
                for folder in below
            ]
            for first, below in levels.items()
        }
    )


def get_cloud_list(call: CallContext[None], params: GetCloudList) -> CloudList:
    """Return the folders and the files in a folder."""
    content = drive.list_content(call.uow, call.school, params.folder_id)
    return CloudList(
        folder_list=[
            ListedFolder(
                folder_id=str(folder.id),
                folder_name=folder.name,
                is_system_folder=int(not folder.is_writable),
            )
            for folder in content.folders
        ],
        file_list=[
            ListedFile(
                id=str(listed.id),
                file_name=listed.file.name,
                file_size=format_size(listed.file.size),
            )
            for listed in content.files
        ],
    )


def create_folder(call: CallContext[None], params: CreateFolder) -> FolderResult:
    """Create a folder and return its id."""
    folder = drive.add(call.uow, call.school, params.folder_id, params.folder_name)
    return FolderResult(data=str(folder))


def rename_folder(call: CallContext[None], params: CreateFolder) -> RenamedFolder:
    """Rename a folder."""
    drive.rename(call.uow, call.school, params.folder_id, params.folder_name)
    return RenamedFolder()


def del_folder(call: CallContext[None], params: DelFolder) -> EmptyResult:
    """Delete a folder with everything in it."""
    drive.delete(call.uow, call.school, params.folder_id)
    return EmptyResult()
