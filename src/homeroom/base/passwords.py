"""Passwords: argon2id over the md5 that both forms of the API come down to."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from homeroom.base.keys import md5_hex

HASHER = PasswordHasher(time_cost=5, memory_cost=7168, parallelism=1)
"""OWASP's small-memory parameters: several may be hashed at once on a small machine."""


def hash_password(password: str | None, md5pass: str | None) -> str:
    """Return the hash of a password, from its text or its md5; takes tens of milliseconds."""
    return HASHER.hash(md5_hex(password) if password is not None else md5pass or "")


def verify_password(password_hash: str, password: str) -> bool:
    """Tell whether a password matches a hash."""
    try:
        return HASHER.verify(password_hash, md5_hex(password))
    except VerifyMismatchError:
        return False
