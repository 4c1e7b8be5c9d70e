"""The thin server: a hand-written ASGI application that runs the statements of an action.

`python -m bench.yardsticks.thin RECIPE` prints its address. On SQLite one thread writes, and
commits whatever queued during the last commit. On PostgreSQL the statements of a call are
one statement of common table expressions, where that is possible, on eight connections. With
`--batch`, addCourseClass alone, a whole queue is written by one statement (`batch.py`).
"""

import argparse
import asyncio
import json
import os
import queue
import re
import secrets
import socket
import sqlite3
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import msgspec
import psycopg
import uvicorn
import uvloop

from bench.yardsticks.batch import PostgresBatches
from bench.yardsticks.recipe import FINISH_JOB, JOB, KEY, SIGNATURE, Recipe, Slot, Step
from homeroom.base.keys import md5_hex

Form = dict[str, str]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Execute = Callable[[str, Form], Awaitable[int]]
"""Runs the statements of an action and returns the id of a row that it added."""

LOCK = "SELECT pg_advisory_xact_lock(%s)"
"""Calls that delete rows and insert them again wait for each other, or they would meet."""
MAX_GROUP = 256
CONNECTIONS = 8
FILES = "/nonexistent"
"""The clips of the bench have no files; the server looks for them all the same."""
NAME = re.compile(r"%\((\w+)\)s")


def bind(step: Step, form: Form) -> Any:  # noqa: ANN401  a list or a dict, as the driver takes it
    """Return the parameters of a statement for a call."""
    values: Any = step.parameters.copy()
    for slot in step.slots:
        text = form[slot.field]
        values[slot.at] = int(text) if slot.is_number else f"{slot.before}{text}{slot.after}"
    return values


class SqliteGroups:
    """One thread that writes, and commits all calls that waited together."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[tuple[str, Form, asyncio.Future[int]]] = (
            queue.SimpleQueue()
        )
        threading.Thread(target=self._write, daemon=True).start()

    async def execute(self, action: str, form: Form) -> int:
        future: asyncio.Future[int] = self._loop.create_future()
        self._waiting.put((action, form, future))
        return await future

    def _write(self) -> None:
        try:
            self._write_groups()
        finally:
            os._exit(1)  # a statement failed, and a server without its writer would answer nothing

    def _write_groups(self) -> None:
        connection = sqlite3.connect(self._recipe.database, isolation_level=None)
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "cache_size=-65536",
        ):
            connection.execute(f"PRAGMA {pragma}")
        while True:
            group = [self._waiting.get()]
            while not self._waiting.empty() and len(group) < MAX_GROUP:
                group.append(self._waiting.get())
            connection.execute("BEGIN IMMEDIATE")
            results = []
            for action, form, future in group:
                added = 0
                for step in self._recipe.actions[action]:
                    rows = connection.execute(step.sql, bind(step, form)).fetchall()
                    added = rows[0][0] if rows else 0
                results.append((future, added))
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._deliver, results)

    @staticmethod
    def _deliver(results: list[tuple[asyncio.Future[int], int]]) -> None:
        for future, added in results:
            if not future.cancelled():
                future.set_result(added)


class PostgresCalls:
    """One statement a call, on connections of its own."""

    def __init__(self, recipe: Recipe) -> None:
        self._statements = {
            action: [(join_statements(part), _number_names(part)) for part in split_steps(steps)]
            for action, steps in recipe.actions.items()
        }
        self._database = recipe.database
        self._has_pool = recipe.has_pool
        self._school = recipe.sid
        self._free: asyncio.LifoQueue[psycopg.AsyncConnection[Any]] = asyncio.LifoQueue()

    async def open(self) -> None:
        for _ in range(CONNECTIONS):
            connection = await psycopg.AsyncConnection.connect(self._database, autocommit=True)
            connection.prepare_threshold = None if self._has_pool else 0
            self._free.put_nowait(connection)

    async def execute(self, action: str, form: Form) -> int:
        statements = self._statements[action]
        connection = await self._free.get()
        try:
            if len(statements) == 1:
                return await self._run(connection, *statements[0], form)
            async with connection.transaction():
                await connection.execute(LOCK, [self._school])
                return [await self._run(connection, *each, form) for each in statements][-1]
        finally:
            self._free.put_nowait(connection)

    @staticmethod
    async def _run(
        connection: "psycopg.AsyncConnection[Any]", sql: bytes, steps: list[Step], form: Form
    ) -> int:
        values: dict[str, Any] = {}
        for step in steps:
            values |= bind(step, form)
        cursor = await connection.execute(sql, values)
        row = await cursor.fetchone()
        return row[-1] or 0 if row else 0


def split_steps(steps: list[Step]) -> list[list[Step]]:
    """Return the steps in parts: rows cannot be deleted and inserted again by one statement."""
    parts: list[list[Step]] = [[]]
    for step in steps:
        table = step.sql.removeprefix("INSERT INTO ").split(" ", 1)[0]
        delete = f"DELETE FROM {table} "  # noqa: S608  it is only compared
        if any(earlier.sql.startswith(delete) for earlier in parts[-1]):
            parts.append([])
        parts[-1].append(step)
    return parts


def join_statements(steps: list[Step]) -> bytes:
    """Return statements as one, with a name for each and all of them read to their ends."""
    parts, columns = [], []
    for number, step in enumerate(steps):
        sql = NAME.sub(rf"%(p{number}_\1)s", step.sql)
        returns = sql.startswith("SELECT") or " RETURNING " in sql
        # An expression that is used once would be merged into the statement and never computed.
        name = f"s{number}"
        parts.append(f"{name} AS MATERIALIZED ({sql})")
        if returns:
            columns.append(f"(SELECT count(*) FROM {name})")  # noqa: S608  names of this function
        if " RETURNING " in sql:
            columns.append(f"(SELECT max(id) FROM {name})")  # noqa: S608  as above
    return f"WITH {', '.join(parts)} SELECT {', '.join(columns or ['0'])}".encode()


def _number_names(steps: list[Step]) -> list[Step]:
    """Return steps whose parameters have the names that they have in the joined statement."""
    renamed = []
    for number, step in enumerate(steps):
        assert isinstance(step.parameters, dict)
        slots = [
            Slot(f"p{number}_{slot.at}", slot.field, slot.before, slot.after, slot.is_number)
            for slot in step.slots
        ]
        values = {f"p{number}_{name}": value for name, value in step.parameters.items()}
        renamed.append(Step(step.sql, values, slots))
    return renamed


class ThinServer:
    """Reads a form, checks its signature, runs the statements, and answers in the API's shape."""

    def __init__(self, recipe: Recipe, execute: Execute) -> None:
        self._recipe = recipe
        self._execute = execute

    async def __call__(self, scope: Message, receive: Any, send: Send) -> None:  # noqa: ANN401  ASGI
        assert scope["type"] == "http"
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        action = scope["query_string"].decode().removeprefix("action=")
        form = read_form(body)
        stamp = form["timeStamp"]
        is_signed = md5_hex(self._recipe.secret + stamp) == form["safeKey"]
        if not is_signed or int(form["SID"]) != self._recipe.sid:
            raise PermissionError(action)
        form[KEY] = key = secrets.token_hex(8)
        form[SIGNATURE] = signature = md5_hex(key + stamp)
        added = await self._execute(action, form)
        if action == "deleteClassVideo":
            # The answer promises that the file is gone, not only that it will be.
            erase(form["classId"])
            await self._execute(FINISH_JOB, {JOB: str(added)})
        answer = _build_answer(action, form, added, f"txSecret={signature}&txTime={stamp}")
        await send({"type": "http.response.start", "status": 200, "headers": _headers(answer)})
        await send({"type": "http.response.body", "body": answer})


