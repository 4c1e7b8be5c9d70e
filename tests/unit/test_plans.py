"""Plans: the keys of `homeroom school set`, as they are typed."""

from typing import Any
from unittest.mock import ANY

import msgspec
import pytest

from homeroom.domain.refusal import OperatorError
from homeroom.domain.schools import (
    Plan,
    change_plan,
    format_plan_value,
    list_plan_keys,
    parse_frame_origins,
)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("live", "off", False),
        ("live", "0", False),
        ("live", "no", False),
        ("suspended", "on", True),
        ("suspended", "True", True),
        ("suspended", "YES", True),
        ("max_labels", "0", 0),
        ("max_labels", "1000000000", 1_000_000_000),
        ("max_resolution", "1", 1),
        ("retention_days", "36500", 36500),
        ("stop_delay", "0", 0),
        ("stop_delay", "90", 90),
        ("stop_delay", "none", None),
        ("time_zone", "Europe/Paris", "Europe/Paris"),
        ("viewer_days", "0", 0),
        ("chat_days", "36500", 36500),
        ("frame_origins", "none", ""),
        ("frame_origins", "https://a.example", "https://a.example"),
        ("frame_origins", "http://[::1]:3000,http://10.0.0.1", "http://[::1]:3000,http://10.0.0.1"),
        ("frame_origins", " ".join(["https://a-b.example:8443"] * 20), ANY),
    ],
)
def test_a_key_takes_what_is_typed(key: str, text: str, value: Any) -> None:  # noqa: ANN401  each key has its own type
    assert getattr(change_plan(Plan(stop_delay=5), {key: text}), key) == value


@pytest.mark.parametrize(
    ("key", "text", "why"),
    [
        ("live", "perhaps", "must be on or off"),
        ("live", "", "must be on or off"),
        ("live", "2", "must be on or off"),
        ("max_labels", "many", "must be a whole number"),
        ("max_labels", "", "must be a whole number"),
        ("max_labels", "none", "must be a whole number"),
        ("max_labels", "1.5", "must be a whole number"),
        ("max_labels", "-1", "must be >= 0"),
        ("max_labels", "1000000001", "must be <= 1000000000"),
        ("max_resolution", "3", "must be <= 2"),
        ("max_seats", "1001", "must be <= 1000"),
        ("retention_days", "36501", "must be <= 36500"),
        ("retention_days", "-1", "must be >= 0"),
        ("stop_delay", "-1", "must be a number of seconds, or none"),
        ("stop_delay", "soon", "must be a whole number"),
        ("time_zone", "Europe/Berne", "no such time zone"),
        ("time_zone", "Europe", "no such time zone"),
        ("time_zone", "../../etc/passwd", "no such time zone"),
        ("time_zone", "", "no such time zone"),
        ("viewer_days", "36501", "must be <= 36500"),
        ("chat_days", "-1", "must be >= 0"),
    ],
)
def test_a_key_declines_what_is_wrong(key: str, text: str, why: str) -> None:
    with pytest.raises(OperatorError) as declined:
        change_plan(Plan(), {key: text})

    assert str(declined.value) == f"{key}={text}: {why}"


@pytest.mark.parametrize(
    "origin",
    [
        "a.example",
        "https://a.example/",
        "https://a.example/page",
        "https://a.example;script-src",
        "https://",
        "https://-a.example",
        "https://a.example:",
        "https://a.example:0",
        "https://user@a.example",
        "https://*",
        "https://*.example",
        "*",
        "'self'",
        "data:",
        "ftp://a.example",
        "https://a.example\0",
        "https://b_c",
    ],
)
def test_what_may_frame_a_page_is_an_origin(origin: str) -> None:
    with pytest.raises(OperatorError) as declined:
        change_plan(Plan(), {"frame_origins": f"https://a.example {origin}"})

    assert f"frame_origins={origin}: must be as https://portal.example" in str(declined.value)


def test_only_so_many_sites_may_frame_a_page() -> None:
    with pytest.raises(OperatorError, match="must be up to 20 sites, not 21"):
        change_plan(Plan(), {"frame_origins": "https://a.example," * 21})


def test_the_sites_that_may_frame_a_page() -> None:
    plan = change_plan(Plan(), {"frame_origins": "https://a.example, http://[::1]:3000"})
    assert parse_frame_origins(plan) == ("https://a.example", "http://[::1]:3000")
    assert parse_frame_origins(Plan()) == ()


def test_an_unknown_key_lists_the_known_ones() -> None:
    with pytest.raises(OperatorError) as declined:
        change_plan(Plan(), {"lives": "off"})

    assert str(declined.value) == (
        f"lives: no such key; known are {', '.join(Plan.__struct_fields__)}"
    )


def test_nothing_is_changed_where_one_of_several_is_wrong() -> None:
    plan = Plan()

    with pytest.raises(OperatorError):
        change_plan(plan, {"live": "off", "replay": "perhaps"})

    assert plan == Plan()


def test_every_key_has_a_meaning_and_takes_its_own_default() -> None:
    assert [key.name for key in list_plan_keys()] == list(Plan.__struct_fields__)
    assert all(key.meaning.endswith(".") for key in list_plan_keys())
    assert change_plan(Plan(), {key.name: key.default for key in list_plan_keys()}) == Plan()


def test_every_value_of_a_plan_can_be_typed() -> None:
    plan = Plan(live=False, stop_delay=7, time_zone="UTC", max_seats=0)

    typed = {name: format_plan_value(value) for name, value in msgspec.structs.asdict(plan).items()}

    assert change_plan(Plan(), typed) == plan


@pytest.mark.parametrize(
    "text",
    [
        "a.example",
        "*",
        "https://a.example/path",
        "https://a.example; script-src *",
        "https://a.example\nx: y",
        "'self'",
        "javascript:alert(1)",
        "https://*",
        "https://ä.example",
        "none https://a.example",
    ],
)
def test_what_is_no_origin_is_declined(text: str) -> None:
    with pytest.raises(OperatorError, match="frame_origins"):
        change_plan(Plan(), {"frame_origins": text})


def test_origins_are_parted_by_blanks_or_commas_and_none_is_none() -> None:
    plan = change_plan(
        Plan(), {"frame_origins": "https://a.example,http://[::1]:80  https://b.example"}
    )
    assert parse_frame_origins(plan) == (
        "https://a.example",
        "http://[::1]:80",
        "https://b.example",
    )
    assert parse_frame_origins(change_plan(plan, {"frame_origins": "none"})) == ()
    assert parse_frame_origins(change_plan(plan, {"frame_origins": ""})) == ()
