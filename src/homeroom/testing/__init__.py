"""Homeroom in your own tests: a server in a thread, a clock that you move, and builders.

    from homeroom.testing import run_server

    def test_a_class_can_be_added(tmp_path: Path) -> None:
        with run_server(tmp_path) as server, server.create_school() as school:
            course = school.course()
            lesson = school.lesson(course, className="Fractions")
            server.clock.advance(3600)
            ...

It needs the extra `testing`: pip install "homeroom[testing]".
"""

from homeroom.testing.clock import START, ManualClock
from homeroom.testing.partner import PartnerClient, PartnerReply
from homeroom.testing.sandbox import SandboxClient
from homeroom.testing.school import SchoolBuilder
from homeroom.testing.server import LocalServer, run_server

__all__ = [
    "START",
    "LocalServer",
    "ManualClock",
    "PartnerClient",
    "PartnerReply",
    "SandboxClient",
    "SchoolBuilder",
    "run_server",
]
