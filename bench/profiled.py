"""A server that measures its own stages: `python -m bench.profiled FILE serve ...`.

It is `homeroom` with a clock around the functions of its stages. At SIGUSR1 it writes to the file
how much processor time each stage took since the last signal. The time of a stage is its own: what
the stages inside it took is not in it. The clock costs about a microsecond each time.
"""

import importlib
import inspect
import json
import signal
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import wraps
from pathlib import Path
from time import thread_time_ns
from typing import Any

LOOP = {
    "wire: path, action, envelope, send": (
        "homeroom.partner.wires.asgi:WireApp.__call__",
        "homeroom.partner.wires.v1:V1Wire.respond",
    ),
    "body and form": ("homeroom.partner.wires.form:FormReader.read",),
    "authentication": ("homeroom.partner.authenticator:Authenticator.authenticate_form",),
    "parameters": ("homeroom.contract.params:ParamsReader.read",),
    "dispatcher: duplicates, warnings": ("homeroom.partner.dispatcher:Dispatcher.dispatch",),
    "locks": (
        "homeroom.partner.locks:KeyedLocks.acquire",
        "homeroom.partner.locks:KeyedLocks.release",
    ),
    "turns of schools": (
        "homeroom.partner.turns:SchoolTurns.wait",
        "homeroom.partner.turns:SchoolTurns.finish",
    ),
    "hand-over to the store and back": (
        "homeroom.async_store:AsyncStore.write",
        "homeroom.async_store:AsyncStore._deliver",
    ),
    "log line, metrics": ("homeroom.partner.wires.asgi:Observer.report",),
}
WRITER = {
    "unit of work, its place in the group": ("homeroom.store.sqlite:SqliteEngine._commit",),
    "begin, commit (fsync is no processor time)": (
        "homeroom.store.sqlite:SqliteTransaction.control",
    ),
    "handler, rules, rows to values": (
        "homeroom.partner.handlers.lessons:add_course_class",
        "homeroom.partner.handlers.rosters:add_course_student",
        "homeroom.partner.handlers.lessons:edit_course_class",
    ),
    "statements": (
        "homeroom.store.sqlite:SqliteTransaction.fetch_all",
        "homeroom.store.sqlite:SqliteTransaction.execute",
    ),
}

_local = threading.local()
_spent: Counter[str] = Counter()


def _start() -> list[list[int]]:
    """Begin a stage of this thread; its entry is the start, and the time of stages inside."""
    stack: list[list[int]] | None = getattr(_local, "stack", None)
    if stack is None:
        stack = _local.stack = []
    stack.append([thread_time_ns(), 0])
    return stack


def _stop(stack: list[list[int]], stage: str) -> None:
    started, inside = stack.pop()
    took = thread_time_ns() - started
    _spent[stage] += took - inside
    if stack:
        stack[-1][1] += took


class _TimedSteps:
    """Awaits a coroutine and times each of its steps."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], stage: str) -> None:
        self._coroutine = coroutine
        self._stage = stage

    def __await__(self) -> Generator[Any, Any, Any]:
        """Run step by step; what the coroutine waits for is not in its time."""
        step: Callable[[], Any] = lambda: self._coroutine.send(None)  # noqa: E731  it changes
        while True:
            stack = _start()
            try:
                awaited = step()
            except StopIteration as stop:
                return stop.value
            finally:
                _stop(stack, self._stage)
            try:
                value = yield awaited
            except BaseException as failure:  # noqa: BLE001  the coroutine gets it
                step = _throwing(self._coroutine, failure)
            else:
                step = _sending(self._coroutine, value)


def _sending(coroutine: Coroutine[Any, Any, Any], value: object) -> Callable[[], Any]:
    return lambda: coroutine.send(value)


def _throwing(coroutine: Coroutine[Any, Any, Any], failure: BaseException) -> Callable[[], Any]:
    return lambda: coroutine.throw(failure)


def _time(function: Callable[..., Any], stage: str) -> Callable[..., Any]:
    """Return a function that does the same and counts its time."""
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def timed_coroutine(*positional: Any, **named: Any) -> Any:  # noqa: ANN401  as the function
            steps: Awaitable[Any] = _TimedSteps(function(*positional, **named), stage)
            return await steps

        return timed_coroutine

    @wraps(function)
    def timed(*positional: Any, **named: Any) -> Any:  # noqa: ANN401  as the function
        stack = _start()
        try:
            return function(*positional, **named)
        finally:
            _stop(stack, stage)

    return timed


def install() -> None:
    """Put a clock around each function of the stages that this version has."""
    # The table of actions takes the handlers as they are when a wire imports it.
    for stage, places in (WRITER | LOOP).items():
        for place in places:
            module, _, path = place.partition(":")
            owner: Any = importlib.import_module(module)
            *parents, name = path.split(".")
            for parent in parents:
                owner = getattr(owner, parent)
            if hasattr(owner, name):
                setattr(owner, name, _time(getattr(owner, name), stage))


def main() -> None:
    file = Path(sys.argv.pop(1))

    def write(_signal: int, _frame: object) -> None:
        temporary = file.with_suffix(".new")
        temporary.write_text(json.dumps(_spent))
        _spent.clear()
        temporary.rename(file)

    signal.signal(signal.SIGUSR1, write)
    install()
    importlib.import_module("homeroom.cli").main()


if __name__ == "__main__":
    main()
