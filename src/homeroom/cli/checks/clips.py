"""Clips: rows compared with files."""

from collections.abc import Callable, Iterator
from pathlib import Path

from homeroom.base.text import format_count
from homeroom.cli.checks.result import MAX_EXAMPLES, CheckResult, CheckStatus
from homeroom.domain.clips import Clip
from homeroom.store.local_storage import LocalStorage
from homeroom.store.unit_of_work import Store, UnitOfWork
from homeroom.usecases import clips

PAGE_SIZE = 1000


def check_clips(store: Store, folder: Path) -> Iterator[CheckResult]:
    """Compare the rows of clips with the files, both ways."""
    storage = LocalStorage(folder)
    living: set[str] = set()
    missing: list[str] = []
    sizes = elsewhere = after = 0
    while page := store.read(_clip_page(after)):
        after = page[-1].id
        for clip in page:
            if clip.deleted_at is not None and not clip.is_restorable:
                continue
            if clip.file.storage not in (None, store.storage_id):
                elsewhere += 1
                continue
            living.add(clip.file.path)
            size = storage.size(clip.file.path)
            if size is None:
                missing.append(f"{clip.file.path} is not there")
            elif size != clip.file.size:
                missing.append(f"{clip.file.path} has not {clip.file.size} bytes")
            else:
                sizes += clip.file.size
    if missing:
        text = f"{len(missing)} of {len(living)}: {'; '.join(missing[:MAX_EXAMPLES])}"
        yield CheckResult("clips", CheckStatus.FAIL, text)
    else:
        text = f"{format_count(len(living), 'file')}, {sizes / 10**6:.1f} MB"
        text += f"; {elsewhere} with other servers" if elsewhere else ""
        yield CheckResult("clips", CheckStatus.OK, text)
    lost = sorted(set(storage.list_names("clips")) - living)
    if lost:
        text = format_count(len(lost), "file belongs to no clip", "files belong to no clip")
        text += f", as {'; '.join(lost[:MAX_EXAMPLES])}"
        yield CheckResult("stray files", CheckStatus.WARN, text)


def _clip_page(after: int) -> Callable[[UnitOfWork], list[Clip]]:
    return lambda uow: clips.list_page(uow, after, PAGE_SIZE)
