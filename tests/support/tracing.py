"""The statements that one school's units of work issue, on either engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from homeroom.store.engine import QueuedUnit, Traceable, Transaction
from tests.support.given import Given


@contextmanager
def traced(given: Given) -> Iterator[list[str]]:
    """Write down each statement that units of the school run until the block ends.

    The server's own units, which look for due jobs at any time, are left out.
    """
    engine = given.store.engine
    issued: list[str] = []
    write = engine.write

    def note(sql: str) -> None:
        # The first unit of each second reads which schools have receivers of messages.
        if "endpoints.start_after_id" not in sql:
            issued.append(sql)

    def write_traced(unit: QueuedUnit) -> None:
        if unit.school == given.school.id:
            unit.run = trace(unit.run)
        write(unit)

    def trace(run: Any) -> Any:  # noqa: ANN401  a unit of any result
        def run_traced(tx: Transaction) -> Any:  # noqa: ANN401  as above
            connection = cast("Traceable", tx)
            connection.trace = lambda compiled, _values: note(compiled.sql)
            try:
                return run(tx)
            finally:
                connection.trace = None

        return run_traced

    engine.write = write_traced  # type: ignore[method-assign]  # for this block
    try:
        yield issued
    finally:
        engine.write = write  # type: ignore[method-assign]  # for this block
