"""Lines of the security log about the links of teachers."""

from homeroom.domain.lessons import Lesson
from homeroom.web import security_log
from homeroom.web.security_log import SecurityEvent


def report_teacher_link(address: str, act: str, lesson: Lesson | None, reason: str) -> None:
    """Write the use of a teacher's link; without a class, it was refused for the reason."""
    if lesson is None:
        security_log.report(SecurityEvent.TEACHER_LINK_REFUSED, address, act=act, reason=reason)
        return
    security_log.report(
        SecurityEvent.TEACHER_LINK_USED,
        address,
        actor=f"teacher of class {lesson.id}",
        sid=lesson.school,
        act=act,
    )
