"""Addresses that lead out of a folder, sent as bytes: a client library would tidy them up."""

import pytest

from tests.support.given import Given
from tests.support.raw import every_byte, head

OUT_OF_FOLDER = (
    "../shell.py",
    "../../base/log.py",
    "..%2f..%2fbase%2flog.py",
    "%2e%2e/%2e%2e/base/log.py",
    "%2e%2e%2f%2e%2e%2fbase%2flog.py",
    "..%5c..%5cbase%5clog.py",
    "..\\..\\base\\log.py",
    "....//....//base/log.py",
    "./../../base/log.py",
    "%252e%252e%252fbase%252flog.py",
    "..%c0%af..%c0%afbase/log.py",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "..;/..;/base/log.py",
    "%00",
    "../../../../../../../../etc/passwd%00.css",
)


@pytest.mark.parametrize("folder", ["/static", "/player", "/clips", "/class", "/teach"])
def test_nothing_outside_a_folder_is_served(given: Given, folder: str) -> None:
    """Case "What held": paths out of /static, /player and /clips."""
    for path in OUT_OF_FOLDER:
        for suffix in ("", ".mp4", "?expires=ffffffff&signature=0"):
            target = f"{folder}/{path}{suffix}"
            request = head(target, None, "GET", connection="close")
            answer = every_byte(given.house.url, request)
            status = int(answer.split(b" ", 2)[1])
            assert status in {400, 403, 404, 405}, (target, answer[:200])
            assert b"root:" not in answer, target
            assert b"import logging" not in answer, target
