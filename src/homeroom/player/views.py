"""Views of a class on its pages. The server chooses one; templates and scripts switch on it."""

from enum import StrEnum

from homeroom.base.clock import Moment
from homeroom.domain.lessons import Lesson
from homeroom.domain.lifecycle import Phase

CLIP_WAIT_SECONDS = 90
"""After this long without a clip there will be none: the last recording is finished sooner."""


class View(StrEnum):
    """The views of the live page."""

    LOCKED = "locked"
    """The viewer has to log in first."""
    COUNTDOWN = "countdown"
    SOON = "soon"
    """The class has begun, and nothing was on the air yet."""
    PICTURE = "picture"
    AWAY = "away"
    """The class was on the air and is not at the moment."""
    REPLAY_LATER = "replay_later"
    """Not shown live, but there will be a replay."""
    NOT_SHOWN = "not_shown"
    """Neither shown live nor replayed: recorded for the school only, or not recorded."""
    OVER = "over"
    REPLAY_SOON = "replay_soon"
    """The replay is being made."""
    REPLAY = "replay"


class TeacherView(StrEnum):
    """The views of the teacher's page."""

    BEFORE = "before"
    OPEN_EARLY = "open_early"
    RUNNING = "running"
    OVERTIME = "overtime"
    CLIPS = "clips"
    CLIPS_SOON = "clips_soon"
    NO_CLIPS = "no_clips"
    DELETED = "deleted"


class CourseView(StrEnum):
    """State of a class in the list of a course page."""

    COMING = "coming"
    RUNNING = "running"
    REPLAY = "replay"
    """Over, with a clip to play."""
    OVER = "over"


def choose_view(
    lesson: Lesson,
    now: Moment,
    *,
    is_on_air: bool,
    was_on_air: bool,
    allows_replay: bool,
    has_clips: bool,
) -> View:
    """Return the view of the live page for a viewer who may watch."""
    if lesson.deleted_at is not None:
        return View.OVER
    if lesson.is_over(now):
        is_waiting = allows_replay and _may_still_get_clips(lesson, now)
        view = View.REPLAY_SOON if is_waiting else View.OVER
        return View.REPLAY if has_clips else view
    if not lesson.recording.effective().live:
        return View.REPLAY_LATER if allows_replay else View.NOT_SHOWN
    if is_on_air:
        return View.PICTURE
    view = View.AWAY if was_on_air else View.SOON
    return View.COUNTDOWN if now < lesson.hours.begin else view


def choose_teacher_view(lesson: Lesson, now: Moment, *, has_clips: bool) -> TeacherView:
    """Return the view of the teacher's page."""
    if lesson.deleted_at is not None:
        return TeacherView.DELETED
    match lesson.phase(now):
        case Phase.BEFORE:
            return TeacherView.BEFORE
        case Phase.OPEN_EARLY:
            return TeacherView.OPEN_EARLY
        case Phase.RUNNING:
            return TeacherView.RUNNING if now < lesson.hours.end else TeacherView.OVERTIME
        case Phase.OVER | Phase.CLOSED_EARLY:
            if has_clips:
                return TeacherView.CLIPS
            is_waiting = _may_still_get_clips(lesson, now)
            return TeacherView.CLIPS_SOON if is_waiting else TeacherView.NO_CLIPS


def choose_course_view(lesson: Lesson, now: Moment, *, has_clips: bool) -> CourseView:
    """Return how the page of a course lists a class; a clip counts if viewers may see it."""
    if lesson.is_over(now):
        is_replayed = has_clips and lesson.recording.effective().replay
        return CourseView.REPLAY if is_replayed else CourseView.OVER
    return CourseView.RUNNING if now >= lesson.hours.begin else CourseView.COMING


def _may_still_get_clips(lesson: Lesson, now: Moment) -> bool:
    return now < lesson.lifecycle.closes_at + CLIP_WAIT_SECONDS
