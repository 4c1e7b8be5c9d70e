"""The audit trail: every command of an operator that changes something, and requests by tokens."""

import json
import os
import pwd
import socket
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import click
import httpx
import pytest
from sqlalchemy import delete, insert, update

from homeroom.base.clock import DAY, YEAR
from homeroom.cli.group import main
from homeroom.store.engine import StoreError
from homeroom.store.tables import audit_entries
from homeroom.usecases import audit
from tests.support.engine import until
from tests.support.given import Given
from tests.support.process import CommandFailed, typed
from tests.support.readback import ReadBack
from tests.support.security import SecurityLines

COMMANDS: Final = {
    "audit erase": "--account {user}",
    "chat delete": "{lesson} 999",
    "chat mute": "{lesson} 999",
    "chat pause": "{lesson}",
    "chat pin": "{lesson} 999",
    "chat resume": "{lesson}",
    "chat unmute": "{lesson} 999",
    "chat unpin": "{lesson}",
    "class add": (
        "{course} --name x --begin 2030-01-01T10:00 --end 2030-01-01T11:00 --teacher {user}"
    ),
    "class cancel": "{lesson}",
    "class close": "{lesson}",
    "class edit": "{lesson} --name Other",
    "class guest": "{lesson} --add {user}",
    "class set": "{lesson} origin=client",
    "clip add": "{lesson} {file}",
    "clip purge": "unknown",
    "clip restore": "--class {lesson}",
    "clock accept": "",
    "course add": "{sid} --name Course",
    "course cancel": "{course}",
    "course delete": "{course}",
    "course edit": "{course} --name Other",
    "course set": "{course} kind=public",
    "endpoint alert": "999 a@example.org",
    "endpoint pause": "999",
    "endpoint remove": "999",
    "endpoint resume": "999",
    "endpoint rotate": "999",
    "endpoint skip": "999",
    "folder set": "{folder} writable=0",
    "maintenance add": "--from 2030-01-01 --to 2030-01-02",
    "maintenance remove": "999",
    "media hooks": "",
    "media keys": "",
    "message emit": "{sid} course_changed --course {course}",
    "message resend": "999 --endpoint 999",
    "preset add": "{sid} Small",
    "school create": "--name New",
    "school rotate-secret": "{sid}",
    "school set": "{sid} max_labels=3",
    "storage forget": "unknown",
    "stream": "{lesson} --new-key",
    "subaccount add": "{sid} {user}",
    "subaccount remove": "{sid} {user}",
    "student add": "{sid} {user} --name x",
    "student cancel": "{sid} {user}",
    "student edit": "{sid} {user} --name x",
    "swept purge": "--sid {sid}",
    "swept restore": "--sid {sid}",
    "teacher add": "{sid} {user} --name x",
    "teacher cancel": "{sid} {user}",
    "teacher edit": "{sid} {user} --name x",
    "teacher restart": "{sid} {user}",
    "token create": "--school {sid} --name cli",
    "token revoke": "999",
    "user cancel": "{user}",
    "user change-phone": "{user} 13900009999",
    "user set-password": "{user} --school {sid}",
}
"""Arguments of each command that writes; one about a thing that does not exist is refused."""
READING: Final = {
    "audit list",
    "chat show",
    "class list",
    "clip list",
    "course list",
    "doctor",
    "endpoint list",
    "endpoint show",
    "key show",
    "link",
    "maintenance list",
    "message list",
    "message show",
    "preset list",
    "school list",
    "school show",
    "sign",
    "storage list",
    "student list",
    "subaccount list",
    "swept list",
    "teacher list",
    "token list",
    "user show",
    "viewers",
}
"""Commands that change nothing."""
ELSEWHERE: Final = {
    *("serve", "migrate", "key rotate"),
    *("endpoint add", "endpoint move", "endpoint test"),
}
"""Commands that other tests run: not beside the server of this session, or with a receiver."""


def list_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from list_commands(command, (*path, name))
        else:
            yield " ".join((*path, name))


class Desk:
    """An operator at the data of a running server."""

    def __init__(self, given: Given, folder: Path) -> None:
        self.given = given
        settings = given.house.services.settings
        self._place = ["--data", str(settings.data)]
        if settings.database is not None:
            self._place += ["--database", settings.database]
        self.user = given.student()
        lesson = given.lesson()
        (folder / "clip.mp4").write_bytes(b"\0\0\0\x08ftyp")
        self.things = {
            "sid": given.school.id,
            "user": self.user,
            "lesson": lesson,
            "course": given.seen(lesson).course,
            "folder": given.folder(),
            "file": folder / "clip.mp4",
        }

    def run(self, act: str, arguments: str) -> str:
        """Run a command; one that is refused prints nothing."""
        words = arguments.format(**self.things).split()
        try:
            with patch("sys.stdin", StringIO("a-new-password\n")):
                return typed(*act.split(), *words, *self._place)
        except CommandFailed:
            return ""

    def newest_id(self) -> int:
        return self.given.store.read(audit.get_newest_id)

    def entries(self, after: int = 0) -> list[dict[str, Any]]:
        """Return entries as the command shows them."""
        listed: list[dict[str, Any]] = json.loads(self.run("audit list", "--json"))
        return [entry for entry in listed if entry["entry"] > after]


