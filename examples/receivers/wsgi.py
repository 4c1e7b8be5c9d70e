"""A receiver of messages as a WSGI application, for Flask and Django.

Flask:   DispatcherMiddleware(app.wsgi_app, {"/hook": make_receiver(secret, handle)})
Django:  a view that is csrf_exempt calls answer(request.body, request.headers, secret, handle)
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from homeroom.receive import (
    ACKNOWLEDGEMENT,
    MessageFormatError,
    ReceivedMessage,
    SignatureError,
    parse,
    verify,
)

Handle = Callable[[ReceivedMessage], None]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def answer(
    content: bytes, headers: Mapping[str, str], secret: str, handle: Handle
) -> tuple[str, bytes]:
    """Return status and body for a message; `handle` skips a message whose id it has."""
    try:
        verify(content, secret, headers)
        message = parse(content)
    except SignatureError:
        return "401 Unauthorized", b"{}"
    except MessageFormatError:
        return "400 Bad Request", b"{}"
    if not message.is_test:
        handle(message)
    return "200 OK", ACKNOWLEDGEMENT


def make_receiver(
    secret: str, handle: Handle
) -> Callable[[dict[str, Any], StartResponse], Iterable[bytes]]:
    """Return a WSGI application that receives messages."""

    def serve(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        content = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {
            name.removeprefix("HTTP_").replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        status, body = answer(content, headers, secret, handle)
        start_response(status, [("Content-Type", "application/json")])
        return [body]

    return serve
