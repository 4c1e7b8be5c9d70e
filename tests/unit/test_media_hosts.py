"""Addresses of streams: from the public address and the ports, or from the settings."""

from typing import Any

import pytest

from homeroom.base.settings import Settings
from homeroom.domain.webcasts import Hosts
from homeroom.media.service import build_hosts

HERE = "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("given", "served_at", "expected"),
    [
        (
            {},
            HERE,
            Hosts(HERE, "rtmp://127.0.0.1", "http://127.0.0.1:8081", "rtmp://127.0.0.1"),
        ),
        (
            {"rtmp_port": 1936, "media_port": 80},
            "http://[::1]:8080",
            Hosts("http://[::1]:8080", "rtmp://[::1]:1936", "http://[::1]:80", "rtmp://[::1]:1936"),
        ),
        (
            {"public_url": "https://school.example/", "rtmp_url": "rtmp://cdn.example/"},
            HERE,
            Hosts(
                "https://school.example",
                "rtmp://cdn.example",
                "http://school.example:8081",
                "rtmp://school.example",
            ),
        ),
        (
            {
                "media": "external",
                "rtmp_url": "rtmp://srs.example",
                "media_url": "https://srs.example/",
            },
            HERE,
            Hosts(HERE, "rtmp://srs.example", "https://srs.example", "rtmp://srs.example"),
        ),
        (
            {"push_url": "rtmps://in.example/"},
            HERE,
            Hosts(HERE, "rtmp://127.0.0.1", "http://127.0.0.1:8081", "rtmps://in.example"),
        ),
        (
            {"media": "none", "push_url": "rtmp://in.example"},
            HERE,
            Hosts(HERE, "rtmp://127.0.0.1", "http://127.0.0.1:8081", ""),
        ),
    ],
)
def test_addresses_follow_the_settings(
    given: dict[str, Any], served_at: str, expected: Hosts
) -> None:
    assert build_hosts(Settings(**given), served_at) == expected
