"""Addresses of streams as encoders and players send them: in three pieces, and as people type them.

An encoder cuts the address at a slash into a server and a key, and not each at the same one. So the
pieces are put together first: the parts of the path are `live` and the key, wherever they stand.
"""

from typing import Final

from homeroom.base.errors import HomeroomError
from homeroom.base.text import strip_pasted
from homeroom.base.values import Value
from homeroom.media.engine.settings import APP, MAX_NAME_CHARS

MAX_ADDRESS_CHARS: Final = 1024
"""Maximum length of an address or a part of it."""


class AddressError(HomeroomError):
    """No stream has this address; the message is for the peer."""


class ServerAddress(Value, frozen=True):
    """The address in `connect`."""

    key: str
    """The name of a stream, where the address has one; or empty."""
    query: str
    url: str
    """The address as it was sent."""


def parse_server(app: str, url: str) -> ServerAddress:
    """Parse the application and the address (`tcUrl`) of a `connect`; raises `AddressError`."""
    if len(app) + len(url) > MAX_ADDRESS_CHARS:
        raise AddressError("the address is too long")
    parts, query = _split(app)
    url_parts, url_query = _split(url)
    parts = parts or url_parts
    if parts[:1] != [APP] or len(parts) > 2:  # noqa: PLR2004  application and key
        raise AddressError(
            f"there is no application of this name; the address ends in /{APP}/ and a key"
        )
    if len(parts) == 1 and url_parts[:1] == [APP]:
        parts = url_parts
    return ServerAddress("".join(parts[1:2]), query or url_query, url)


def parse_stream(server: ServerAddress, name: str) -> tuple[str, str]:
    """Return the name of a stream and its query, or an empty text; raises `AddressError`."""
    if len(name) > 2 * MAX_ADDRESS_CHARS:
        raise AddressError("the key is too long")
    parts, query = _split(name)
    if len(parts) > 1 and parts[0] == APP:
        # The whole address was pasted as the key.
        parts = parts[1:]
    key = "/".join(parts) or server.key
    if server.key and key != server.key:
        raise AddressError("the server and the key name two streams; put the key into one of them")
    if not key:
        raise AddressError(f"the key is missing; it follows /{APP}/ in the address")
    if len(key) > MAX_NAME_CHARS or len(query) > MAX_ADDRESS_CHARS or "/" in key:
        raise AddressError("no stream has such a name")
    return key, query or server.query


def _split(address: str) -> tuple[list[str], str]:
    """Return the parts of the path of an address, and its query, without what is around them."""
    path, _, query = strip_pasted(address).partition("?")
    _, is_url, rest = path.partition("://")
    if is_url:
        path = rest.partition("/")[2]
    parts = [part for part in map(strip_pasted, path.split("/")) if part]
    return parts, strip_pasted(query)
