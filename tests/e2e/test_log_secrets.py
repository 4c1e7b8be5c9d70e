"""Secrets: none that a server knows is in its log at the level debug, after all it does."""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from homeroom.base.clock import HOUR, SystemClock
from homeroom.base.keys import md5_hex
from homeroom.base.settings import Settings
from homeroom.folder import open_store
from homeroom.usecases import schools, secrets
from tests.support.chat import Chatter
from tests.support.process import CommandFailed, Process, typed
from tests.support.wire import Partner

pytestmark = pytest.mark.e2e
PASSWORD: Final = "correct-horse-7"
WRONG_PASSWORD: Final = "wrong-staple-9"
TELEPHONE: Final = "13912345678"
GUEST: Final = "13987654321"
EMAIL: Final = "zhang.san@example.org"
DEBUG: Final = {
    "HOMEROOM_LOG_LEVEL": "debug",
    "HOMEROOM_MEDIA": "external",
    "HOMEROOM_RTMP_URL": "rtmp://127.0.0.1",
    "HOMEROOM_MEDIA_URL": "http://127.0.0.1:1",
}


class Attempt:
    """A server that gets one request of each sort, and the secrets that were used with it."""

    def __init__(self, server: Process) -> None:
        self.server = server
        self.secrets: set[str] = {PASSWORD, WRONG_PASSWORD, TELEPHONE, GUEST, EMAIL, server.secret}
        self.api = Partner(server.url, server.sid, server.secret, SystemClock())
        self.http = httpx.Client(base_url=server.url, timeout=30, trust_env=False)

    def call(self, action: str, **fields: Any) -> Any:  # noqa: ANN401  each action has its own data
        """Make a call that must succeed."""
        reply = self.api.call(action, **fields)
        assert reply.errno == 1, (action, reply.body, reply.reason)
        return reply.body.get("data")

    def close(self) -> None:
        """Close the connections."""
        self.http.close()
        self.api.close()

    def run(self, *words: str) -> str:
        """Run a command on the data of the server."""
        return typed(*words, *self.server.where)

    def use_partner_api(self) -> int:
        """Register, sign rightly and wrongly, send nonsense; return a class."""
        student = self.call("register", telephone=TELEPHONE, password=PASSWORD, addToSchoolMember=1)
        users = [{"telephone": "13912345679", "password": PASSWORD}]
        self.api.call("registerMultiple", userJson=json.dumps(users))
        self.api.call("register", email=EMAIL, md5pass=md5_hex(PASSWORD), password=PASSWORD)
        teacher = self.call(
            "register", telephone="13912345670", password=PASSWORD, addToSchoolMember=2
        )
        course = self.call("addCourse", courseName="Course")
        begin = SystemClock().now() + HOUR
        lesson = int(
            self.call(
                "addCourseClass", courseId=course, className="Class", beginTime=begin,
                endTime=begin + HOUR, teacherUid=teacher, record=1, live=1, replay=1,
            )
        )  # fmt: skip
        self.call("addCourseStudent", courseId=course, identity=1, studentUid=student,
                  studentName="x")  # fmt: skip
        signed = self.api.signed()
        self.secrets.add(signed["safeKey"])
        wrong = md5_hex("guess")
        self.secrets.add(wrong)
        path = "/partner/api/course.api.php"
        for form in (
            {**signed, "safeKey": wrong},
            {**signed, "SID": "4999999"},
            {**signed, "userJson": "{", "password": PASSWORD},
        ):
            self.http.post(f"{path}?action=register&{urlencode(form)}", data=form)
            self.http.post(f"{path}?action=nothing", data=form)
            self.http.post(f"{path}?action=register", content=urlencode(form).encode() + b"&%ff=%")
        return lesson

    def use_pages(self, lesson: int) -> None:
        """Log in, come as a guest, by a link, as the teacher; rightly and wrongly."""
        stream = json.loads(self.run("stream", str(lesson), "--json"))
        link = self.run("link", str(lesson), "--account", "ann", "--nickname", "Ann").strip()
        token = stream["teach_url"].rpartition("/")[2]
        query = parse_qs(urlsplit(link).query)
        key = query["lessonKey"][0]
        self.secrets |= {token, query["checkCode"][0]}
        for address in (stream["push_url"], stream["rtmp_url"]):
            self.secrets.add(parse_qs(urlsplit(address).query)["txSecret"][0])
        for password in (PASSWORD, WRONG_PASSWORD):
            form = {"account": TELEPHONE, "password": password}
            answer = self.http.post(f"/class/{key}/login", json=form)
        self.http.post(f"/class/{key}/login", json={"account": WRONG_PASSWORD, "password": "x"})
        answer = self.http.post(
            f"/class/{key}/login", json={"account": TELEPHONE, "password": PASSWORD}
        )
        user = answer.json()["ticket"]
        answer = self.http.post(f"/class/{key}/guest", json={"telephone": GUEST, "nickname": "G"})
        guest = answer.json()["ticket"]
        self.secrets |= {user, guest}
        for ticket in (user, guest, user[:-1]):
            with Chatter(self.server.url, f"/class/{key}", ticket) as chatter:
                chatter.send("say", text="a private message", nonce="n")
                chatter.socket.send("{nonsense")
        with Chatter(self.server.url, f"/teach/{token}"):
            pass
        self.secrets.add("a private message")
        self.http.get(link)
        self.http.get(link[:-1])
        for path in (f"/teach/{token}", f"/teach/{token}0", f"/teach/{token}/nothing"):
            self.http.get(path)
            self.http.post(f"{path}/end", content=b"{", headers={"content-type": "x"})
            self.http.post(f"{path}/whip", content=b"v=0")
        self.http.post(f"/class/{key}/logout", json={"ticket": user})

    def use_operators_interfaces(self, lesson: int) -> None:
        """Read back, use the sandbox, send hooks, run commands; rightly and wrongly."""
        token = str(self.server.token)
        hooks = json.loads(self.run("media", "hooks", "--json"))["hooks_url"]
        made = json.loads(self.run("token", "create", "--json"))["token"]
        self.secrets |= {token, made, token[:-1] + "x"}
        for bearer in (token, made, token[:-1] + "x"):
            headers = {"authorization": f"Bearer {bearer}"}
            for path in ("students", f"classes/{lesson}/stream", f"students?account={TELEPHONE}"):
                self.http.get(f"/admin/v1/{path}", headers=headers)
            self.http.get(f"/metrics?token={bearer}", headers={**headers, "host": "elsewhere"})
        clip = self.http.get(
            "/admin/v1/classes", headers={"authorization": f"Bearer {token}"}
        ).json()["data"]
        for row in clip:
            rows = self.http.get(
                f"/admin/v1/classes/{row['classId']}/clips",
                headers={"authorization": f"Bearer {token}"},
            ).json()["data"]
            for url in filter(None, (found["url"] for found in rows)):
                self.secrets.add(parse_qs(urlsplit(url).query)["signature"][0])
                self.http.get(url)
                self.http.get(url[:-1])
        self.http.post(hooks, json={"action": "on_publish", "stream": "x", "param": "?txSecret=y"})
        self.http.post(f"{hooks}0", content=b"{")
        self.http.post("/sandbox/faults", json={"action": "addCourse", "errno": 114})
        self.api.call("addCourse", courseName="x")
        self.http.get("/sandbox/journal")
        sid = str(self.server.sid)
        rotated = json.loads(self.run("school", "rotate-secret", sid, "--json"))
        self.secrets.add(rotated["secret"])
        for words in (("user", "cancel", TELEPHONE), ("user", "cancel", EMAIL)):
            with suppress(CommandFailed):
                self.run(*words)


def test_no_secret_is_in_the_log(tmp_path: Path) -> None:
    """Case "What held": no secret in the log, nor in the audit trail."""
    server = Process("--demo", "--sandbox", data=tmp_path, env=DEBUG)
    attempt = Attempt(server)
    try:
        lesson = attempt.use_partner_api()
        attempt.use_pages(lesson)
        attempt.use_operators_interfaces(lesson)
        trail = attempt.run("audit", "list", "--json")
    finally:
        attempt.close()
        server.stop()
    with open_store(Settings(data=tmp_path)) as store:
        keys = store.read(secrets.load_or_create)
        for school in store.read(schools.list_schools):
            attempt.secrets |= {school.secret, school.former_secret or ""}
    attempt.secrets |= {getattr(keys, name) for name in keys.__struct_fields__}
    logged = server.log
    assert len(re.findall(r'"homeroom.security"', logged)) > 20
    for secret in attempt.secrets - {""}:
        assert secret not in logged
        assert secret not in trail
