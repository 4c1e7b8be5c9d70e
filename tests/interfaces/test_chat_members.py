"""The live room of a class, and the students who are taken out of the class."""

from homeroom.base.clock import HOUR
from tests.interfaces.test_chat_hostile import LOG_IN_FIRST, user_ticket
from tests.support.chat import Chatter, Classroom
from tests.support.given import Given
from tests.support.wire import Value


def test_a_student_transferred_out_is_sent_away_from_this_class_only(given: Given) -> None:
    room = Classroom(given)
    times: dict[str, Value] = {"beginTime": given.now + HOUR, "endTime": given.now + 2 * HOUR}
    other = given.seen(given.lesson(room.course, **times, record=1, live=1))
    student = given.member(room.course)
    ticket = user_ticket(room, student)
    here = room.visitor(ticket=ticket)
    there = Chatter(room.url, f"/class/{other.key}", ticket)
    form: dict[str, Value] = {"courseId": room.course, "classId": room.lesson, "identity": 1}
    given.done("delClassStudentMultiple", **form, studentUidJson=[student])
    assert here.read_until_closed() == LOG_IN_FIRST
    there.said("still here")
    assert room.visitor(ticket=ticket).you["kind"] == "visitor"
    room.close()
    there.close()