@pytest.fixture
def desk(given: Given, tmp_path: Path) -> Desk:
    """Give an operator."""
    return Desk(given, tmp_path)


# --- commands ------------------------------------------------------------------------------------


def test_no_command_is_forgotten() -> None:
    """A new command that writes is run in this file: add its arguments to COMMANDS."""
    assert sorted(list_commands(main)) == sorted({*COMMANDS, *READING, *ELSEWHERE})


@pytest.mark.parametrize("act", COMMANDS)
def test_each_command_that_writes_leaves_an_entry(desk: Desk, act: str) -> None:
    """Case S6: commands of an operator are kept in the database."""
    before, started = desk.newest_id(), int(time.time())
    output = desk.run(act, COMMANDS[act])
    (entry,) = desk.entries(before)
    assert (entry["kind"], entry["act"]) == ("command", act)
    assert entry["outcome"] == ("done" if output else "refused")
    assert (entry["uid"], entry["user"]) == (os.getuid(), pwd.getpwuid(os.getuid()).pw_name)
    assert entry["origin"] == socket.gethostname()
    at = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(started))
    assert entry["at"] >= at


def test_commands_that_read_leave_none(desk: Desk) -> None:
    before = desk.newest_id()
    assert desk.run("school show", "{sid}")
    assert desk.run("sign", "--sid {sid}")
    assert desk.run("user show", "{user}")
    assert desk.entries(before) == []


def test_an_entry_names_the_school_and_the_account(desk: Desk) -> None:
    before, sid = desk.newest_id(), desk.given.school.id
    desk.run("subaccount add", "{sid} {user}")
    desk.run("chat pause", "{lesson}")
    desk.run("user cancel", "{user}")
    desk.run("school create", "--name Other")
    added, paused, cancelled, created = desk.entries(before)
    assert (paused["sid"], paused["arguments"]) == (sid, {"lesson": desk.things["lesson"]})
    assert (cancelled["account"], cancelled["outcome"]) == (desk.user, "done")
    # Cancelling erased what the trail had of the account.
    assert (added["sid"], added["account"], added["arguments"]) == (sid, None, None)
    assert created["sid"] not in (None, sid)
    listed = json.loads(desk.run("audit list", "--json --school {sid}"))
    assert [entry["act"] for entry in listed] == ["subaccount add", "chat pause"]


def test_accounts_and_secrets_are_masked(desk: Desk, given: Given) -> None:
    account = given.telephone()
    given.done("register", telephone=account, password="hunter2secret")
    before = desk.newest_id()
    desk.run("user cancel", account)
    desk.run("user cancel", "nobody@example.org")
    desk.run("school rotate-secret", "{sid}")
    done, refused, _ = desk.entries(before)
    assert done["arguments"]["user"].endswith("****" + account[-4:])
    assert refused["arguments"] == {"user": "n***@example.org"}
    assert "n***@example.org" in refused["reason"]
    text = json.dumps(desk.entries(before))
    former = given.school.secret
    assert not [word for word in (account, "nobody@", former, "hunter2") if word in text]


