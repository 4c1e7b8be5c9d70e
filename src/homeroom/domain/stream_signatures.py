"""Signatures of stream addresses: txSecret and txTime."""

import re
from urllib.parse import parse_qsl

from homeroom.base.clock import Moment
from homeroom.base.keys import md5_hex
from homeroom.base.text import strip_pasted
from homeroom.base.values import Value
from homeroom.domain.refusal import OperatorError

_TIME = re.compile(r"[0-9a-fA-F]{1,12}")


class StreamSignature(Value, frozen=True):
    """Signature and expiry of a stream address; a pull address bound to a class never changes."""

    signature: str
    expires_hex: str
    """Expiry in seconds since 1970 UTC, hexadecimal, as in the address (txTime)."""

    @property
    def query(self) -> str:
        """The query of the address: txSecret and txTime."""
        return f"txSecret={self.signature}&txTime={self.expires_hex}"

    @property
    def expires_at(self) -> Moment:
        """The moment when the address expires."""
        return int(self.expires_hex, 16)


def parse_signature(query: str) -> StreamSignature:
    """Return the signature in the query of an address; raises `OperatorError` if it has none."""
    pairs = parse_qsl(strip_pasted(query).removeprefix("?"))
    params = [(strip_pasted(name), strip_pasted(value)) for name, value in pairs]
    signatures = [value for name, value in params if name == "txSecret"]
    times = [value for name, value in params if name == "txTime"]
    match signatures, times:
        case [signature], [expires_hex] if _TIME.fullmatch(expires_hex):
            return StreamSignature(signature, expires_hex)
    raise OperatorError("the address is not signed: txSecret and txTime are missing or malformed")


def compute_signature(key: str, name: str, expires_hex: str) -> str:
    """Return md5(KEY + StreamName + txTime), lowercase hexadecimal."""
    return md5_hex(f"{key}{name}{expires_hex}")


def sign_stream(name: str, expires_at: Moment, key: str) -> StreamSignature:
    """Sign an address for a stream."""
    expires_hex = f"{expires_at:x}"
    return StreamSignature(compute_signature(key, name, expires_hex), expires_hex)
