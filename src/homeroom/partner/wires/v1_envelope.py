"""The envelope of the v1 wire: the fields of the result, and `error_info` beside them."""

import msgspec

from homeroom.contract.errno import Errno
from homeroom.partner.response import PartnerResponse

_ERROR_INFO = {
    errno: b'"error_info":%b}' % msgspec.json.encode({"errno": errno.number, "error": errno.zh})
    for errno in Errno
}
_encoder = msgspec.json.Encoder()


def encode_envelope(response: PartnerResponse) -> bytes:
    """Return the body of a response: UTF-8, unescaped."""
    error_info = _ERROR_INFO[response.errno]
    if response.result is None:
        return b"{" + error_info
    fields = _encoder.encode(response.result)
    return b"{" + error_info if fields == b"{}" else fields[:-1] + b"," + error_info
