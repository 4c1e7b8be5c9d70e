"""The sender of messages, as the delivery loop sees it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from homeroom.domain.deliveries import AttemptResult, StoredMessage
from homeroom.domain.endpoints import Endpoint

SendTest = Callable[[Endpoint], Awaitable[AttemptResult]]
"""Sends the test message to an endpoint."""


class Sender(Protocol):
    """Makes one attempt to send a message."""

    async def send(
        self,
        endpoint: Endpoint,
        message: StoredMessage,
        *,
        is_resend: bool,
        may_send: Callable[[], bool],
    ) -> AttemptResult | None:
        """Send a message to an endpoint, and return what came of it.

        `may_send` is called once more when the connection stands: if the lease of this server has
        ended, nothing is sent and the result is None. It raises nothing but
        `CancelledError`; when it is cancelled, its connection is closed at once.
        """

    async def close(self) -> None:
        """Close all connections."""
