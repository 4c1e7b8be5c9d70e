"""All API methods of `eeo-py-sdk` and `classin`, unmodified: errno and effect of each."""

import hashlib
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.classin_calls import classin_calls, classin_calls_after
from tests.e2e.client_calls import Call
from tests.e2e.sdk_calls import sdk_calls, sdk_calls_after
from tests.e2e.test_eeo_tour import UNTIL_BEGIN
from tests.e2e.test_published_clients import (
    CLIENTS,
    LENGTH,
    OVERTIME,
    Client,
    environment,
    now,
    run_script,
)
from tests.support.process import Process

pytestmark = [pytest.mark.e2e, pytest.mark.clients]

SDK, CLASSIN = CLIENTS[2], CLIENTS[3]
NOT_OF_THE_API = {"close", "check_sign"}
"""Methods that call nothing."""
CALLED_BY_OTHERS = {"broadcast.get_webcast_partner_url"}
"""Two calls in one, both of which are tested; it fails by itself on what the first one returns."""


def run_calls(
    client: Client, facts: dict[str, object], calls: list[Call], ids: dict[str, Any]
) -> dict[str, Any]:
    """Make calls in order, check errno and effect of each, and return all ids."""
    fields = ("method", "args", "more", "save", "read")
    steps = [dict(zip(fields, call[: len(fields)], strict=True)) for call in calls]
    done = run_script(client, "run_steps.py", "run", facts | {"steps": steps, "ids": ids})
    results = [(step["method"], step["errno"]) for step in done["steps"]]
    assert results == [(call.method, call.errno) for call in calls], done["steps"]
    without_effect = [
        (step["method"], step["answer"], step["seen"])
        for step, call in zip(done["steps"], calls, strict=True)
        if not call.effect(step["seen"], done["ids"])
    ]
    assert without_effect == []
    ids_after: dict[str, Any] = done["ids"]
    return ids_after


@pytest.mark.parametrize("client", [SDK, CLASSIN], ids=lambda client: client.name)
def test_every_method_is_answered_and_its_effect_seen(
    server: Process, tmp_path: Path, client: Client
) -> None:
    file, clip = tmp_path / "handout.txt", tmp_path / "lesson.mp4"
    file.write_text("read this")
    clip.write_bytes(b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(4096))
    server.cli("school", "set", str(server.sid), "stop_delay=0")
    is_sdk = client is SDK
    facts: dict[str, object] = {
        "package": "eeo" if is_sdk else "classin",
        "url": server.url,
        "sid": server.sid,
        "secret": server.secret,
        "token": server.token,
    }
    begin = now(server) + UNTIL_BEGIN
    calls = sdk_calls(begin, file) if is_sdk else classin_calls(begin, file)
    ids = run_calls(client, facts, calls, {"file": upload(server, file)})
    server.advance(UNTIL_BEGIN + LENGTH + OVERTIME + 60)
    server.cli("clip", "add", str(ids["class"]), str(clip), "--json")
    after = sdk_calls_after() if is_sdk else classin_calls_after()
    run_calls(client, facts, after, ids)
    used = {call.method for call in (*calls, *after)}
    assert used == methods_of(client)


def upload(server: Process, file: Path) -> int:
    """Upload a file to the top folder, as `classin` cannot do it."""
    stamp = str(now(server))
    key = hashlib.md5((server.secret + stamp).encode(), usedforsecurity=False).hexdigest()
    fields = {"SID": str(server.sid), "timeStamp": stamp, "safeKey": key}
    cloud = f"{server.url}/partner/api/cloud.api.php"
    with httpx.Client(trust_env=False) as http:
        top = http.post(cloud, params={"action": "getTopFolderId"}, data=fields).json()["data"]
        answer = http.post(
            cloud,
            params={"action": "uploadFile"},
            data=fields | {"folderId": str(top)},
            files={"Filedata": (file.name, file.read_bytes())},
        )
    return int(answer.json()["data"])


def methods_of(client: Client) -> set[str]:
    """Return the names of all methods of a client that call the API or sign an address."""
    (home,) = environment(client).parents[1].glob("lib/*/site-packages")
    if client is SDK:
        return _names(home / "eeo" / "api.py", "") - NOT_OF_THE_API
    modules = (home / "classin" / "client" / "api").glob("*.py")
    of_modules = (_names(module, f"{module.stem}.") for module in modules if module.stem != "base")
    return set().union(*of_modules) - CALLED_BY_OTHERS


def _names(module: Path, prefix: str) -> set[str]:
    names = re.findall(r"^    def ([a-z]\w+)\(", module.read_text(), re.MULTILINE)
    return {prefix + name for name in names}