def erase(clip: str) -> None:
    Path(FILES, clip).unlink(missing_ok=True)


def read_form(body: bytes) -> Form:
    form = {}
    for pair in body.decode("ascii").split("&"):
        name, _, value = pair.partition("=")
        form[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return form


def _build_answer(action: str, form: Form, added: int, query: str) -> bytes:
    done = {"errno": 1, "error": "程序正常执行"}
    answer: dict[str, Any] = {"error_info": done}
    if action == "addCourseClass":
        answer["data"] = added
    if action in ("addCourseClass", "editCourseClass"):
        stream = f"localhost/live/{form[KEY]}"
        answer["more_data"] = {
            "live_url": f"http://localhost/live.php?lessonKey={form[KEY]}",
            "live_info": {
                "RTMP": f"rtmp://{stream}?{query}",
                "HLS": f"http://{stream}.m3u8?{query}",
                "FLV": f"http://{stream}.flv?{query}",
            },
        }
    if action == "delCourseStudentMultiple":
        answer["data"] = [done] * (form["studentUidJson"].count(",") + 1)
    return msgspec.json.encode(answer)


def _headers(answer: bytes) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", b"%d" % len(answer)),
    ]


async def serve(recipe: Recipe, *, batches: bool) -> None:
    """Serve until the process ends; prints the address first."""
    execute: Execute
    if not recipe.database.startswith("postgresql:"):
        execute = SqliteGroups(recipe).execute
    elif batches:
        queue_of_batches = PostgresBatches(recipe)
        await queue_of_batches.open()
        execute = queue_of_batches.execute
    else:
        calls = PostgresCalls(recipe)
        await calls.open()
        execute = calls.execute
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
    config = uvicorn.Config(
        ThinServer(recipe, execute),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",
    )
    await uvicorn.Server(config).serve([listener])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--batch", action="store_true")
    options = parser.parse_args()
    recipe = msgspec.convert(json.loads(options.recipe.read_text()), Recipe)
    uvloop.run(serve(recipe, batches=options.batch))


if __name__ == "__main__":
    main()
