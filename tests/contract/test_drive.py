"""Cloud folders: one case table an action, and the rules (READINGS Q35, Q70, Q71)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from homeroom.base.clock import HOUR
from homeroom.base.ids import FolderId
from homeroom.contract.action import Action
from homeroom.contract.drive import (
    CREATE_FOLDER,
    DEL_FOLDER,
    GET_CLOUD_LIST,
    GET_FOLDER_LIST,
    GET_TOP_FOLDER_ID,
    RENAME_FOLDER,
)
from homeroom.domain.files import DriveFile
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
from tests.support.readback import ReadBack
from tests.support.tracing import traced
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""
LEVELS: Final = 15


def top(given: Given) -> str:
    """Return the id of the top folder."""
    return str(given.done("getTopFolderId").data)


def create(given: Given, parent: Value, name: str = "Folder") -> Reply:
    """Call createFolder."""
    return given.api.call("createFolder", folderId=parent, folderName=name)


def deepest(given: Given) -> str:
    """Make folders in each other down to the last level."""
    folder = top(given)
    for _ in range(LEVELS):
        folder = given.done("createFolder", folderId=folder, folderName="Folder").data
    return folder


def without_drive(given: Given) -> Reply:
    """Call getTopFolderId where the plan has no cloud drive."""
    given.plan(drive=False)
    return given.api.call("getTopFolderId")


def create_again(given: Given) -> Reply:
    """Call createFolder with a name that is taken there."""
    given.folder("Folder")
    return create(given, top(given), "Folder")


def full(given: Given) -> Given:
    """Let the school have as many folders as it may have."""
    given.folder()
    given.plan(max_folders=1)
    return given


GET_TOP_FOLDER_ID_CASES: Final = (
    Case(1, lambda g: g.api.call("getTopFolderId")),
    *common(GET_TOP_FOLDER_ID),
    Case(106, without_drive),
)

CREATE_FOLDER_CASES: Final = (
    Case(1, lambda g: create(g, top(g))),
    *common(CREATE_FOLDER, folderId=1, folderName="Folder"),
    Case(193, lambda g: create(g, NONE)),
    Case(194, lambda g: create(g, g.other().folder())),
    Case(196, lambda g: create(g, g.locked_folder())),
    Case(206, create_again),
    Case(207, lambda g: create(g, deepest(g))),
    Case(208, lambda g: create(full(g), top(g), "Other")),
)


def rename(given: Given, folder: Value, name: str = "New") -> Reply:
    """Call renameFolder."""
    return given.api.call("renameFolder", folderId=folder, folderName=name)


def delete(given: Given, folder: Value) -> Reply:
    """Call delFolder."""
    return given.api.call("delFolder", folderId=folder)


def rename_to_taken(given: Given) -> Reply:
    """Call renameFolder with the name of the folder beside it."""
    given.folder("Taken")
    return rename(given, given.folder(), "Taken")


def list_levels(given: Given) -> Reply:
    """Call getFolderList where there is a folder."""
    given.folder()
    return given.api.call("getFolderList")


GET_FOLDER_LIST_CASES: Final = (
    Case(1, list_levels),
    *common(GET_FOLDER_LIST),
    Case(106, lambda g: g.api.call("getFolderList")),
)

GET_CLOUD_LIST_CASES: Final = (
    Case(1, lambda g: g.api.call("getCloudList")),
    *common(GET_CLOUD_LIST),
    Case(193, lambda g: g.api.call("getCloudList", folderId=NONE)),
    Case(194, lambda g: g.api.call("getCloudList", folderId=g.other().folder())),
)

RENAME_FOLDER_CASES: Final = (
    Case(1, lambda g: rename(g, g.folder())),
    *common(RENAME_FOLDER, folderId=1, folderName="Folder"),
    Case(193, lambda g: rename(g, NONE)),
    Case(194, lambda g: rename(g, g.other().folder())),
    Case(196, lambda g: rename(g, g.locked_folder())),
    Case(206, rename_to_taken),
)

DEL_FOLDER_CASES: Final = (
    Case(1, lambda g: delete(g, g.folder())),
    *common(DEL_FOLDER, folderId=1),
    Case(193, lambda g: delete(g, NONE)),
    Case(194, lambda g: delete(g, g.other().folder())),
    Case(196, lambda g: delete(g, g.locked_folder())),
)

TABLES: Final = (
    (GET_TOP_FOLDER_ID, GET_TOP_FOLDER_ID_CASES),
    (GET_FOLDER_LIST, GET_FOLDER_LIST_CASES),
    (GET_CLOUD_LIST, GET_CLOUD_LIST_CASES),
    (CREATE_FOLDER, CREATE_FOLDER_CASES),
    (RENAME_FOLDER, RENAME_FOLDER_CASES),
    (DEL_FOLDER, DEL_FOLDER_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", GET_TOP_FOLDER_ID_CASES, ids=str)
def test_get_top_folder_id(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", GET_FOLDER_LIST_CASES, ids=str)
def test_get_folder_list(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", GET_CLOUD_LIST_CASES, ids=str)
def test_get_cloud_list(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", CREATE_FOLDER_CASES, ids=str)
def test_create_folder(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", RENAME_FOLDER_CASES, ids=str)
def test_rename_folder(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DEL_FOLDER_CASES, ids=str)
def test_del_folder(given: Given, case: Case) -> None:
    case.run(given)


def test_a_school_has_one_top_folder_made_at_the_first_call(given: Given) -> None:
    with ThreadPoolExecutor(10) as clients:
        ids = set(clients.map(lambda _: top(given), range(10)))
    assert len(ids) == 1
    assert ids.pop().isdigit()
    assert top(given.other()) != top(given)


def test_a_folder_id_travels_as_text_and_a_name_taken_there_answers_its_folder(
    given: Given,
) -> None:
    root = top(given)
    first = create(given, root, "夹" * 129)
    assert isinstance(first.data, str)
    again = create(given, root, "夹" * 128)
    assert (again.errno, again.data) == (206, first.data)
    assert create(given, int(first.data), "夹" * 128).errno == 1


def test_the_top_folder_is_none_of_the_folders_that_the_plan_counts(given: Given) -> None:
    given.plan(max_folders=2)
    root = top(given)
    numbers = [create(given, root, f"Folder {place}").errno for place in range(3)]
    assert numbers == [1, 1, 208]


def test_folders_made_at_once_keep_the_limit_and_their_names_apart(given: Given) -> None:
    given.plan(max_folders=5)
    root = top(given)
    with ThreadPoolExecutor(10) as clients:
        named = list(clients.map(lambda _: create(given, root), range(10)))
        more = list(clients.map(lambda place: create(given, root, f"Other {place}"), range(10)))
    assert sorted(reply.errno for reply in named) == [1] + [206] * 9
    assert len({reply.data for reply in named}) == 1
    assert sorted(reply.errno for reply in more) == [1] * 4 + [208] * 6


def test_the_drive_is_at_the_cloud_address_only(given: Given) -> None:
    reply = given.api._http.post(  # noqa: SLF001  to an address that `call` does not choose
        "/partner/api/course.api.php", params={"action": "getTopFolderId"}, data=given.api.signed()
    )
    assert reply.json()["error_info"]["errno"] == 100


def test_the_first_two_levels_are_listed_by_id(given: Given) -> None:
    root = top(given)
    assert given.api.call("getFolderList").errno == 106
    first, empty = (create(given, root, name).data for name in ("B", "A"))
    below = [create(given, first, name).data for name in ("Z", "Y")]
    create(given, below[0], "Third level")
    assert given.done("getFolderList").data == {
        first: [
            {"id": below[0], "pid": first, "name": "Z"},
            {"id": below[1], "pid": first, "name": "Y"},
        ],
        empty: [],
    }
    given.plan(drive=False)
    assert given.api.call("getFolderList").errno == 106


@pytest.mark.parametrize("folder", [None, "", "0"])
def test_the_content_of_the_top_folder_is_listed_by_default(
    given: Given, folder: str | None
) -> None:
    fields = {} if folder is None else {"folderId": folder}
    assert given.done("getCloudList", **fields).body == {
        "folder_list": [],
        "file_list": [],
        "error_info": {"errno": 1, "error": "程序正常执行"},
    }
    closed = given.locked_folder()
    opened = given.folder("Open")
    inner = create(given, opened, "Inner").data
    file = given.file(content=b"x" * 1025)
    reply = given.done("getCloudList", **fields)
    assert reply.body["folder_list"] == [
        {"folder_id": str(closed), "folder_name": "Folder", "is_system_folder": 1},
        {"folder_id": str(opened), "folder_name": "Open", "is_system_folder": 0},
    ]
    assert reply.body["file_list"] == [
        {"id": str(file), "file_name": "file.txt", "file_size": "2KB"}
    ]
    listed = given.done("getCloudList", folderId=opened).body
    assert [folder["folder_id"] for folder in listed["folder_list"]] == [inner]
    given.plan(drive=False)
    assert given.api.call("getCloudList", **fields).errno == 193


def test_a_folder_keeps_its_name_or_gets_a_free_one(given: Given) -> None:
    folder, taken = given.folder("Folder"), given.folder("Taken")
    elsewhere = create(given, taken, "Elsewhere").data
    assert rename(given, folder, "Folder").body.keys() == {"error_info"}
    assert rename(given, folder, "Elsewhere").errno == 1
    refused = rename(given, folder, "Taken")
    assert (refused.errno, refused.data) == (206, str(taken))
    assert str(taken) in refused.reason
    assert rename(given, elsewhere, "Taken").errno == 1
    names = [row["folder_name"] for row in given.done("getCloudList").body["folder_list"]]
    assert names == ["Elsewhere", "Taken"]


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a\tb", "a\x7fb"])
@pytest.mark.parametrize("action", ["createFolder", "renameFolder"])
def test_a_name_has_no_slashes_and_no_control_characters(
    given: Given, action: str, name: str
) -> None:
    reply = given.api.call(action, folderId=given.folder(), folderName=name)
    assert reply.errno == 100
    assert reply.reason.startswith("folderName: ")


@pytest.mark.parametrize("act", [rename, delete])
def test_the_top_folder_stays_as_it_is(given: Given, act: Callable[..., Reply]) -> None:
    given.folder()
    reply = act(given, top(given))
    assert reply.errno == 196
    assert "top folder" in reply.reason
    assert len(given.done("getCloudList").body["folder_list"]) == 1


def list_files(given: Given, folder: FolderId) -> list[DriveFile]:
    """Return the files of a folder, as the store has them."""
    return given.store.read(lambda uow: uow.files.list_of_folder(folder))


def test_a_folder_goes_with_all_that_is_in_it_and_its_course_loses_it(given: Given) -> None:
    folder, beside = given.folder(), given.folder("Beside")
    inner = FolderId(int(create(given, folder, "Inner").data))
    kept = given.file(beside)
    for place, name in ((folder, "a.txt"), (inner, "a.txt"), (inner, "b.txt")):
        given.file(place, name=name)
    paths = [row.file.path for place in (folder, inner) for row in list_files(given, place)]
    course = given.course(folderId=inner)
    lesson = given.lesson(course, folderId=folder)
    begun = given.lesson(course, folderId=folder)
    given.until(given.seen(begun).hours.begin + HOUR // 2)
    assert all(given.house.files.size(path) is not None for path in paths)

    assert delete(given, folder).errno == 1

    read = ReadBack(given)
    assert [row["fileId"] for row in read.rows("/files")] == [kept]
    assert [row["folderName"] for row in read.rows("/folders")] == ["Drive", "Beside"]
    assert read.row("/courses", courseId=course)["folderId"] is None
    assert given.seen(lesson).folder is None
    assert given.seen(begun).folder is None
    read.close()
    assert [given.house.files.size(path) for path in paths] == [None] * 3
    assert delete(given, folder).errno == 193
    assert int(given.folder()) > inner, "an id is never used again"


def test_a_closed_folder_inside_keeps_all_of_it(given: Given) -> None:
    folder = given.folder()
    file = given.file(folder)
    inner = FolderId(int(create(given, folder, "Inner").data))
    closed = FolderId(int(create(given, inner, "Closed").data))
    given.store.write(lambda uow: uow.drive.save_writable(closed, writable=False))
    reply = delete(given, folder)
    assert (reply.errno, str(closed) in reply.reason) == (196, True)
    assert [row.id for row in list_files(given, folder)] == [file]
    assert len(given.store.read(lambda uow: uow.drive.list_inside(folder))) == 3


def test_a_folder_is_deleted_in_a_constant_number_of_statements(given: Given) -> None:
    few, many = given.folder("Few"), given.folder("Many")
    for number in range(10):
        inner = FolderId(int(create(given, many, f"Folder {number}").data))
        given.file(inner)
    given.file(few)

    def count(folder: FolderId) -> int:
        with traced(given) as statements:
            assert delete(given, folder).errno == 1
        return len(statements)

    assert count(many) == count(few)
