"""Storages: data folders with ids, and the files that a new or a moved one has."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import null, update

from homeroom.async_store import AsyncStore
from homeroom.base.settings import Settings
from homeroom.domain.clips import Clip
from homeroom.domain.jobs import AdoptFiles
from homeroom.folder import STORAGE_ID_FILE, open_storage, open_store
from homeroom.jobs.files import FileJobs
from homeroom.store.local_storage import LocalStorage
from homeroom.store.statement import Statement
from homeroom.store.tables import clips as clip_rows
from homeroom.store.unit_of_work import Store
from homeroom.usecases import storages
from tests.support.postgres import Postgres
from tests.support.recordings import Recorded


class Folder:
    """A data folder that is open, with its own view of the database."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.storage: LocalStorage = open_storage(settings, store)

    def adopt(self) -> None:
        """Run the job of a storage that is new to the database."""

        async def main() -> None:
            await FileJobs(AsyncStore(self.store), self.storage).adopt_files(AdoptFiles())

        asyncio.run(main())


class Folders:
    """Data folders of one database; with SQLite there is one."""

    def __init__(self, root: Path, database: str | None, opened: ExitStack) -> None:
        self._root = root
        self._database = database
        self._opened = opened

    def open(self, name: str) -> Folder:
        settings = Settings(
            data=self._root / name,
            database=self._database,
            key_file=self._root / "shared.key",
        )
        return Folder(self._opened.enter_context(open_store(settings)), settings)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.pg)])
def folders(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folders]:
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").fresh()
    with ExitStack() as opened:
        yield Folders(tmp_path, database, opened)


@pytest.fixture
def shared(postgres: Postgres, tmp_path: Path) -> Iterator[Folders]:
    """Return folders of one PostgreSQL database."""
    with ExitStack() as opened:
        yield Folders(tmp_path, postgres.fresh(), opened)


def forget_where(store: Store) -> None:
    """Let it be unknown where all files are, as in rows of an earlier version."""
    statement = Statement(update(clip_rows).values(storage_id=null()))
    store.write(lambda uow: uow.clips._tx.execute(statement, {}))  # noqa: SLF001  no use case does that


def storage_of(folder: Folder, clip: Clip) -> str | None:
    found = folder.store.read(lambda uow: uow.clips.find_by_file_id(clip.file.file_id))
    assert found is not None
    return found.file.storage


def test_a_folder_keeps_its_id(folders: Folders) -> None:
    first, again = folders.open("a"), folders.open("a")
    assert first.storage.id == again.storage.id == again.store.storage_id
    (record,) = first.store.read(lambda uow: uow.storages.list_all())
    assert (record.id, record.name.endswith("/a")) == (first.storage.id, True)
    assert len(record.id) == 16


def test_two_folders_of_one_database_have_two_ids(shared: Folders) -> None:
    ids = {shared.open(name).storage.id for name in ("a", "b", "a")}
    assert len(ids) == 2


def test_the_database_of_a_folder_brings_its_id_along(tmp_path: Path) -> None:
    """SQLite: a backup is restored into an empty folder, and its clips are still here."""
    with open_store(Settings(data=tmp_path / "old")) as store:
        storage_id = open_storage(Settings(data=tmp_path / "old"), store).id
    (tmp_path / "old").rename(tmp_path / "new")
    assert not (tmp_path / "new" / STORAGE_ID_FILE).exists()
    with open_store(Settings(data=tmp_path / "new")) as store:
        assert open_storage(Settings(data=tmp_path / "new"), store).id == storage_id


def test_a_new_storage_takes_over_its_files_and_erases_what_was_left(folders: Folders) -> None:
    """Case O16: files that an earlier version took for erased, as another server had them."""
    folder = folders.open("a")
    recorded = Recorded(folder.store, folder.settings.data)
    live, deleted, restorable, elsewhere = (recorded.clip() for _ in range(4))
    folder.store.write(lambda uow: uow.clips.delete([deleted], uow.now))
    folder.store.write(lambda uow: uow.clips.delete([restorable], uow.now, erase_after=uow.now))
    folder.storage.erase(elsewhere.file.path)
    stray = folder.storage.locate("clips/xx/stray.mp4")
    stray.parent.mkdir()
    stray.write_bytes(b"of no clip")
    forget_where(folder.store)

    folder.adopt()

    storage_id = folder.storage.id
    assert storage_of(folder, live) == storage_of(folder, restorable) == storage_id
    assert storage_of(folder, elsewhere) is None
    exists = [recorded.path(clip).exists() for clip in (live, deleted, restorable)]
    assert exists == [True, False, True]
    assert stray.exists()


def test_each_storage_looks_once_for_files_that_are_not_placed(shared: Folders) -> None:
    first = shared.open("a")
    clip = Recorded(first.store, first.settings.data).clip()
    second = shared.open("b")
    waiting = second.store.read(storages.list_storages)
    assert {state.is_here: state.jobs for state in waiting} == {False: 0, True: 1}
    second.adopt()
    assert storage_of(second, clip) is None
    first.adopt()
    assert storage_of(second, clip) == first.storage.id


def test_a_recording_is_finished_where_its_file_is(shared: Folders) -> None:
    """A server without the file would try, and fail, until it is deleted."""
    first, second = shared.open("a"), shared.open("b")
    clip = Recorded(first.store, first.settings.data).clip()
    first.adopt()

    def find(folder: Folder) -> Clip | None:
        return folder.store.read(lambda uow: uow.clips.find_unfinished(0, uow.storage))

    found = find(first)
    assert found is not None
    assert found.id == clip.id
    assert find(second) is None
