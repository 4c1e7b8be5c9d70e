"""Order of the checks of the cloud drive: folders and files."""

from homeroom.base.ids import FolderId
from homeroom.contract.drive import (
    DEL_FOLDER,
    GET_CLOUD_LIST,
    GET_FOLDER_LIST,
    RENAME_FOLDER,
)
from homeroom.contract.files import DEL_FILE, RENAME_FILE, UPLOAD_FILE
from tests.support.given import Given
from tests.support.large_uploads import limited_uploads, upload_raw
from tests.support.orders import STRANGER, Chain, Fields, Mend, Order, caller, declare
from tests.support.wire import Reply

MAX_BYTES = 200_000


def _list_levels(given: Given) -> list[Chain]:
    given.plan(drive=False)
    return [Chain(caller(given, "getFolderList"), {}, {106: {}})]


def _list_folder(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {
        100: {"folderId": STRANGER},
        193: {"folderId": given.other().locked_folder()},
        194: {},
    }
    return [Chain(caller(given, "getCloudList"), {"folderId": "x"}, mends)]


def _closed_and_open(given: Given) -> tuple[FolderId, FolderId]:
    """Return a folder that may not be changed, and another beside it."""
    return given.locked_folder(), given.folder("Open")


def _rename_folder(given: Given) -> list[Chain]:
    closed, opened = _closed_and_open(given)
    given.folder("Taken")
    mends: dict[int, Mend] = {
        100: {"folderName": "Taken"},
        193: {"folderId": given.other().locked_folder()},
        194: {"folderId": closed},
        196: {"folderId": opened},
        206: {},
    }
    wrong: Fields = {"folderId": STRANGER, "folderName": "a/b"}
    return [Chain(caller(given, "renameFolder"), wrong, mends)]


def _delete_folder(given: Given) -> list[Chain]:
    closed, _ = _closed_and_open(given)
    mends: dict[int, Mend] = {
        100: {"folderId": STRANGER},
        193: {"folderId": given.other().locked_folder()},
        194: {"folderId": closed},
        196: {},
    }
    return [Chain(caller(given, "delFolder"), {"folderId": "x"}, mends)]


def _upload(given: Given) -> list[Chain]:
    closed, opened = _closed_and_open(given)
    given.full_storage()

    def upload(*, size: int = 0, is_whole: bool = True, **fields: str | int) -> Reply:
        if not size:
            return given.api.call("uploadFile", **fields)
        with limited_uploads(MAX_BYTES):
            return upload_raw(given, b"x" * size, is_whole=is_whole, **fields)

    def make_room() -> Fields:
        given.plan(storage_mb=0)
        return {}

    mends: dict[int, Mend] = {
        100: {"folderId": STRANGER},
        193: {"folderId": given.other().locked_folder()},
        194: {"folderId": closed},
        196: {"folderId": opened},
        195: {"size": MAX_BYTES + 1},
        211: {"size": MAX_BYTES},
        31000: make_room,
        197: {},
    }
    as_text: Fields = {"folderId": "x", "Filedata": "@file.txt", "is_whole": False}
    too_large: Fields = {"folderId": "x", "size": MAX_BYTES + 1, "is_whole": False}
    return [
        Chain(upload, as_text, mends),
        Chain(upload, too_large, {number: mends[number] for number in (100, 193, 194, 196)}),
    ]


def _rename_file(given: Given) -> list[Chain]:
    given.file(name="taken.txt")
    mends: dict[int, Mend] = {
        100: {"fileName": "taken.txt"},
        198: {"fileId": given.other().file()},
        199: {"fileId": given.file(name="free.txt")},
        200: {},
    }
    wrong: Fields = {"fileId": STRANGER, "fileName": "a\\b"}
    return [Chain(caller(given, "renameFile"), wrong, mends)]


def _delete_file(given: Given) -> list[Chain]:
    mends: dict[int, Mend] = {
        100: {"fileId": STRANGER},
        198: {"fileId": given.other().file()},
        199: {},
    }
    return [Chain(caller(given, "delFile"), {"fileId": "x"}, mends)]


declare(GET_FOLDER_LIST, Order(_list_levels, apart={100: "it has no parameters of its own"}))
declare(GET_CLOUD_LIST, Order(_list_folder))
declare(RENAME_FOLDER, Order(_rename_folder))
declare(DEL_FOLDER, Order(_delete_folder))
declare(UPLOAD_FILE, Order(_upload))
declare(RENAME_FILE, Order(_rename_file))
declare(DEL_FILE, Order(_delete_file))
