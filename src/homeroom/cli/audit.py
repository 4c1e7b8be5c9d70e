"""`homeroom audit`."""

import click

from homeroom.base.clock import Moment
from homeroom.base.ids import SchoolId, UserId
from homeroom.base.masking import MASK
from homeroom.cli.command import (
    ID,
    MOMENT,
    CommandContext,
    OutputFields,
    format_time,
    json_option,
    print_fields,
    print_table,
    with_context,
)
from homeroom.domain.audit import AuditEntry
from homeroom.domain.refusal import OperatorError
from homeroom.usecases import audit as audits


@click.group()
def audit() -> None:
    """Show what operators did; entries are kept for a year."""


@audit.command("list")
@click.option("--since", type=MOMENT, default=0, help="Only entries since this time.")
@click.option("--school", type=ID, metavar="SID", help="Only entries about this school.")
@json_option
@with_context
def list_entries(
    context: CommandContext, since: Moment, school: SchoolId | None, *, as_json: bool
) -> None:
    """List the commands and requests of operators that changed something, oldest first.

    Secrets are not in them, and accounts are masked. Times are those of the machine's clock.
    """
    rows = context.read(
        lambda uow: [
            _format_entry(entry) for entry in audits.list_entries(uow, since=since, school=school)
        ]
    )
    print_table(rows, as_json=as_json, if_empty="There are no entries.")


def _format_entry(listed: AuditEntry) -> OutputFields:
    entry, actor = listed.entry, listed.entry.actor
    return {
        "entry": listed.id,
        "at": format_time(entry.at),
        "kind": entry.kind.value,
        "act": entry.act,
        "user": actor.name,
        "uid": actor.uid,
        "origin": actor.origin,
        "token": actor.token,
        "sid": entry.school,
        "account": entry.user,
        "arguments": audits.format_arguments(entry),
        "outcome": entry.outcome.value,
        "reason": entry.reason,
    }


@audit.command()
@click.option("--account", type=ID, metavar="UID", help="The account that entries are about.")
@click.option("--operator", metavar="NAME", help="The operator, by the name in the list.")
@json_option
@with_context
def erase(
    context: CommandContext, account: UserId | None, operator: str | None, *, as_json: bool
) -> None:
    """Erase the personal data of one person from the entries; the entries stay.

    This cannot be undone. `homeroom user cancel` does it for an account too.
    """
    if (account is None) == (operator is None):
        raise OperatorError("say either --account UID or --operator NAME")
    if account is not None:
        erased = context.write(lambda uow: audits.erase_user(uow, account))
    else:
        # The entry of this command must not name them again.
        context.audit.arguments = {"operator": MASK}
        erased = context.write(lambda uow: audits.erase_operator(uow, operator or ""))
    print_fields({"erased": erased}, as_json=as_json)
