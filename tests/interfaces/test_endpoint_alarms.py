"""Alarms: who is told while an endpoint is stuck, how often, and by which mail (Q91)."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_string
from threading import Event, Thread

import pytest
from sqlalchemy import select, update

from homeroom.async_store import AsyncStore
from homeroom.base.clock import DAY, HOUR, MINUTE
from homeroom.base.ids import EndpointId
from homeroom.domain.refusal import OperatorError
from homeroom.messages.alarm_keeper import AlarmKeeper
from homeroom.messages.mailer import Mailer
from homeroom.store.tables import endpoints, lanes, messages
from homeroom.usecases import endpoint_alarms
from homeroom.usecases import endpoints as endpoints_usecases
from homeroom.usecases.endpoint_alarms import EndpointAlarm
from tests.support.given import Given
from tests.support.message_rows import add_messages


class MailServer:
    """A mail server that takes everything, and offers no TLS."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak SMTP."""
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            if line.upper() == "DATA":
                writer.write(b"354 go on\r\n")
                mail = (await reader.readuntil(b"\r\n.\r\n")).decode()
                self.mails.append(mail.removesuffix("\r\n.\r\n"))
            writer.write(b"221 bye\r\n" if line.upper() == "QUIT" else b"250 ok\r\n")
        writer.close()


@contextmanager
def serving_mail() -> Iterator[MailServer]:
    """Run a mail server in a thread."""
    server, is_up, end = MailServer(), Event(), Event()

    async def main() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        is_up.set()
        await asyncio.to_thread(end.wait)
        listening.close()

    thread = Thread(target=lambda: asyncio.run(main()), daemon=True)
    thread.start()
    assert is_up.wait(10)
    yield server
    end.set()
    thread.join(10)


@pytest.fixture
def stuck(given: Given) -> Given:
    """Return a school whose endpoint has a queue with a failing message."""
    add_messages(given, given.lesson())
    own = endpoints.c.school_id == given.school.id
    given.write(
        update(endpoints)
        .where(own)
        .values(state="active", activated_at=given.now, timeout_seconds=1)
    )
    # Due by no clock, so that the server of the test attempts nothing.
    due = {"due_at": 2**40, "due_real_at": 2**40}
    given.write(
        update(lanes)
        .where(lanes.c.school_id == given.school.id)
        .values(failures=3, last_outcome="timeout", **due)
    )
    given.write(
        update(messages).where(messages.c.school_id == given.school.id).values(created_at=given.now)
    )
    return given


def get_endpoint(given: Given) -> EndpointId:
    """Return the endpoint of a school."""
    query = select(endpoints.c.id).where(endpoints.c.school_id == given.school.id)
    return EndpointId(given.rows(query)[0][0])


def raise_due(given: Given) -> list[EndpointAlarm]:
    """Raise the alarms that are due, and return those of the school."""
    alarms = given.store.write(endpoint_alarms.raise_due)
    return [alarm for alarm in alarms if alarm.school == given.school.id]


def test_an_alarm_is_raised_after_a_minute_and_then_every_hour(stuck: Given) -> None:
    assert raise_due(stuck) == []
    stuck.clock.advance(MINUTE)
    (alarm,) = raise_due(stuck)
    assert (alarm.queues, alarm.oldest_seconds, alarm.outcome) == (1, MINUTE, "timeout")
    assert alarm.warning == ""
    assert raise_due(stuck) == []
    stuck.clock.advance(HOUR - 1)
    assert raise_due(stuck) == []
    stuck.clock.advance(1)
    assert len(raise_due(stuck)) == 1
    stuck.write(update(lanes).where(lanes.c.school_id == stuck.school.id).values(failures=0))
    stuck.clock.advance(HOUR)
    assert raise_due(stuck) == []


