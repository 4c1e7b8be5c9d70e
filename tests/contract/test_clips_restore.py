"""What an operator restores: clips that the retention or deleteClassVideo deleted."""

import json
from pathlib import Path

import pytest
from sqlalchemy import null, update

from homeroom.base.clock import DAY
from homeroom.base.ids import SchoolId
from homeroom.domain.clips import Clip
from homeroom.domain.refusal import OperatorError
from homeroom.domain.retention import GRACE_SECONDS
from homeroom.store import tables
from homeroom.usecases import clips
from tests.contract.test_clips_retention import sweep
from tests.support.engine import until
from tests.support.given import Given
from tests.support.process import CommandFailed, typed


def path_of(given: Given, clip: Clip) -> Path:
    return given.house.files.locate(clip.file.path)


def seen(given: Given, clip: Clip) -> Clip:
    return given.store.read(lambda uow: clips.get_by_file_id(uow, clip.file.file_id))


def restore(given: Given, *deleted: Clip) -> None:
    given.store.write(lambda uow: clips.restore(uow, [seen(given, clip) for clip in deleted]))


def swept_clip(given: Given) -> Clip:
    """Make a clip and let the retention delete it."""
    given.plan(retention_days=1)
    clip = given.clip(given.held_lesson())
    given.clock.advance(DAY)
    sweep(given)
    assert seen(given, clip).is_restorable
    return clip


def test_a_clip_that_was_swept_is_restored_and_its_days_begin_again(given: Given) -> None:
    clip = swept_clip(given)
    given.clock.advance(GRACE_SECONDS - 1)

    restore(given, clip)

    assert seen(given, clip).deleted_at is None
    given.clock.advance(DAY - 1)
    sweep(given)
    assert seen(given, clip).deleted_at is None
    given.clock.advance(1)
    sweep(given)
    assert seen(given, clip).is_restorable
    assert path_of(given, clip).exists()


def test_after_a_week_the_file_is_erased_and_nothing_restores_it(given: Given) -> None:
    clip = swept_clip(given)
    given.clock.advance(GRACE_SECONDS)
    sweep(given)
    until(lambda: not path_of(given, clip).exists())
    with pytest.raises(OperatorError, match="its file is erased"):
        restore(given, clip)


def test_a_deleted_clip_is_gone_at_once_unless_the_plan_says_otherwise(given: Given) -> None:
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    given.done("deleteClassVideo", classId=lesson, fileId=clip.file.file_id)
    assert not path_of(given, clip).exists()
    with pytest.raises(OperatorError, match="its file is erased"):
        restore(given, clip)


@pytest.mark.parametrize("names_file", [True, False])
def test_a_deleted_clip_is_restored_within_the_days_of_the_plan(
    given: Given, *, names_file: bool
) -> None:
    """The partner sees no difference: the same answers, and the quota is free."""
    given.plan(undelete_days=3)
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    file = {"fileId": clip.file.file_id} if names_file else {}
    given.done("deleteClassVideo", classId=lesson, **file)
    assert given.api.call("deleteClassVideo", classId=lesson, fileId=clip.file.file_id).errno == 634
    assert given.api.call("deleteClassVideo", classId=lesson).errno == 632
    sid = SchoolId(given.school.id)
    assert given.store.read(lambda uow: uow.schools.sum_stored_bytes(sid)) == 0
    given.clock.advance(3 * DAY - 1)
    sweep(given)

    restore(given, clip)
    given.done("deleteClassVideo", classId=lesson, **file)

    given.clock.advance(3 * DAY)
    assert path_of(given, clip).exists()
    sweep(given)
    until(lambda: not path_of(given, clip).exists())


def test_a_clip_that_was_deleted_while_unfinished_is_finished_and_restored(given: Given) -> None:
    """The worker that rewrites its file does not take it for one that belongs to no clip."""
    given.plan(undelete_days=1)
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    given.done("deleteClassVideo", classId=lesson)
    assert given.store.write(lambda uow: clips.finish(uow, clip.id, 1, 2, "hash"))
    restore(given, clip)
    assert seen(given, clip).file.sha256 == "hash"
    given.plan(undelete_days=0)
    given.done("deleteClassVideo", classId=lesson)
    assert not given.store.write(lambda uow: clips.finish(uow, clip.id, 1, 2, "hash"))


def test_an_empty_school_leaves_no_file_that_could_be_restored(given: Given) -> None:
    clip = swept_clip(given)
    with given.house.sandbox as sandbox:
        sandbox.reset(given.school.id)
    until(lambda: not path_of(given, clip).exists())


def test_an_operator_chooses_by_file_class_or_time(given: Given) -> None:
    first, second, third = (swept_clip(given) for _ in range(3))
    since = str(seen(given, third).swept_at)
    where = ["--data", str(given.house.files.folder)]
    if given.house.engine == "postgresql":
        where += ["--database", str(given.house.services.settings.database)]

    def run(*args: str) -> set[str]:
        return {row["fileId"] for row in json.loads(typed("clip", *args, "--json", *where))}

    assert run("restore", first.file.file_id) == {first.file.file_id}
    assert run("restore", "--class", str(second.lesson)) == {second.file.file_id}
    assert third.file.file_id in run("restore", "--swept-since", since)
    assert run("restore", "--class", str(third.lesson)) == set()
    for args, reason in (
        (["restore"], "name clips by their fileId, or choose them by an option"),
        (["restore", first.file.file_id, "--class", "1"], "or choose them by an option"),
        (["restore", first.file.file_id], "is not deleted"),
        (["restore", "unknown"], "no clip has the fileId unknown"),
    ):
        with pytest.raises(CommandFailed, match=reason):
            run(*args)
    sweep(given)


def test_an_operator_erases_a_deleted_clip_at_once(given: Given) -> None:
    clip = swept_clip(given)
    given.store.write(lambda uow: clips.purge(uow, [seen(given, clip)]))
    until(lambda: not path_of(given, clip).exists())
    assert not seen(given, clip).is_restorable


def test_a_clip_of_an_unknown_storage_is_erased_wherever_it_is(given: Given) -> None:
    """A row of an earlier version: a job for each storage, and this one does its own at once."""
    lesson = given.held_lesson()
    clip = given.clip(lesson)
    given.write(update(tables.clips).where(tables.clips.c.id == clip.id).values(storage_id=null()))
    given.store.write(lambda uow: uow.storages.add("elsewhere", "host:/other", uow.now))

    given.done("deleteClassVideo", classId=lesson)

    assert not path_of(given, clip).exists()
    assert given.store.write(lambda uow: uow.jobs.delete_of_storage("elsewhere")) == 1
    given.store.write(lambda uow: uow.storages.delete("elsewhere"))
