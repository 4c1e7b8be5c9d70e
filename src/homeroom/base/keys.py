"""Secrets and public keys: made here, from the system's randomness."""

import hashlib
import hmac
import re
import secrets
from base64 import b64encode

_PUBLIC_KEY = re.compile(r"[0-9a-f]{16}")


class KeyGenerator:
    """Generates keys; a test uses a generator of fixed ones instead."""

    def master_key(self, size: int) -> bytes:
        """Return a key for encryption, of some bytes."""
        return secrets.token_bytes(size)

    def secret(self) -> str:
        """Return a school's API secret: 40 characters, letters and digits only."""
        return secrets.token_hex(20)

    def public_key(self) -> str:
        """Return the key of a page's address: 16 lowercase hexadecimal digits."""
        return secrets.token_hex(8)

    def file_id(self) -> str:
        """Return the id of a recorded file: 32 lowercase hexadecimal digits."""
        return secrets.token_hex(16)

    def token(self) -> str:
        """Return a bearer token; its beginning tells a secret scanner what it is."""
        return f"homeroom_{secrets.token_urlsafe(32)}"

    def webhook_secret(self) -> str:
        """Return a secret of Standard Webhooks: 24 bytes as base64, after their prefix."""
        return f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"

    def password(self) -> str:
        """Return an initial password within the 6 to 20 characters the API allows."""
        return secrets.token_urlsafe(9)


def random_text(length: int) -> str:
    """Return a text that cannot be compressed, at least so many characters long."""
    return secrets.token_urlsafe(length * 3 // 4 + 1)


def is_public_key(text: str) -> bool:
    """Tell whether a text may be the key of a page's address."""
    return _PUBLIC_KEY.fullmatch(text) is not None


def md5_hex(text: str) -> str:
    """Return the lowercase md5 the partner API signs with; it is the API's choice, not ours."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def fingerprint(text: str) -> str:
    """Return the SHA-256 by which a long random token is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def hmac_hex(key: str, text: str) -> str:
    """Return the HMAC-SHA256 of a text, in lowercase hexadecimal digits."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def secrets_equal(left: str, right: str) -> bool:
    """Compare two secrets in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
