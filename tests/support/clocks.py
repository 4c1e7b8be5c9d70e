"""A data folder of long ago, for servers as processes: their clock is that of the machine."""

from pathlib import Path

from homeroom.base.clock import DAY, Moment, SystemClock
from homeroom.base.ids import LessonId, SchoolId
from homeroom.base.keys import KeyGenerator
from homeroom.base.mp4 import FILE_TYPE_BOX
from homeroom.base.settings import Settings
from homeroom.domain.schools import Plan
from homeroom.folder import open_storage, open_store
from homeroom.store.storage import import_clip
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.testing.clock import ManualClock
from homeroom.usecases import clips, clock, demo
from homeroom.usecases.dependencies import Dependencies


def make_old_class(settings: Settings, days: int) -> tuple[LessonId, Path]:
    """Make a class of some days ago, its clips past their 90 days; return the file of the clip."""
    deps = Dependencies(KeyGenerator(), "pull key", 0)
    with open_store(settings) as store:
        store.clock = ManualClock(SystemClock().now() - days * DAY)
        school = store.write(lambda uow: demo.find_or_create(uow, deps))
        lesson, sid = school.demo.lessons[0], SchoolId(school.school.id)
        store.write(lambda uow: uow.schools.save_plan(sid, Plan(retention_days=90)))
        source = settings.data / "film.mp4"
        source.write_bytes(b"\0\0\0\x08" + FILE_TYPE_BOX + bytes(100))
        storage = open_storage(settings, store)
        file = import_clip(storage, source, KeyGenerator().file_id(), store.clock.now())
        store.write(lambda uow: clips.add(uow, lesson, file))
        return lesson, storage.locate(file.path)


def write_moment(settings: Settings, seconds_ago: int) -> Moment:
    """Save that a server with a right clock last ran some seconds ago, or later if negative."""
    moment = SystemClock().now() - seconds_ago

    def save(uow: UnitOfWork) -> None:
        clock.save_written_at(uow, moment)

    with open_store(settings) as store:
        store.write(save)
    return moment
