"""The log line of a call: made without a record, and the same byte for byte."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from select import PIPE_BUF

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeroom.base.log import cut_pieces, log_info, log_to_stderr
from homeroom.partner.wires.asgi import CallLine

log = logging.getLogger("homeroom.partner")
LINE = CallLine("abc-1", "127.0.0.1", "addCourse", 1, None, 1, "", 2.5)
TEXTS = st.text() | st.sampled_from(["\ud800", "\x9b31m", "\u2028", "数学", '"\\'])
LINES = st.builds(
    CallLine,
    TEXTS,
    TEXTS,
    TEXTS,
    st.none() | st.integers(1, 2**63),
    st.none() | st.integers(0, 10**18),
    st.none() | st.integers(1, 999),
    TEXTS,
    st.floats(0, 10**6).map(lambda ms: round(ms, 2)),
)


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Let this process log as the server does, to a text in memory."""
    root, switches = logging.root, ("logThreads", "logProcesses", "logMultiprocessing", "_srcfile")
    former = root.handlers[:], root.level, [getattr(logging, name) for name in switches]
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    root.handlers.clear()
    log_to_stderr("info")
    yield stream
    root.handlers[:], level, values = former
    root.setLevel(level)
    for name, value in zip(switches, values, strict=True):
        setattr(logging, name, value)


def take(stream: io.StringIO) -> str:
    text = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_the_line_is_the_same_as_with_a_record(stderr: io.StringIO, line: CallLine) -> None:
    log_info(log, "call", line)
    direct = take(stderr)
    log.info("call", extra=msgspec.structs.asdict(line))
    with_record = take(stderr)
    # Between the two, the second may have changed.
    assert direct[direct.index('"level"') :] == with_record[with_record.index('"level"') :]
    assert json.loads(direct).keys() == json.loads(with_record).keys()
    assert direct.index('"level"') == with_record.index('"level"')


def test_the_level_applies(stderr: io.StringIO) -> None:
    log_to_stderr("warning")
    log_info(log, "call", LINE)
    assert not take(stderr)


def test_other_handlers_get_a_record(stderr: io.StringIO, caplog: pytest.LogCaptureFixture) -> None:
    logging.root.addHandler(caplog.handler)
    log_info(log, "call", LINE)
    assert [vars(record)["request_id"] for record in caplog.records] == ["abc-1"]
    assert json.loads(take(stderr))["request_id"] == "abc-1"


@pytest.mark.parametrize("letter", ["a", "班"])
@pytest.mark.parametrize(
    "lengths", [[], [10], [300] * 40, [5000, 10, 10], [10, 9000], [4095, 4095]]
)
def test_a_pipe_takes_each_piece_whole(letter: str, lengths: list[int]) -> None:
    """Several processes write to one log: no line gets into the middle of another."""
    text = "".join(f"{letter * length}\n" for length in lengths)
    pieces = list(cut_pieces(text))
    assert "".join(pieces) == text
    for piece in pieces:
        assert piece.endswith("\n")
        assert len(piece.encode()) <= PIPE_BUF or piece.count("\n") == 1
    assert len(pieces) <= len(text.encode()) // (PIPE_BUF // 5) + 1
