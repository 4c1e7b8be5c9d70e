"""Permission to push and pull a stream, and the reasons for a refusal."""

import pytest

from homeroom.base.clock import HOUR, MINUTE
from homeroom.base.ids import UserId
from homeroom.base.values import replace
from homeroom.domain.lessons import RecordingOptions
from homeroom.domain.refusal import OperatorError
from homeroom.domain.stream_signatures import (
    StreamSignature,
    compute_signature,
    parse_signature,
    sign_stream,
)
from homeroom.domain.streams import (
    PublishTarget,
    StreamKind,
    check_pull,
    check_push,
    get_pull_signature,
    parse_stream_name,
    sign_page_pull,
    sign_push,
    stream_name,
)
from tests.unit.test_webcasts import LESSON

CLASS, SCENE = StreamKind.CLASS, StreamKind.SCENE
PUSH_KEY, PULL_KEY = "push key", "pull key"
BEGIN = 10 * HOUR
END = BEGIN + HOUR
BOUND = replace(
    LESSON,
    hours=replace(LESSON.hours, begin=BEGIN, end=END),
    recording=RecordingOptions(record=True, scene=True, live=True),
    stream=sign_stream(LESSON.key, 1000 * HOUR, PULL_KEY),
)
HELD = PublishTarget(BOUND, 0, teacher_is_cancelled=False, school_is_suspended=False)


def push(held: PublishTarget, kind: StreamKind = CLASS, now: int = BEGIN) -> None:
    """Push by the address that the class of the constants has."""
    check_push(held, kind, parse_signature(sign_push(HELD, kind, PUSH_KEY).query), PUSH_KEY, now)


def pull(lesson: object = BOUND, kind: StreamKind = CLASS, now: int = BEGIN) -> None:
    """Pull by the address that the class of the constants has."""
    assert isinstance(lesson, type(BOUND))
    address = get_pull_signature(BOUND, kind, PULL_KEY)
    assert address is not None
    check_pull(lesson, kind, parse_signature(f"?{address.query}"), PULL_KEY, now)


def test_the_published_example_of_a_signature_holds() -> None:
    """md5 over key, stream name and expiry, the last as it is printed in the address."""
    key = "e12c46f2612d5106e2034781ab261ca3"
    assert compute_signature(key, "test", "5C271099") == "f85a2ab363fe4deaffef9754d79da6fe"


def test_an_expiry_is_signed_as_the_address_prints_it() -> None:
    stream = sign_stream("test", 0x5C271099, "key")
    proof = parse_signature(stream.query)
    assert proof == StreamSignature(compute_signature("key", "test", "5c271099"), "5c271099")
    assert (proof.query, proof.expires_at) == (stream.query, stream.expires_at)


def test_a_stream_is_named_after_its_class() -> None:
    for kind in StreamKind:
        assert parse_stream_name(stream_name("0fdc12bc3558164d", kind)) == (
            "0fdc12bc3558164d",
            kind,
        )
    assert stream_name("0fdc12bc3558164d", SCENE) == "0fdc12bc3558164d-scene"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?",
        "txSecret=a",
        "txTime=5c271099",
        "txSecret=&txTime=5c271099",
        "txSecret=a&txTime=xyz",
        "txSecret=a&txTime=-1",
        "txSecret=a&txTime=0x10",
        "txSecret=a&txTime=1&txTime=2",
        "txSecret=a&txSecret=b&txTime=1",
        "txSecret=a&txTime=" + "f" * 13,
        "txSecret=a&txTime=\uff11",
    ],
)
def test_an_address_without_a_whole_signature_is_not_signed(query: str) -> None:
    with pytest.raises(OperatorError, match="not signed"):
        parse_signature(query)


@pytest.mark.parametrize(
    "query",
    [
        *("?txTime=1&vhost=x&txSecret=a", "txSecret=a&txTime=1&"),
        # Case M10: as people paste it.
        *(" ?txSecret=a&txTime=1\r\n", "?txSecret=a&txTime=1%20", "?txSecret=a &txTime=1+"),
        *("?txSecret=a&\ntxTime=1", '"?txSecret=a&txTime=1"', "?txSecret=a&txTime=1\ufeff"),
    ],
)
def test_what_else_is_in_an_address_does_not_matter(query: str) -> None:
    assert parse_signature(query) == StreamSignature("a", "1")


@pytest.mark.parametrize("kind", StreamKind)
@pytest.mark.parametrize("now", [BEGIN - 20 * MINUTE, BEGIN, END, END + 20 * MINUTE - 1])
def test_a_class_is_pushed_and_pulled_while_it_is_open(kind: StreamKind, now: int) -> None:
    push(HELD, kind, now)
    pull(BOUND, kind, now)


def test_a_class_opens_20_minutes_before_its_start() -> None:
    with pytest.raises(OperatorError, match="opens 20 minutes before"):
        push(HELD, now=BEGIN - 20 * MINUTE - 1)
    with pytest.raises(OperatorError, match="opens 20 minutes before"):
        pull(now=BEGIN - 20 * MINUTE - 1)