def test_the_last_day_is_announced(stuck: Given) -> None:
    stuck.clock.advance(89 * DAY)
    (alarm,) = raise_due(stuck)
    assert alarm.warning == "the oldest message is given up within a day"
    own = endpoints.c.school_id == stuck.school.id
    of_school = messages.c.school_id == stuck.school.id
    stuck.write(update(messages).where(of_school).values(created_at=stuck.now - HOUR))
    stuck.write(update(endpoints).where(own).values(format="standard", activated_at=stuck.now))
    stuck.clock.advance(4 * DAY - 1)
    assert raise_due(stuck)[0].warning == ""
    stuck.clock.advance(HOUR)
    assert raise_due(stuck)[0].warning == "the endpoint is disabled within a day"


def test_an_alarm_is_in_the_log_and_a_mail(stuck: Given, caplog: pytest.LogCaptureFixture) -> None:
    endpoint = get_endpoint(stuck)
    addresses = ("head@school.example", "it@school.example")
    stuck.store.write(lambda uow: endpoints_usecases.set_alert_addresses(uow, endpoint, addresses))
    stuck.clock.advance(MINUTE)
    with serving_mail() as server, caplog.at_level(logging.WARNING):
        mailer = Mailer(f"smtp://127.0.0.1:{server.port}?from=homeroom@server.example")

        async def main() -> None:
            keeper = AlarmKeeper(AsyncStore(stuck.store), mailer)
            await keeper.run_once()
            await keeper.run_once()

        asyncio.run(main())
    own = [mail for mail in server.mails if f"school {stuck.school.id} " in mail]
    (mail,) = map(message_from_string, own)
    assert (mail["From"], mail["To"]) == ("homeroom@server.example", ", ".join(addresses))
    assert "1 queue cannot continue" in mail.get_payload()
    events = [
        record
        for record in caplog.records
        if record.message == "endpoint_stuck" and vars(record)["endpoint"] == endpoint
    ]
    assert len(events) == 1


def test_a_mail_server_that_is_away_is_in_the_log(
    stuck: Given, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = get_endpoint(stuck)
    stuck.store.write(
        lambda uow: endpoints_usecases.set_alert_addresses(uow, endpoint, ["a@school.example"])
    )
    stuck.clock.advance(MINUTE)
    with serving_mail() as server:
        pass

    async def main() -> None:
        mailers = ("smtp://127.0.0.1:{}", "smtp://user:password@127.0.0.1:{}")
        for address in mailers:
            keeper = AlarmKeeper(AsyncStore(stuck.store), Mailer(address.format(server.port)))
            await keeper.run_once()
            stuck.clock.advance(HOUR)

    asyncio.run(main())
    reasons = [
        vars(record)["reason"]
        for record in caplog.records
        if record.message == "alarm_not_mailed" and vars(record)["endpoint"] == endpoint
    ]
    assert len(reasons) == 2


def test_a_password_is_not_sent_without_tls(stuck: Given) -> None:
    endpoint = get_endpoint(stuck)
    stuck.store.write(
        lambda uow: endpoints_usecases.set_alert_addresses(uow, endpoint, ["a@school.example"])
    )
    stuck.clock.advance(MINUTE)
    with serving_mail() as server:
        mailer = Mailer(f"smtp://user:password@127.0.0.1:{server.port}")
        asyncio.run(_run_once(stuck, mailer))
    assert server.mails == []


async def _run_once(given: Given, mailer: Mailer) -> None:
    await AlarmKeeper(AsyncStore(given.store), mailer).run_once()


@pytest.mark.parametrize(
    "address", ["nobody", "a@b, c@d", "a@b\nBcc: c@d", "x" * 250 + "@b.example"]
)
def test_what_is_no_mail_address_is_refused(stuck: Given, address: str) -> None:
    endpoint = get_endpoint(stuck)
    with pytest.raises(OperatorError, match="not a mail address"):
        stuck.store.write(
            lambda uow: endpoints_usecases.set_alert_addresses(uow, endpoint, [address])
        )
