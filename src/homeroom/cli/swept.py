"""`homeroom swept`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from homeroom.base.clock import Moment
from homeroom.base.ids import LessonId, SchoolId
from homeroom.cli.command import (
    ID,
    MOMENT,
    CommandContext,
    format_time,
    json_option,
    print_fields,
    print_table,
    with_context,
)
from homeroom.domain.retention import SweptScope, SweptSort
from homeroom.usecases import retention

T = TypeVar("T")


def with_scope(command: Callable[..., T]) -> Callable[..., T]:
    """Add the options that choose swept rows to a command, and pass them as a `SweptScope`."""

    @click.option("--sid", "school", metavar="SID", type=ID, help="Of this school.")
    @click.option("--class", "lesson", metavar="CLASS_ID", type=ID, help="Of this class.")
    @click.option("--since", metavar="TIME", type=MOMENT, default=0, help="Deleted since then.")
    @wraps(command)
    def run(
        school: SchoolId | None,
        lesson: LessonId | None,
        since: Moment,
        **options: Any,  # noqa: ANN401  options of any command
    ) -> T:
        return command(scope=SweptScope(school, lesson, since), **options)

    return run


@click.group()
def swept() -> None:
    """Restore or erase viewers, chats and publish sessions that the retention deleted.

    They can be restored for 7 days. For recordings there is `homeroom clip restore`.
    """


@swept.command("list")
@with_scope
@json_option
@with_context
def list_swept(context: CommandContext, *, scope: SweptScope, as_json: bool) -> None:
    """Count what can be restored, by school, class and sort."""
    rows = [
        {
            "sid": row.school,
            "classId": row.lesson,
            "sort": row.sort.value,
            "count": row.count,
            "swept": format_time(row.swept_at),
            "restorableUntil": format_time(row.erase_after),
        }
        for row in context.read(lambda uow: retention.summarize_swept(uow, scope))
    ]
    print_table(rows, as_json=as_json, if_empty="Nothing can be restored.")


@swept.command("restore")
@with_scope
@json_option
@with_context
def restore_swept(context: CommandContext, *, scope: SweptScope, as_json: bool) -> None:
    """Restore it. Change the plan first: what is still past its days goes at the next sweep."""
    totals = dict.fromkeys(SweptSort, 0)
    with context.open_store() as store:
        while True:
            counts = store.write(lambda uow: retention.restore_swept(uow, scope))
            totals = {sort: total + counts[sort] for sort, total in totals.items()}
            if not store.read(lambda uow: retention.summarize_swept(uow, scope)):
                break
    print_fields({sort.value: total for sort, total in totals.items()}, as_json=as_json)


@swept.command("purge")
@with_scope
@json_option
@with_context
def purge_swept(context: CommandContext, *, scope: SweptScope, as_json: bool) -> None:
    """Erase it now, for good, as when a person asks for the erasure of their data."""
    erased = context.write(lambda uow: retention.purge_swept(uow, scope))
    print_fields({"erased": erased}, as_json=as_json)
