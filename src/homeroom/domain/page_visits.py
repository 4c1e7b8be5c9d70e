"""Visits of the pages of classes: one from the opening of a page to its end (READINGS Q96)."""

from typing import NamedTuple

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId
from homeroom.base.values import Value


class VisitKey(NamedTuple):
    """The name of a visit: the page chooses a text, so that it can come back to its visit."""

    lesson: LessonId
    text: str


class PageVisit(Value, frozen=True):
    """A visit of the page of a class, as its message describes it."""

    key: VisitKey
    is_replay: bool
    """Whether the class was over when the page was opened."""
    client_type: int
    started_at: Moment
    address: str
    """Empty unless the plan of the school lets messages carry addresses."""
    account: str
    nickname: str
