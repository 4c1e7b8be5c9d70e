"""A receiver of messages as an ASGI application; FastAPI and Starlette mount it as it is.

FastAPI:    app.mount("/hook", MessageReceiver(secret, handle))
Starlette:  Mount("/hook", MessageReceiver(secret, handle))
uvicorn:    a module with app = MessageReceiver(secret, handle)
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from homeroom.receive import (
    ACKNOWLEDGEMENT,
    MessageFormatError,
    ReceivedMessage,
    SignatureError,
    parse,
    verify,
)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class MessageReceiver:
    """Verifies each message, hands it to a function once, and acknowledges it."""

    def __init__(self, secret: str, handle: Callable[[ReceivedMessage], None]) -> None:
        """Create a receiver; `handle` stores a message before it returns."""
        self._secret = secret
        self._handle = handle
        self._ids: set[str] = set()  # a database with a unique column, in a real receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        content, more = b"", True
        while more:
            event = await receive()
            content += event.get("body", b"")
            more = event.get("more_body", False)
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        status, body = self._answer(content, headers)
        head = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            verify(content, self._secret, headers)
            message = parse(content)
        except SignatureError:
            return 401, b"{}"
        except MessageFormatError:
            return 400, b"{}"
        if not message.is_test and message.id not in self._ids:
            self._handle(message)
            self._ids.add(message.id)
        return 200, ACKNOWLEDGEMENT
