"""Networks: what counts as one address in a limit."""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

IPV6_PREFIX_BITS = 64
"""The smallest network that a provider assigns to one customer counts as one address."""


@lru_cache(4096)
def network_of(address: str) -> str:
    """Return the network that counts as one address: an IPv4 address, or an IPv6 /64."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if not isinstance(ip, IPv6Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip_network((int(ip), IPV6_PREFIX_BITS), strict=False))
