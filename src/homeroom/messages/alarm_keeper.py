"""The keeper of alarms: tells the people of endpoints that are stuck, in the log and by mail."""

import asyncio
import logging
import smtplib
from typing import Final

from homeroom.async_store import AsyncStore
from homeroom.base.text import format_count
from homeroom.messages.mailer import Mail, Mailer
from homeroom.usecases import endpoint_alarms
from homeroom.usecases.endpoint_alarms import EndpointAlarm

log = logging.getLogger("homeroom.messages")

TICK_SECONDS: Final = 30.0
MAIL_SECONDS: Final = 60.0
"""Longest time for a mail; its thread ends a little later."""


class AlarmKeeper:
    """Looks for endpoints that are stuck, twice a minute."""

    def __init__(self, store: AsyncStore, mailer: Mailer | None) -> None:
        """Take what sends mails; None: alarms are in the log and the metrics alone."""
        self._store = store
        self._mailer = mailer
        self.count = 0
        """Alarms that this server raised, since the start."""

    async def run(self) -> None:
        """Raise alarms until cancelled."""
        while True:
            try:
                await self.run_once()
            except Exception:
                log.exception("the look for endpoints that are stuck failed; trying again")
            await asyncio.sleep(TICK_SECONDS)

    async def run_once(self) -> None:
        """Raise the alarms that are due."""
        alarms = await self._store.write(endpoint_alarms.raise_due)
        for alarm in alarms:
            self.count += 1
            facts = {"endpoint": alarm.endpoint, "sid": alarm.school, "outcome": alarm.outcome}
            waits = {"queues": alarm.queues, "oldest_seconds": alarm.oldest_seconds}
            log.warning("endpoint_stuck", extra={**facts, **waits, "warning": alarm.warning})
        # All are in the log before the first mail: a mail server may be slow.
        for alarm in alarms:
            if self._mailer is not None and alarm.addresses:
                await self._send(self._mailer, alarm)

    async def _send(self, mailer: Mailer, alarm: EndpointAlarm) -> None:
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                await asyncio.to_thread(mailer.send, write_mail(alarm))
        except (OSError, smtplib.SMTPException) as failure:
            facts = {"endpoint": alarm.endpoint, "reason": str(failure)}
            log.error("alarm_not_mailed", extra=facts)  # noqa: TRY400  a cause, not a defect


def write_mail(alarm: EndpointAlarm) -> Mail:
    """Return the mail of an alarm."""
    queues = format_count(alarm.queues, "queue")
    lines = [
        f"The messages of school {alarm.school} to {alarm.url} are not acknowledged.",
        "",
        f"{queues} cannot continue; the oldest message has waited for {alarm.oldest_seconds} s.",
        f"The last attempt ended with: {alarm.outcome}.",
        *([f"Attention: {alarm.warning}."] if alarm.warning else []),
        "",
        f"homeroom endpoint show {alarm.endpoint} says more. The next mail comes in an hour.",
    ]
    subject = f"Homeroom: endpoint {alarm.endpoint} of school {alarm.school} is stuck"
    return Mail(alarm.addresses, subject, "\n".join(lines) + "\n")
