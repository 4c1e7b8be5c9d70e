"""Files of the cloud drive: one case table an action, and the rules (READINGS Q70, Q71)."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest
from sqlalchemy import func, select

from homeroom.base.clock import HOUR
from homeroom.base.ids import FileId, FolderId
from homeroom.contract.action import Action
from homeroom.contract.files import DEL_FILE, RENAME_FILE, UPLOAD_FILE
from homeroom.domain.files import DriveFile
from homeroom.store.local_storage import LocalStorage
from homeroom.store.tables import jobs
from homeroom.usecases.accounts import MEGABYTE
from tests.support.cases import Case, check_table, common
from tests.support.engine import until
from tests.support.given import Given
from tests.support.large_uploads import END, limited_uploads, upload_form, upload_raw
from tests.support.pictures import png
from tests.support.raw import MULTIPART, answer, connected, head, multipart, sent
from tests.support.readback import ReadBack
from tests.support.wire import Reply, Value

NONE: Final = 10**9
"""An id that nothing has."""
CLOUD: Final = "/partner/api/cloud.api.php?action=uploadFile"
MAX_BYTES: Final = 200_000
ANNOUNCED: Final = 400_000_000


def upload(given: Given, folder: Value, content: bytes = b"content", name: str = "a.txt") -> Reply:
    """Call uploadFile."""
    return given.api.upload("uploadFile", content, name, folderId=folder)


def top(given: Given) -> str:
    """Return the id of the top folder."""
    return str(given.done("getTopFolderId").data)


def rename(given: Given, file: Value, name: str = "new.txt") -> Reply:
    """Call renameFile."""
    return given.api.call("renameFile", fileId=file, fileName=name)


def delete(given: Given, file: Value) -> Reply:
    """Call delFile."""
    return given.api.call("delFile", fileId=file)


def upload_too_much(given: Given) -> Reply:
    """Call uploadFile with more than a file may have."""
    with limited_uploads(MAX_BYTES):
        return upload_raw(given, b"x" * (MAX_BYTES + 1), folderId=top(given))


def rename_to_taken(given: Given) -> Reply:
    """Call renameFile with the name of the file beside it."""
    given.file(name="taken.txt")
    return rename(given, given.file(), "taken.txt")


UPLOAD_FILE_CASES: Final = (
    Case(1, lambda g: upload(g, top(g))),
    *common(UPLOAD_FILE, folderId=1),
    Case(193, lambda g: upload(g, NONE)),
    Case(194, lambda g: upload(g, g.other().folder())),
    Case(196, lambda g: upload(g, g.locked_folder())),
    Case(195, lambda g: g.api.call("uploadFile", folderId=top(g), Filedata="@~/a.txt")),
    Case(211, upload_too_much),
    Case(31000, lambda g: upload(g.full_storage(), top(g))),
    Case(197, lambda g: upload_raw(g, b"x" * 500_000, is_whole=False, folderId=top(g))),
)

RENAME_FILE_CASES: Final = (
    Case(1, lambda g: rename(g, g.file())),
    *common(RENAME_FILE, fileId=1, fileName="a.txt"),
    Case(198, lambda g: rename(g, NONE)),
    Case(199, lambda g: rename(g, g.other().file())),
    Case(200, rename_to_taken),
)

DEL_FILE_CASES: Final = (
    Case(1, lambda g: delete(g, g.file())),
    *common(DEL_FILE, fileId=1),
    Case(198, lambda g: delete(g, NONE)),
    Case(199, lambda g: delete(g, g.other().file())),
)

TABLES: Final = (
    (UPLOAD_FILE, UPLOAD_FILE_CASES),
    (RENAME_FILE, RENAME_FILE_CASES),
    (DEL_FILE, DEL_FILE_CASES),
)


@pytest.mark.parametrize(("action", "cases"), TABLES, ids=lambda row: getattr(row, "name", ""))
def test_a_table_has_every_number_of_its_action(
    action: Action[Any, Any], cases: tuple[Case, ...]
) -> None:
    check_table(action, cases)


@pytest.mark.parametrize("case", UPLOAD_FILE_CASES, ids=str)
def test_upload_file(given: Given, case: Case) -> None:
    case.run(given)
    kept = given.store.read(lambda uow: uow.files.list_of_folder(FolderId(int(top(given)))))
    assert len(kept) == (case.errno == 1)


@pytest.mark.parametrize("case", RENAME_FILE_CASES, ids=str)
def test_rename_file(given: Given, case: Case) -> None:
    case.run(given)


@pytest.mark.parametrize("case", DEL_FILE_CASES, ids=str)
def test_del_file(given: Given, case: Case) -> None:
    case.run(given)


def stored(given: Given, file: FileId) -> DriveFile:
    """Return a file as the store keeps it."""
    row = given.store.read(lambda uow: uow.files.get(file))
    assert row is not None
    return row


def names(given: Given, folder: Value) -> list[str]:
    """Return the names of the files of a folder."""
    listed = given.done("getCloudList", folderId=folder).body["file_list"]
    return [file["file_name"] for file in listed]


@pytest.mark.parametrize("size", [1, 5000, 3_000_000])
def test_a_file_is_stored_listed_and_served(given: Given, size: int) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    folder = given.folder()
    reply = upload(given, folder, content, "课件.bin")
    assert isinstance(reply.data, str)

    read = ReadBack(given)
    row = read.row("/files")
    url = row.pop("url")
    assert row == {
        "SID": given.school.id,
        "fileId": int(reply.data),
        "folderId": folder,
        "fileName": "课件.bin",
        "size": size,
        "sha256": hashlib.sha256(content).hexdigest(),
        "createdTime": given.now,
    }
    assert read.row("/files", fileId=reply.data)["folderId"] == folder
    assert read.row("/files", folderId=folder, fileName=".BIN")["size"] == size
    assert read.rows("/files", folderId=int(top(given))) == []
    assert read.rows("/files", fileName="other") == []
    read.close()
    whole = httpx.get(url)
    assert (whole.status_code, whole.content) == (200, content)
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-disposition"] == (
        "attachment; filename*=utf-8''%E8%AF%BE%E4%BB%B6.bin"
    )
    part = httpx.get(url, headers={"range": "bytes=0-0"})
    assert (part.status_code, part.content) == (206, content[:1])


SHOWN: Final = {
    "png": (png(), "image/png"),
    "pdf": (b"%PDF-1.7\n", "application/pdf"),
    "html": (b"<script>alert(1)</script>", None),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
    "png.html": (b"\x89PNG\r\n<script>", None),
}


@pytest.mark.parametrize(("content", "kind"), SHOWN.values(), ids=SHOWN)
def test_a_browser_shows_only_what_runs_nothing(
    given: Given, content: bytes, kind: str | None
) -> None:
    given.file(content=content, name="file")
    read = ReadBack(given)
    reply = httpx.get(read.row("/files")["url"])
    read.close()
    assert reply.content == content
    assert reply.headers["content-type"] == (kind or "application/octet-stream")
    how = "inline" if kind else "attachment"
    assert reply.headers["content-disposition"] == f'{how}; filename="file"'
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_an_address_serves_its_file_for_six_hours(given: Given) -> None:
    first, second = given.file(content=b"first"), given.file(content=b"second")
    read = ReadBack(given)
    url = read.row("/files", fileId=first)["url"]
    read.close()
    assert httpx.get(url).content == b"first"
    assert httpx.get(url.replace(f"/files/{first}?", f"/files/{second}?")).status_code == 403
    assert delete(given, first).errno == 1
    assert httpx.get(url).status_code == 404
    given.clock.advance(6 * HOUR)
    assert httpx.get(url).status_code == 403


def test_a_name_in_use_gets_a_number(given: Given) -> None:
    folder, long = given.folder(), "名" * 130
    for name in ("plan.pdf", "plan.pdf", "plan (3).pdf", "plan.pdf", "plan.pdf", "plan"):
        assert upload(given, folder, name=name).errno == 1
    assert names(given, folder) == [
        *("plan.pdf", "plan (2).pdf", "plan (3).pdf", "plan (4).pdf", "plan (5).pdf", "plan")
    ]
    other = given.folder("Other")
    for _ in range(2):
        assert upload(given, other, name=f"{long}.pdf").errno == 1
    assert names(given, other) == [f"{'名' * 124}.pdf", f"{'名' * 120} (2).pdf"]


@pytest.mark.parametrize("name", ["a\\b.txt", "a\tb.txt"])
def test_a_name_has_no_slashes_and_no_control_characters(given: Given, name: str) -> None:
    file = given.file()
    reply = rename(given, file, name)
    assert (reply.errno, reply.reason.partition(":")[0]) == (100, "fileName")
    form = multipart(given.api.signed(folderId=top(given)), file=b"x")
    form = form.replace("图.png".encode(), b"a/b.txt")
    reply = sent(given.house.url, form, CLOUD, content_type=MULTIPART)
    assert (reply.errno, reply.reason.partition(":")[0]) == (100, "Filedata.filename")


def test_a_file_keeps_its_name_or_gets_a_free_one(given: Given) -> None:
    file, _ = given.file(name="a.txt"), given.file(name="b.txt")
    given.file(given.folder(), name="c.txt")
    assert rename(given, file, "a.txt").errno == 1
    assert rename(given, file, "b.txt").errno == 200
    assert rename(given, file, "c.txt").errno == 1
    assert rename(given, file, "x" * 130).errno == 1
    assert names(given, top(given)) == ["x" * 128, "b.txt"]


def test_a_deleted_file_has_no_bytes(given: Given) -> None:
    file = given.file()
    path = stored(given, file).file.path
    assert given.house.files.size(path) == len(b"content")
    assert delete(given, file).errno == 1
    assert given.house.files.size(path) is None
    assert delete(given, file).errno == 198
    assert int(given.file()) > file, "an id is never used again"


def test_files_and_recordings_share_the_storage_of_the_plan(given: Given) -> None:
    given.plan(storage_mb=2)
    half = b"x" * MEGABYTE
    file = given.file(content=half)
    assert upload(given, top(given), half + b"x").errno == 31000
    given.clip(given.held_lesson(), half)
    full = upload(given, top(given), b"x")
    assert (full.errno, full.reason) == (31000, "the file has 1 bytes, and 0 bytes are left")
    delete(given, file)
    assert upload(given, top(given), half).errno == 1
    begin = given.now + HOUR
    times = {"beginTime": begin, "endTime": begin + HOUR}
    reply = given.api.call("addCourseClass", **given.lesson_form(given.course(), record=1, **times))
    assert reply.errno == 281, "no room for a recording"


@pytest.mark.parametrize("content", [b"", None])
def test_an_empty_file_and_one_without_a_name_are_none(given: Given, content: bytes | None) -> None:
    folder = top(given)
    if content is None:
        form = upload_form(given.api.signed(folderId=folder), b"x")
        form = form.replace("图.png".encode(), b"")
        reply = sent(given.house.url, form, CLOUD, content_type=MULTIPART)
    else:
        reply = upload(given, folder, content)
    assert reply.errno == 195


# --- the body ------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", ["SID", "safeKey", "timeStamp", "folderId"])
@pytest.mark.parametrize("named", ["in the query", "behind the file"])
def test_what_proves_the_caller_and_the_folder_come_before_the_file(
    given: Given, late: str, named: str
) -> None:
    early = given.api.signed(folderId=top(given))
    behind = {late: early.pop(late)}
    target = CLOUD
    if named == "behind the file":
        target, behind["action"] = CLOUD.partition("?")[0], "uploadFile"
    form = upload_form(early, b"x", is_whole=False) + b"\r\n" + multipart(behind)
    reply = sent(given.house.url, form, target, content_type=MULTIPART)
    assert (reply.errno, reply.reason) == (100, f"{late}: must come before the file")


def test_a_folder_that_takes_no_file_is_refused_before_the_file_is_sent(given: Given) -> None:
    form = given.api.signed(folderId=given.locked_folder())
    begin = upload_form(form, b"", is_whole=False)
    with connected(given.house.url) as peer:
        peer.sendall(head(CLOUD, ANNOUNCED, content_type=MULTIPART) + begin)
        assert answer(peer).errno == 196


def test_wrong_credentials_are_refused_before_the_file_is_sent(given: Given) -> None:
    form = {**given.api.signed(folderId=top(given)), "safeKey": "0" * 32}
    begin = upload_form(form, b"", is_whole=False)
    with connected(given.house.url) as peer:
        peer.sendall(head(CLOUD, ANNOUNCED, content_type=MULTIPART) + begin)
        assert answer(peer).errno == 102


def test_a_body_that_is_far_too_large_is_answered_without_its_end(given: Given) -> None:
    begin = upload_form(given.api.signed(folderId=top(given)), b"", is_whole=False)
    with limited_uploads(MAX_BYTES), connected(given.house.url) as peer:
        peer.sendall(head(CLOUD, ANNOUNCED, content_type=MULTIPART) + begin)
        peer.sendall(b"x" * (2 * MAX_BYTES + 1))
        reply = answer(peer)
    assert (reply.status, reply.errno) == (200, 211)
    assert given.house.services.scratch.used_bytes == 0


def test_only_uploads_to_the_drive_may_be_larger_than_forms(given: Given) -> None:
    form = given.api.signed(courseName="Course")
    begin = upload_form(form, b"", is_whole=False)
    with connected(given.house.url) as peer:
        target = CLOUD.replace("cloud.api.php?action=uploadFile", "course.api.php?action=addCourse")
        peer.sendall(head(target, ANNOUNCED, content_type=MULTIPART) + begin)
        assert answer(peer).status == 413


def test_text_behind_the_file_counts(given: Given) -> None:
    early = given.api.signed(folderId=given.folder())
    form = upload_form(early, b"x", is_whole=False) + b"\r\n" + multipart({"folderId": top(given)})
    assert sent(given.house.url, form, CLOUD, content_type=MULTIPART).errno == 1
    assert names(given, top(given)) == ["图.png"]
    assert form.endswith(END[2:])


def test_uploads_at_once_keep_their_names_and_the_plan(given: Given) -> None:
    folder = given.folder()
    given.plan(storage_mb=1)
    content = b"x" * (MEGABYTE // 4)
    with ThreadPoolExecutor(8) as clients:
        replies = list(clients.map(lambda _: upload(given, folder, content, "a.txt"), range(8)))
    assert sorted(reply.errno for reply in replies) == [1] * 4 + [31000] * 4
    assert sorted(names(given, folder)) == ["a (2).txt", "a (3).txt", "a (4).txt", "a.txt"]


# --- the storage ---------------------------------------------------------------------------------


def list_stored(files: LocalStorage) -> set[str]:
    """Return the names of what the storage has of drives."""
    return set(files.list_names("files"))


def count_jobs(given: Given) -> int:
    """Return the number of jobs of the school."""
    query = select(func.count()).select_from(jobs).where(jobs.c.school_id == given.school.id)
    return int(given.rows(query)[0][0])


def test_an_upload_whose_server_fails_before_the_commit_leaves_nothing(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, before = top(given), list_stored(given.house.files)

    def fail(*_args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("homeroom.store.files.Files.add", fail)
    form = upload_form(given.api.signed(folderId=folder), b"x" * 300_000)
    assert sent(given.house.url, form, CLOUD, content_type=MULTIPART).errno == 104
    monkeypatch.undo()
    kept = given.file()
    path = stored(given, kept).file.path
    assert len(list_stored(given.house.files) - before) == 2
    given.clock.advance(HOUR)
    until(lambda: list_stored(given.house.files) - before == {path})
    until(lambda: count_jobs(given) == 0)
    assert list_stored(given.house.files) - before == {path}


def test_an_upload_that_is_refused_once_it_is_stored_leaves_nothing(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, files = given.folder(), given.house.files
    before, put = list_stored(files), files.put

    def put_and_delete_folder(name: str, content: Any) -> int:  # noqa: ANN401  a binary stream
        size = put(name, content)
        given.done("delFolder", folderId=folder)
        return size

    monkeypatch.setattr(files, "put", put_and_delete_folder)
    assert upload(given, folder).errno == 193
    until(lambda: list_stored(files) == before)