def test_a_push_address_ends_with_the_class() -> None:
    closing = END + 20 * MINUTE
    assert sign_push(HELD, CLASS, PUSH_KEY).expires_at == closing
    with pytest.raises(OperatorError, match="expired"):
        push(HELD, now=closing)
    later = sign_stream(BOUND.key, closing + HOUR, HELD.derive_push_key(PUSH_KEY))
    with pytest.raises(OperatorError, match="is over"):
        check_push(HELD, CLASS, parse_signature(later.query), PUSH_KEY, closing)
    with pytest.raises(OperatorError, match="is over"):
        pull(now=closing)


def test_a_class_that_was_ended_early_is_over() -> None:
    ended = replace(BOUND, closed_at=BEGIN + MINUTE)
    push(replace(HELD, lesson=ended), now=BEGIN + MINUTE - 1)
    with pytest.raises(OperatorError, match="is over"):
        push(replace(HELD, lesson=ended), now=BEGIN + MINUTE)
    with pytest.raises(OperatorError, match="is over"):
        pull(ended, now=BEGIN + MINUTE)
    assert sign_push(replace(HELD, lesson=ended), CLASS, PUSH_KEY).expires_at == BEGIN + MINUTE


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (replace(HELD, key_generation=1), "signature is wrong"),
        (replace(HELD, lesson=replace(BOUND, teacher=UserId(2))), "signature is wrong"),
        (replace(HELD, teacher_is_cancelled=True), "teacher was cancelled"),
        (replace(HELD, school_is_suspended=True), "suspended"),
        (replace(HELD, lesson=replace(BOUND, deleted_at=0)), "was deleted"),
        (replace(HELD, lesson=replace(BOUND, recording=RecordingOptions())), "record is off"),
    ],
)
def test_what_ends_a_push(changed: PublishTarget, reason: str) -> None:
    with pytest.raises(OperatorError, match=reason):
        push(changed)


def test_a_scene_is_pushed_and_pulled_only_where_it_is_recorded() -> None:
    without = replace(BOUND, recording=RecordingOptions(record=True, live=True))
    push(replace(HELD, lesson=without))
    pull(without)
    with pytest.raises(OperatorError, match="no scene"):
        push(replace(HELD, lesson=without), SCENE)
    with pytest.raises(OperatorError, match="no scene"):
        pull(without, SCENE)


def test_the_address_of_one_stream_is_not_good_for_another() -> None:
    of_class = parse_signature(sign_push(HELD, CLASS, PUSH_KEY).query)
    with pytest.raises(OperatorError, match="signature is wrong"):
        check_push(HELD, SCENE, of_class, PUSH_KEY, BEGIN)
    to_pull = get_pull_signature(BOUND, CLASS, PULL_KEY)
    assert to_pull is not None
    with pytest.raises(OperatorError, match="signature is wrong"):
        check_push(HELD, CLASS, parse_signature(to_pull.query), PUSH_KEY, BEGIN)
    with pytest.raises(OperatorError, match="signature is wrong"):
        check_pull(BOUND, CLASS, of_class, PULL_KEY, BEGIN)


def test_another_expiry_needs_another_signature() -> None:
    proof = parse_signature(sign_push(HELD, CLASS, PUSH_KEY).query)
    later = replace(proof, expires_hex=f"{proof.expires_at + HOUR:x}")
    with pytest.raises(OperatorError, match="signature is wrong"):
        check_push(HELD, CLASS, later, PUSH_KEY, BEGIN)


def test_a_pull_address_outlives_its_key_and_ends_when_it_says() -> None:
    bound = parse_signature(f"{BOUND.stream.query}" if BOUND.stream else "")
    check_pull(BOUND, CLASS, bound, "another key", BEGIN)
    short = replace(BOUND, stream=sign_stream(BOUND.key, BEGIN, PULL_KEY))
    assert short.stream is not None
    check_pull(short, CLASS, parse_signature(short.stream.query), PULL_KEY, BEGIN - 1)
    with pytest.raises(OperatorError, match="expired"):
        check_pull(short, CLASS, parse_signature(short.stream.query), PULL_KEY, BEGIN)


def test_a_class_that_was_never_live_is_pulled_by_what_its_pages_hand_out_alone() -> None:
    unbound = replace(BOUND, stream=None)
    for kind in StreamKind:
        handed_out = sign_page_pull(unbound, kind, PULL_KEY)
        assert handed_out.expires_at == unbound.lifecycle.closes_at
        check_pull(unbound, kind, handed_out, PULL_KEY, BEGIN)
        with pytest.raises(OperatorError, match="signature is wrong"):
            check_pull(unbound, kind, handed_out, "another key", BEGIN)
    push(replace(HELD, lesson=unbound))
