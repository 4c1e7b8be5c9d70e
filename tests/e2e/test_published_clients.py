"""The clients that schools already run, unmodified, each from its own environment, against us."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from PIL import Image

from tests.support.installs import install_python, installed

pytestmark = [pytest.mark.e2e, pytest.mark.clients]

HERE = Path(__file__).parent
# The scripts let a class begin in ten minutes and last thirty; it is over twenty minutes later.
UNTIL_BEGIN, LENGTH, OVERTIME = 600, 1800, 1200
# Nothing of our own environment (proxies, PYTHONPATH) reaches a client.
PLAIN = {"PATH": os.defpath, "LANG": "C.UTF-8", "NO_PROXY": "*"}

PEOPLE = [
    ("register teacher", 1),
    ("add teacher", 1),
    ("register co-teacher", 1),
    ("register free teacher", 1),
    ("register students", 1),
    ("add student", 1),
    ("add second student", 1),
]
COURSE = [("add course", 1), ("add course student", 1), ("add course auditors", 1)]
SCHOOL_LABEL = ("add school label", 1)
COURSE_LABEL = ("label course", 1)
CLASS = [
    ("add class", 1),
    ("add class again", 398),
    ("remove students", 1),
    ("remove auditors", 1),
    ("stop busy teacher", 317),
    ("stop free teacher", 1),
]
AFTERWARDS = [("delete video", 1), ("stop teacher after class", 1)]
# Steps that answer for each entry of a list, beside the one errno on top.
BATCHES = {
    "register students",
    "add course auditors",
    "label course",
    "remove students",
    "remove auditors",
}


class Server(Protocol):
    """Facts about the running server that these tests need."""

    url: str
    sid: int
    secret: str

    def cli(self, *args: str) -> str: ...

    def advance(self, seconds: int) -> object: ...


@dataclass(frozen=True)
class Client:
    """A published client, the script that drives it, and how its journey is to go."""

    requirement: str
    script: str
    number: int  # keeps its people apart from those of the others
    school: list[tuple[str, int]]
    pictures: bool = False

    @property
    def name(self) -> str:
        return self.requirement.replace("==", "-")


WITHOUT_LABELS = [*PEOPLE, *COURSE, *CLASS]
WITH_SCHOOL_LABELS = [*PEOPLE, *COURSE, SCHOOL_LABEL, *CLASS]
WITH_LABELS = [*PEOPLE, *COURSE, SCHOOL_LABEL, COURSE_LABEL, *CLASS]
CLIENTS = [
    Client("eeo==2.0.0", "journey_eeo.py", 1, WITH_LABELS, pictures=True),
    Client("eeo==1.0.9", "journey_eeo.py", 2, WITHOUT_LABELS),
    Client("eeo-py-sdk==0.2.0", "journey_eeo.py", 3, WITH_LABELS),
    Client("classin==0.1.1", "journey_classin.py", 4, WITH_SCHOOL_LABELS),
]


@dataclass(frozen=True)
class Journey:
    """The steps a script took, in order, and what each was answered."""

    steps: list[tuple[str, int, Any]]

    @property
    def errnos(self) -> list[tuple[str, int]]:
        return [(step, errno) for step, errno, _ in self.steps]

    @property
    def data(self) -> dict[str, Any]:
        return {step: data for step, _, data in self.steps}

    @property
    def refused_entries(self) -> list[tuple[str, Any]]:
        batches = [(step, data) for step, _, data in self.steps if step in BATCHES]
        return [(step, entry) for step, data in batches for entry in data if entry["errno"] != 1]


def environment(client: Client) -> Path:
    """Install a client once into an environment of its own and name that environment's Python."""
    with installed(client.name) as (home, is_missing):
        if is_missing:
            install_python(client.name, home, client.requirement)
    return home / "bin" / "python"


def run(client: Client, phase: str, facts: dict[str, object]) -> Journey:
    """Run one phase of a client's journey."""
    steps = run_script(client, client.script, phase, facts)
    return Journey([(step, errno, data) for step, errno, data in steps])


def run_script(client: Client, script: str, phase: str, facts: dict[str, object]) -> Any:  # noqa: ANN401  any JSON
    """Run a script by the Python of a client, and return what it printed."""
    done = subprocess.run(
        [str(environment(client)), str(HERE / "clients" / script), phase],
        input=json.dumps(facts),
        capture_output=True,
        text=True,
        check=False,
        env=PLAIN,
        timeout=120,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def now(server: Server) -> int:
    """Read the server's own time: begin and end of a class depend on it."""
    return int(httpx.get(f"{server.url}/sandbox/clock", trust_env=False).json()["now"])


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_a_published_client_runs_its_journey(
    server: Server, client: Client, tmp_path: Path
) -> None:
    picture = tmp_path / "头像.png"
    Image.new("RGB", (300, 300), "teal").save(picture)
    recording = tmp_path / "lesson.mp4"
    recording.write_bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(4096))
    facts: dict[str, object] = {
        "url": server.url,
        "sid": server.sid,
        "secret": server.secret,
        "now": now(server),
        "phones": [f"1770000{client.number}{place:03}" for place in range(5)],
        "email": f"student{client.number}@example.com",
        "identity": f"journey-{client.number}",
        "picture": str(picture) if client.pictures else None,
        "known": {},
    }

    school = run(client, "school", facts)

    assert school.errnos == client.school
    assert school.refused_entries == []
    assert school.data["add class again"] == school.data["add class"]
    if COURSE_LABEL in client.school:
        (labelled,) = school.data["label course"]
        assert labelled["courseId"] == school.data["add course"]  # spelled as this client does
        assert labelled["customColumn"] == "一"

    server.advance(UNTIL_BEGIN + LENGTH + OVERTIME + 60)
    server.cli("clip", "add", str(school.data["add class"]), str(recording), "--json")
    known = {"class": school.data["add class"], "teacher": school.data["register teacher"]}
    video = run(client, "video", facts | {"known": known})

    assert video.errnos == AFTERWARDS
