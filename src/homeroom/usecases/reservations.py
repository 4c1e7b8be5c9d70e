"""Reservations: viewers who want to be reminded of a class before it starts (Q96).

The school reminds them: it has their telephone numbers or accounts from the messages.
"""

from homeroom.base.ids import ViewerId
from homeroom.domain.lessons import Lesson
from homeroom.store.unit_of_work import UnitOfWork
from homeroom.usecases import viewer_messages


def takes_reservations(uow: UnitOfWork, lesson: Lesson) -> bool:
    """Tell whether viewers can book a reminder of a class now: a message must reach the school."""
    return (
        lesson.recording.effective().live
        and uow.now < lesson.hours.begin
        and lesson.deleted_at is None
        and uow.wants_messages(lesson.school)
    )


def reserve(uow: UnitOfWork, lesson: Lesson, viewer: ViewerId, account: str) -> bool:
    """Save that a viewer wants to be reminded of a class; False if the class takes none now.

    Again for the same viewer changes nothing, and sends nothing.
    """
    if not takes_reservations(uow, lesson):
        return False
    if uow.viewers.reserve(lesson.id, viewer, uow.now):
        viewer_messages.emit_reservation(uow, lesson, account)
    return True
