"""The command that signs calls: what it prints is good for curl, on both wires."""

import json
import re
import subprocess
from collections.abc import Iterator
from urllib.parse import parse_qsl

import httpx
import pytest

from tests.support.operator import School, refused, run_json
from tests.support.process import Process

pytestmark = pytest.mark.e2e


@pytest.fixture
def school(server: Process) -> Iterator[School]:
    school = School(server)
    yield school
    school.api.close()


def test_a_signature_made_by_the_command_is_good_for_a_call(
    server: Process, school: School
) -> None:
    signed = server.cli("sign", "--sid", str(school.sid)).strip()

    answer = httpx.post(
        f"{server.url}/partner/api/course.api.php?action=addCourse",
        content=f"{signed}&courseName=Signed",
        headers={"content-type": "application/x-www-form-urlencoded"},
        trust_env=False,
    )

    assert re.fullmatch(r"SID=\d+&safeKey=[0-9a-f]{32}&timeStamp=\d+", signed)
    assert answer.json()["error_info"]["errno"] == 1
    assert (
        run_json(server, "sign", "--sid", str(school.sid)).keys() == dict(parse_qsl(signed)).keys()
    )


def test_a_signed_body_made_by_the_command_is_good_for_curl(
    server: Process, school: School
) -> None:
    course = school.done("addCourse", courseName="Signed")
    body = f'{{"courseId": {course}, "name": "a \\"b\\" 单元", "publishFlag": 0}}'
    options = server.cli("sign", "--sid", str(school.sid), "--body", body)
    command = ["curl", "-sS", "--noproxy", "*", "-K", "-", f"{server.url}/lms/unit/create"]
    answer = subprocess.run(
        command,
        input=options,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    result = json.loads(answer)
    assert (result["code"], result["data"]["name"]) == (1, 'a "b" 单元')
    signed = run_json(server, "sign", "--sid", str(school.sid), "--body", body)
    assert signed.keys() == {"headers", "body"}
    assert "no JSON object" in refused(server, "sign", "--sid", str(school.sid), "--body", "[1]")
