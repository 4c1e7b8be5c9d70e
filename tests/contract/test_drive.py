"""Cloud folders: one case table an action, and the rules (READINGS Q35)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest

from homeroom.contract.action import Action
from homeroom.contract.drive import CREATE_FOLDER, GET_TOP_FOLDER_ID
from tests.support.cases import Case, check_table, common
from tests.support.given import Given
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

TABLES: Final = (
    (GET_TOP_FOLDER_ID, GET_TOP_FOLDER_ID_CASES),
    (CREATE_FOLDER, CREATE_FOLDER_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda one: getattr(one, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", GET_TOP_FOLDER_ID_CASES, ids=str)
def test_get_top_folder_id(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", CREATE_FOLDER_CASES, ids=str)
def test_create_folder(given: Given, case: Case) -> None:
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
