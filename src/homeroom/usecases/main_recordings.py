"""Sub classes that use the recording of their main class: what their pages show (READINGS Q85)."""

from collections.abc import Collection

from homeroom.base.ids import LessonId
from homeroom.base.values import replace
from homeroom.domain.lessons import Lesson, RecordingOptions
from homeroom.store.records import PublicLesson
from homeroom.store.unit_of_work import UnitOfWork


def find_sources(uow: UnitOfWork, lessons: Collection[Lesson]) -> dict[LessonId, Lesson]:
    """Return the class whose streams and clips the page of each class shows.

    It is the class itself, or the main class of a sub class that uses its recording.
    """
    mains = {lesson.main for lesson in lessons if lesson.uses_main_recording and lesson.main}
    existing = uow.lessons.get_many(mains) if mains else {}
    return {
        lesson.id: existing[lesson.main]
        if lesson.uses_main_recording and lesson.main in existing
        else lesson
        for lesson in lessons
    }


def adopt_recordings(uow: UnitOfWork, pages: Collection[PublicLesson]) -> list[PublicLesson]:
    """Return pages with the recording options and the watch policy of what they show."""
    sources = find_sources(uow, [page.lesson for page in pages])
    return [_adopt(page, sources[page.lesson.id]) for page in pages]


def _adopt(page: PublicLesson, source: Lesson) -> PublicLesson:
    if source.id == page.lesson.id:
        return page
    recording = source.recording if source.deleted_at is None else RecordingOptions()
    lesson = replace(page.lesson, recording=recording, watch_policy=source.watch_policy)
    return replace(page, lesson=lesson)
