"""State of a class, as its page and its live room send it."""

from collections.abc import Callable, Mapping

import msgspec

from homeroom.base.clock import Moment
from homeroom.base.stream_problems import StreamProblem
from homeroom.domain.chat import ChatEntry, ChatState
from homeroom.domain.lessons import Lesson
from homeroom.domain.lifecycle import Phase
from homeroom.domain.streams import StreamFacts, StreamKind, has_stream, stream_name
from homeroom.player.protocol import ChatMessage
from homeroom.player.views import TeacherView, View, choose_teacher_view, choose_view
from homeroom.usecases.page_content import PageContent

Facts = Callable[[str], StreamFacts | None]
"""Returns the latest report of the media engine on a stream, None if it does not run."""
VIEWER_PROBLEMS = frozenset(
    {
        StreamProblem.PICTURE_MISSING,
        StreamProblem.SOUND_MISSING,
        StreamProblem.KEYFRAMES_MISSING,
        StreamProblem.HEADERS_MISSING,
        StreamProblem.FRAMES_DAMAGED,
    }
)
"""Problems that keep something from viewers; the others concern only who teaches or operates."""
THOUSAND = 1000


class Sources(msgspec.Struct, frozen=True):
    """URLs of a stream for playback."""

    flv: str
    hls: str


class ShownClip(msgspec.Struct, frozen=True):
    """A clip for playback; `started` in Unix seconds, its length in seconds."""

    id: str
    kind: StreamKind
    started: Moment
    seconds: float | None
    url: str


class State(msgspec.Struct, frozen=True, kw_only=True, tag_field="t", tag="state"):
    """State of a class; times in Unix seconds."""

    now: Moment
    begins: Moment
    ends: Moment
    opens: Moment
    closes: Moment
    phase: Phase
    view: View | TeacherView
    """The view that the page shows."""
    live: bool
    replay: bool
    on_air: list[StreamKind]
    problems: Mapping[StreamKind, list[StreamProblem]]
    """What is wrong with a stream on the air, if the media engine measures it."""
    sources: Mapping[StreamKind, Sources]
    clips: list[ShownClip]
    paused: bool
    pinned: ChatMessage | None


def state(
    lesson: Lesson,
    content: PageContent,
    standing: ChatState,
    now: Moment,
    facts: Facts,
    *,
    to_teacher: bool = False,
) -> State:
    """Return the state of a class, from what the store and the media engine know of it."""
    source = content.source
    running = {
        kind: facts(stream_name(source.key, kind))
        for kind in StreamKind
        if has_stream(source, kind)
    }
    on_air = [
        kind
        for kind, stream in running.items()
        if kind in content.running_elsewhere or stream is not None
    ]
    problems = {
        kind: sorted(set(stream.problems) if to_teacher else VIEWER_PROBLEMS & set(stream.problems))
        for kind, stream in running.items()
        if stream is not None
    }
    # What the store said may be a second old: the class may have ended since.
    streams = {} if lesson.is_over(now) else content.streams
    has_clips = bool(content.clips)
    view: View | TeacherView
    if to_teacher:
        view = choose_teacher_view(lesson, now, has_clips=has_clips)
    else:
        view = choose_view(
            lesson,
            now,
            is_on_air=any(kind in streams for kind in on_air),
            was_on_air=content.was_on_air,
            allows_replay=content.allows_replay,
            has_clips=has_clips,
        )
    return State(
        now=now,
        begins=lesson.hours.begin,
        ends=lesson.hours.end,
        opens=content.opens_at,
        closes=content.closes_at,
        phase=lesson.phase(now),
        view=view,
        live=lesson.recording.record and lesson.recording.live,
        replay=content.allows_replay,
        on_air=on_air,
        problems={kind: listed for kind, listed in problems.items() if listed},
        sources={kind: Sources(urls.flv, urls.hls) for kind, urls in streams.items()},
        clips=[
            ShownClip(
                clip.file.file_id,
                clip.file.kind,
                clip.file.started_at,
                clip.file.duration_ms / THOUSAND if clip.file.duration_ms is not None else None,
                url,
            )
            for clip, url in content.clips
        ],
        paused=standing.is_paused,
        pinned=message(standing.pinned) if standing.pinned is not None else None,
    )


def message(entry: ChatEntry) -> ChatMessage:
    """Return a message as everybody sees it."""
    new = entry.new
    return ChatMessage(
        entry.id,
        new.author.viewer,
        new.author.name,
        new.author.role,
        new.text,
        entry.sent_at,
        new.nonce,
    )
