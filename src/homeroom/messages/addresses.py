"""Addresses of receivers: those that no message may reach, unless the operator allows it.

Python's own `is_global` is not enough: on 3.11 it lets NAT64, 6to4 and multicast pass, all of which
lead into private networks.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

BLOCKED: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",  # unspecified, loopback, and IPv4-compatible addresses
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "0100::/64",
        "2001::/32",  # Teredo
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
"""Networks of this machine, of private networks, and of ways into them."""
PRIVATE: Final[tuple[Network, ...]] = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1",
        "fc00::/7",
    )
)
"""Loopback and private networks, which are free in the sandbox: a receiver in a container."""


class AddressGuard:
    """Decides which addresses messages may be sent to."""

    def __init__(self, allowed: Iterable[Network]) -> None:
        """Allow some networks in addition to the public ones."""
        self._allowed = tuple(allowed)

    def allows(self, text: str) -> bool:
        """Return whether messages may be sent to an IP address; False for another text."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if any(_contains(network, address) for network in self._allowed):
            return True
        return not any(_contains(network, address) for network in BLOCKED)


def _contains(network: Network, address: Address) -> bool:
    return network.version == address.version and address in network
