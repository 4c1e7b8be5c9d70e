"""Signed URLs: each serves one thing until a moment, to those who were given it."""

from homeroom.base.clock import Moment
from homeroom.base.keys import hmac_hex, secrets_equal


def sign_url(url: str, subject: str, expires_at: Moment, key: str) -> str:
    """Return a URL that is valid for its subject until a moment."""
    expires_hex = f"{expires_at:x}"
    return f"{url}?expires={expires_hex}&signature={_sign(subject, expires_hex, key)}"


def has_valid_signature(subject: str, expires_hex: str, signature: str, key: str) -> bool:
    """Tell whether a URL is signed for its subject with the key; does not check the expiry."""
    return secrets_equal(signature, _sign(subject, expires_hex, key))


def _sign(subject: str, expires_hex: str, key: str) -> str:
    return hmac_hex(key, f"{subject}:{expires_hex}")
