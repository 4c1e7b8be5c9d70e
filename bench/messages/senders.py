"""Senders beside which ours is measured: a thin one from memory, and a task queue with locks."""

import asyncio
import hashlib
import sys
import time
from collections import defaultdict
from typing import Final

import aiohttp
import httpx
import msgspec
import procrastinate

CONNECTIONS: Final = 100
"""Requests at the same time, as our server has them at most for an endpoint."""


class SenderPlan(msgspec.Struct, frozen=True):
    """Messages that a sender sends: so many, over some classes in turn."""

    url: str
    messages: int
    lessons: int
    secret: str
    database: str = ""


def build_body(plan: SenderPlan, number: int) -> bytes:
    """Return a signed message, of the size of one that tells of a change of a class."""
    now = int(time.time())
    fields = {
        "SID": 1,
        "Cmd": "eeoClassInfoChange",
        "ClassID": number % plan.lessons + 1,
        "ActionTime": now,
        "TimeStamp": now,
        "SafeKey": hashlib.md5(f"{plan.secret}{now}".encode(), usedforsecurity=False).hexdigest(),
        "Number": number,
        "opData": {"text": "x" * 300},
    }
    return msgspec.json.encode(fields)


async def send_from_memory(plan: SenderPlan) -> None:
    """Send all messages from a list in memory: one request at a time for each class."""
    by_lesson: dict[int, list[int]] = defaultdict(list)
    for number in range(plan.messages):
        by_lesson[number % plan.lessons].append(number)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send_lesson(numbers: list[int]) -> None:
            for number in numbers:
                async with session.post(plan.url, data=build_body(plan, number)) as response:
                    answer = await response.json(content_type=None)
                assert answer["error_info"]["errno"] == 1

        await asyncio.gather(*map(send_lesson, by_lesson.values()))


async def send_by_tasks(plan: SenderPlan) -> None:
    """Send all messages as tasks of procrastinate, with a lock for each class."""
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=plan.database))
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with app.open_async(), httpx.AsyncClient(limits=limits, timeout=10) as client:

        @app.task(name="send", queue="messages", retry=procrastinate.RetryStrategy(wait=10))
        async def send(number: int) -> None:
            response = await client.post(plan.url, content=build_body(plan, number))
            assert response.json()["error_info"]["errno"] == 1

        await app.schema_manager.apply_schema_async()
        for number in range(plan.messages):
            lock = f"class:{number % plan.lessons}"
            await send.configure(lock=lock).defer_async(number=number)
        print("deferred", flush=True)
        await app.run_worker_async(
            queues=["messages"],
            concurrency=CONNECTIONS,
            wait=False,
            delete_jobs="successful",
            install_signal_handlers=False,
        )


def main() -> None:
    kind, text = sys.argv[1:]
    plan = msgspec.json.decode(text, type=SenderPlan)
    asyncio.run(send_from_memory(plan) if kind == "memory" else send_by_tasks(plan))


if __name__ == "__main__":
    main()