def test_an_entry_is_committed_with_its_act(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("no entry")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        desk.run("school set", "{sid} max_labels=3")
    monkeypatch.undo()
    assert json.loads(desk.run("school show", "{sid} --json"))["plan"]["max_labels"] != 3


def test_commands_are_in_the_log_of_the_server(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Case S6: `homeroom user cancel` leaves a line in the log."""
    lines = SecurityLines(caplog)
    sid = desk.given.school.id

    def find() -> list[dict[str, Any]]:
        return [line for line in lines.of("operator_command") if line["sid"] == sid]

    desk.run("school set", "{sid} max_labels=3")
    desk.run("school set", "{sid} nonsense=3")
    until(lambda: len(find()) == 2)
    done, refused = find()
    assert (done["act"], done["outcome"], done["uid"]) == ("school set", "done", os.getuid())
    assert done["arguments"] == {"sid": sid, "pairs": {"max_labels": "3"}}
    assert (refused["outcome"], refused["address"]) == ("refused", socket.gethostname())


def test_a_command_of_many_units_is_one_act(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path)]
    typed("school", "create", "--name", "School", *place)
    typed("key", "rotate", *place)
    typed("key", "rotate", "pull", *place)
    entries = json.loads(typed("audit", "list", "--json", *place))
    assert [(entry["act"], entry["arguments"]) for entry in entries[1:]] == [
        ("key rotate", {"name": "master"}),
        ("key rotate", {"name": "pull"}),
    ]


# --- the table -----------------------------------------------------------------------------------


def add_entry(given: Given, at: int, name: str = "ann") -> int:
    """Add an entry of another time."""
    given.write(
        insert(audit_entries).values(
            at=at, kind="command", act="old", actor_name=name, arguments="{}", outcome="done"
        )
    )
    return given.store.read(audit.get_newest_id)


def test_entries_are_never_changed(desk: Desk, given: Given) -> None:
    """Case S6: nothing changes an entry afterwards."""
    number = add_entry(given, int(time.time()) - YEAR + DAY)
    before = desk.entries(number - 1)
    for changes in (
        {"act": "x"},
        {"at": 0},
        {"outcome": "refused"},
        {"actor_name": "bob"},
        {"arguments": "[]"},
        {"school_id": 1},
        {"school_id": None, "token_id": 5},
        {"id": 10**6},
    ):
        with pytest.raises(StoreError):
            given.write(update(audit_entries).where(audit_entries.c.id == number).values(**changes))
    with pytest.raises(StoreError):
        given.write(delete(audit_entries).where(audit_entries.c.id == number))
    with pytest.raises(StoreError):
        given.write(delete(audit_entries))
    assert desk.entries(number - 1) == before


def test_entries_are_kept_for_a_year(desk: Desk, given: Given) -> None:
    now = int(time.time())
    kept = add_entry(given, now - YEAR + DAY, "kept")
    add_entry(given, now - YEAR - DAY, "old")
    given.store.write(lambda uow: audit.purge(uow, now))
    names = [entry["user"] for entry in desk.entries(kept - 1)]
    assert names == ["kept"]


def test_personal_data_of_an_operator_can_be_erased(desk: Desk, given: Given) -> None:
    number = add_entry(given, int(time.time()), "ann")
    assert desk.run("audit erase", "--operator ann")
    erased, own = desk.entries(number - 1)
    assert (erased["user"], erased["uid"], erased["origin"]) == (None, None, None)
    assert (erased["act"], erased["outcome"]) == ("old", "done")
    assert own["arguments"] == {"operator": "***"}
    assert "ann" not in json.dumps([erased, own])


def test_personal_data_of_an_account_can_be_erased(desk: Desk) -> None:
    before = desk.newest_id()
    desk.run("class guest", "{lesson} --add {user}")
    assert desk.run("audit erase", "--account {user}")
    erased, _ = desk.entries(before)
    assert (erased["act"], erased["account"], erased["arguments"]) == ("class guest", None, None)


# --- requests ------------------------------------------------------------------------------------


def test_requests_by_a_token_leave_entries(desk: Desk, given: Given) -> None:
    """Case S6: a moved sandbox clock, by a token from another machine."""
    operator = ReadBack(given, of_operator=True)
    headers = {"authorization": f"Bearer {operator.token}", "x-forwarded-for": "203.0.113.9"}
    before = desk.newest_id()
    with httpx.Client(base_url=f"{given.house.url}/sandbox", headers=headers) as http:
        http.get("/clock").raise_for_status()
        http.post("/clock", json={"now": given.now}).raise_for_status()
        http.post("/faults", json={"action": "addCourse", "errno": 104, "sid": given.school.id})
        http.delete("/faults").raise_for_status()
        lesson = given.lesson()
        place = {"sid": given.school.id, "classId": lesson}
        script = [{"do": "close", "at": 0}]
        http.post("/classroom", json={**place, "script": script}).raise_for_status()
        http.delete("/classroom", params={"sid": given.school.id, "class": lesson})
        http.post("/reset", json={"sid": given.school.id, "to": "empty"}).raise_for_status()
    entries = desk.entries(before)
    assert [entry["act"] for entry in entries] == [
        "POST /sandbox/clock",
        "POST /sandbox/faults",
        "DELETE /sandbox/faults",
        "POST /sandbox/classroom",
        "DELETE /sandbox/classroom",
        "POST /sandbox/reset",
    ]
    assert {(entry["kind"], entry["origin"], entry["token"]) for entry in entries} == {
        ("request", "203.0.113.9", operator.id)
    }
    assert entries[3]["arguments"] == {**place, "events": 1}
    assert entries[5]["arguments"] == {"sid": given.school.id, "to": "empty"}
    assert entries[5]["sid"] == given.school.id
    operator.close()
