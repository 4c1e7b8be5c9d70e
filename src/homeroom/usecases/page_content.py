"""Content of the public pages of classes: what each audience may watch and replay."""

from collections.abc import Collection, Iterable, Mapping
from enum import IntEnum

from homeroom.base.clock import Moment
from homeroom.base.ids import CourseId, LessonId, UserId
from homeroom.base.values import Value, replace
from homeroom.domain.accounts import parse_account_name
from homeroom.domain.clips import CLIP_URL_SECONDS, Clip, sign_clip_url
from homeroom.domain.lessons import Lesson
from homeroom.domain.lifecycle import Phase
from homeroom.domain.refusal import Refusal
from homeroom.domain.streams import StreamKind, has_stream, sign_page_pull, stream_name
from homeroom.domain.viewers import Ticket, ViewerKind
from homeroom.domain.webcasts import Hosts, StreamAddresses, build_pull_addresses
from homeroom.store.records import PublicLesson
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases.dependencies import Dependencies
from homeroom.usecases.main_recordings import find_sources


class Audience(IntEnum):
    """Those who see the same of a class."""

    VIEWERS = 0
    NEW_STUDENTS = 1
    """Viewers known as students who joined the course after the class was over (READINGS Q86)."""
    TEACHERS = 2


class PageContent(Value, frozen=True):
    """The content of a class page at a moment, without the facts of the media engine."""

    source: Lesson
    """The class whose streams and clips are shown: itself, or its main class."""
    phase: Phase
    opens_at: Moment
    closes_at: Moment
    streams: Mapping[StreamKind, StreamAddresses]
    running_elsewhere: frozenset[StreamKind]
    """Streams that run at an external media engine, which cannot be queried."""
    was_on_air: bool
    """True if anything was published since the start; known while the class runs."""
    allows_replay: bool
    """The recording is, or will be, shown after the class."""
    clips: list[tuple[Clip, str]]
    """Each with its URL."""


Contents = tuple[PageContent, PageContent, PageContent]
"""The content for each audience, by its number."""


def get_content(
    uow: UnitOfWork,
    deps: Dependencies,
    hosts: Hosts,
    page: PublicLesson,
    audience: Audience = Audience.VIEWERS,
) -> PageContent:
    """Return the content of a class now; for teachers also what is not shown to others."""
    return get_contents(uow, deps, hosts, [page])[page.lesson.id][audience]


def get_contents(
    uow: UnitOfWork, deps: Dependencies, hosts: Hosts, pages: Collection[PublicLesson]
) -> dict[LessonId, Contents]:
    """Return the content of several classes now, for each audience."""
    now = uow.now
    sources = find_sources(uow, [page.lesson for page in pages])
    streamed = {source.id: source for source in sources.values()}
    elsewhere = uow.publish_sessions.find_running_external(streamed)
    clips = uow.clips.find_available(_list_replayed(streamed.values(), now))
    running = [source.id for source in streamed.values() if source.phase(now) is Phase.RUNNING]
    broadcast = uow.publish_sessions.find_broadcast(running)
    contents = {}
    for page in pages:
        lesson, source = page.lesson, sources[page.lesson.id]
        is_over = lesson.is_over(now)
        full = PageContent(
            source,
            lesson.phase(now),
            lesson.lifecycle.opens_at,
            lesson.lifecycle.closes_at,
            _build_streams(source, deps, hosts, now) if not is_over else {},
            frozenset(elsewhere.get(source.id, ())),
            source.id in broadcast,
            lesson.recording.effective().replay,
            [
                (
                    clip,
                    sign_clip_url(
                        hosts.pages, clip.file.file_id, now + CLIP_URL_SECONDS, deps.clip_key
                    ),
                )
                for clip in (clips.get(source.id, ()) if is_over else ())
            ],
        )
        public = replace(full, streams=full.streams if lesson.recording.live else {})
        if not (lesson.recording.replay and page.conf.allows_replay):
            public = _without_replay(public)
        shows_to_new = page.conf.allows_replay_to_new_students
        contents[lesson.id] = (public, public if shows_to_new else _without_replay(public), full)
    return contents


def _without_replay(content: PageContent) -> PageContent:
    return replace(content, allows_replay=False, clips=[])


def _build_streams(
    lesson: Lesson, deps: Dependencies, hosts: Hosts, now: Moment
) -> dict[StreamKind, StreamAddresses]:
    if lesson.is_over(now) or now < lesson.lifecycle.opens_at:
        return {}
    return {
        kind: _page_addresses(lesson, kind, deps, hosts)
        for kind in StreamKind
        if has_stream(lesson, kind)
    }


def _page_addresses(
    lesson: Lesson, kind: StreamKind, deps: Dependencies, hosts: Hosts
) -> StreamAddresses:
    """Return pull addresses for a page; they expire when the class closes."""
    name = stream_name(lesson.key, kind)
    return build_pull_addresses(name, sign_page_pull(lesson, kind, deps.pull_key), hosts)


def find_replayable(
    uow: UnitOfWork, pages: Collection[PublicLesson], ticket: Ticket | None
) -> set[LessonId]:
    """Return the classes of a course that are over and have a clip that a viewer may see."""
    replayed = [page for page in pages if page.conf.allows_replay and page.lesson.is_over(uow.now)]
    sources = find_sources(uow, [page.lesson for page in replayed])
    clips = uow.clips.find_available(_list_replayed(sources.values(), uow.now))
    hides_some = not all(page.conf.allows_replay_to_new_students for page in replayed)
    joined_at = _find_join_time(uow, replayed[0].lesson.course, ticket) if hides_some else None
    return {
        page.lesson.id
        for page in replayed
        if sources[page.lesson.id].id in clips
        and (joined_at is None or joined_at < page.lesson.lifecycle.closes_at)
    }


def _list_replayed(sources: Iterable[Lesson], now: Moment) -> list[LessonId]:
    """Return those of some classes that are over: their clips are replayed."""
    return [source.id for source in sources if source.is_over(now)]


def choose_audience(uow: UnitOfWork, page: PublicLesson, ticket: Ticket | None) -> Audience:
    """Return the audience of a viewer; unknown viewers see what the watch policy allows."""
    lesson = page.lesson
    if page.conf.allows_replay_to_new_students or not lesson.is_over(uow.now):
        return Audience.VIEWERS
    joined_at = _find_join_time(uow, lesson.course, ticket)
    is_new = joined_at is not None and joined_at >= lesson.lifecycle.closes_at
    return Audience.NEW_STUDENTS if is_new else Audience.VIEWERS


def _find_join_time(uow: UnitOfWork, course: CourseId, ticket: Ticket | None) -> Moment | None:
    """Return when a viewer joined a course as a student; None for others and unknown viewers."""
    user = _find_user(uow, ticket) if ticket is not None else None
    return uow.rosters.get_join_time(course, user) if user is not None else None


def _find_user(uow: UnitOfWork, ticket: Ticket) -> UserId | None:
    """Return the account that a viewer logged in with, or that a link of the school names."""
    match ticket.kind:
        case ViewerKind.USER:
            return UserId(int(ticket.subject))
        case ViewerKind.LINK:
            try:
                name = parse_account_name(ticket.subject).value
            except Refusal:
                return None
            user = uow.accounts.find_by_names([name]).get(name)
            return user.id if user is not None else None
        case ViewerKind.VISITOR:
            return None
