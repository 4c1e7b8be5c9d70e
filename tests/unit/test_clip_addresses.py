"""The addresses of clips: what is signed, and that nothing else is."""

import hashlib
import hmac
from urllib.parse import parse_qs, urlsplit

import pytest

from homeroom.domain.clips import clip_path, sign_clip_url
from homeroom.domain.signed_urls import has_valid_signature

FILE = "0f" * 16
UNTIL = 0x7D8D37CD


def test_an_address_carries_its_end_and_a_signature_over_file_and_end() -> None:
    url = urlsplit(sign_clip_url("https://school.example", FILE, UNTIL, "key"))

    query = parse_qs(url.query)
    signature = hmac.new(b"key", f"{FILE}:7d8d37cd".encode(), hashlib.sha256).hexdigest()
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"https://school.example/clips/{FILE}.mp4"
    assert query == {"expires": ["7d8d37cd"], "signature": [signature]}
    assert has_valid_signature(FILE, "7d8d37cd", signature, "key")


@pytest.mark.parametrize(
    ("file", "until", "key"),
    [
        ("0e" * 16, "7d8d37cd", "key"),
        (FILE, "7d8d37ce", "key"),
        (FILE, "7D8D37CD", "key"),
        (FILE, "", "key"),
        (FILE, "7d8d37cd", "another"),
        (FILE, "7d8d37cd", ""),
    ],
)
def test_a_signature_is_good_for_one_file_one_end_and_one_key(
    file: str, until: str, key: str
) -> None:
    url = urlsplit(sign_clip_url("https://school.example", FILE, UNTIL, "key"))
    (signature,) = parse_qs(url.query)["signature"]

    assert not has_valid_signature(file, until, signature, key)


def test_what_is_no_signature_at_all_is_refused() -> None:
    for signature in ("", "0" * 64, "签名", "\ufffd"):
        assert not has_valid_signature(FILE, "7d8d37cd", signature, "key")


def test_clips_are_spread_over_folders() -> None:
    assert clip_path(FILE) == f"clips/0f/{FILE}.mp4"
