"""The security log: limits on lines, addresses, and text that must not forge a line."""

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from homeroom.base.log import JSONFormatter
from homeroom.base.masking import mask_account, mask_accounts
from homeroom.web.addresses import get_client_address
from homeroom.web.security_log import LIMITED, MAX_WINDOWS, LineLimiter, SecurityEvent

REFUSED = SecurityEvent.TOKEN_REFUSED


class Lines:
    """A limiter on a clock that stands still."""

    def __init__(self) -> None:
        self.now = 0.0
        self.written: list[tuple[str, int]] = []
        self.limiter = LineLimiter(self._write, lambda: self.now)

    def _write(self, event: SecurityEvent, fields: dict[str, Any]) -> None:
        assert event is REFUSED
        self.written.append((fields["address"], fields["count"]))

    def report(self, address: str, times: int = 1) -> None:
        for _ in range(times):
            self.limiter.report(REFUSED, address, {"address": address})


def test_one_line_an_address_and_minute_with_a_count() -> None:
    """Case S6: some hundred throttled tries leave a line and their number."""
    lines = Lines()
    lines.report("192.0.2.1", 300)
    lines.report("192.0.2.2")
    assert lines.written == [("192.0.2.1", 1), ("192.0.2.2", 1)]
    lines.now = 59.9
    lines.limiter.end_due_windows()
    assert len(lines.written) == 2
    lines.now = 60
    lines.limiter.end_due_windows()
    assert lines.written[2:] == [("192.0.2.1", 299)]
    lines.report("192.0.2.1")
    assert lines.written[3:] == [("192.0.2.1", 1)]


def test_the_next_event_ends_a_minute_too() -> None:
    lines = Lines()
    lines.report("192.0.2.1", 3)
    lines.now = 61
    lines.report("192.0.2.1")
    assert lines.written == [("192.0.2.1", 1), ("192.0.2.1", 2), ("192.0.2.1", 1)]


def test_counts_are_written_when_the_server_ends() -> None:
    lines = Lines()
    lines.report("192.0.2.1", 3)
    lines.limiter.end_windows()
    assert sum(count for _, count in lines.written) == 3


def test_many_addresses_take_a_bounded_memory_and_lose_no_count() -> None:
    lines = Lines()
    for number in range(MAX_WINDOWS + 5):
        lines.report(f"address {number}", 2)
    assert len(lines.written) == MAX_WINDOWS + 5 + 5
    lines.limiter.end_windows()
    assert sum(count for _, count in lines.written) == 2 * (MAX_WINDOWS + 5)


def test_strangers_cannot_fill_the_log() -> None:
    refusals = {event for event in SecurityEvent if event.value.endswith(("refused", "throttled"))}
    assert refusals == LIMITED


def test_the_guide_lists_the_events() -> None:
    guide = (Path(__file__).parents[2] / "docs/guides/log.md").read_text()
    listed = set(
        re.findall(r"^\| `(\w+)` \|", guide.partition("## The security log")[2], re.MULTILINE)
    )
    assert listed == set(SecurityEvent)


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.1", 1), "192.0.2.1"),
        (("2001:DB8:0::1", 1), "2001:db8::1"),
        (("::ffff:192.0.2.1", 1), "192.0.2.1"),
        (("fe80::1%eth0\n", 1), "fe80::1"),
        (('1.2.3.4","level":"error', 1), "unknown"),
        (("", 0), "unknown"),
        (None, "unknown"),
    ],
)
def test_an_address_is_an_ip_address(client: tuple[str, int] | None, address: str) -> None:
    assert get_client_address({"client": client}) == address


@pytest.mark.parametrize(
    "text",
    ['x"}\n{"level":"info"', "a\u2028b\u2029c", "\x1b[2J\x9b2J\x85", "\u202eabc", "\ud800", "\0"],
)
def test_text_of_a_client_cannot_forge_a_line(text: str) -> None:
    record = logging.makeLogRecord({"name": "homeroom.partner", "msg": "call", "action": text})
    line = JSONFormatter().format(record)
    assert line.splitlines() == [line]
    assert line.isprintable()
    assert json.loads(line)["action"] == text


@pytest.mark.parametrize(
    ("account", "mask"),
    [
        ("13900000001", "139****0001"),
        ("00999-101777020", "00999-1****7020"),
        ("001-1234567", "001-****567"),
        ("ann@example.org", "a***@example.org"),
        ("my password", "***"),
        ("hunter2", "***"),
        ("@", "***"),
        ("", "***"),
    ],
)
def test_accounts_are_masked(account: str, mask: str) -> None:
    assert mask_account(account) == mask


def test_accounts_in_a_sentence_are_masked() -> None:
    text = "no account 13900000001, 0044-7700900123 or Ann@example.org in school 1000001"
    assert mask_accounts(text) == (
        "no account 139****0001, 0044-77****0123 or A***@example.org in school 1000001"
    )
