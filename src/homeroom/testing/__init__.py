"""Homeroom in your own tests: a server in a thread, a clock that you move, and builders.

    from homeroom.testing import ThreadedServer

    def test_a_class_can_be_added() -> None:
        with ThreadedServer() as server, server.school() as school:
            course = school.course()
            lesson = school.lesson(course, className="Fractions")
            server.clock.advance(3600)
            ...

It needs the extra `testing`: pip install "homeroom[testing]".
"""

from homeroom.testing.clock import START, ManualClock
from homeroom.testing.inbox import Inbox
from homeroom.testing.partner import PartnerClient, PartnerReply
from homeroom.testing.receiver import Receiver
from homeroom.testing.sandbox import SandboxClient
from homeroom.testing.school import SchoolBuilder
from homeroom.testing.server import ThreadedServer

__all__ = [
    "START",
    "Inbox",
    "ManualClock",
    "PartnerClient",
    "PartnerReply",
    "Receiver",
    "SandboxClient",
    "SchoolBuilder",
    "ThreadedServer",
]
