"""The body of a request, within limits."""

from http import HTTPStatus

from starlette.requests import ClientDisconnect, Request

from homeroom.web.problems import HTTPError


async def read_body(request: Request, most: int) -> bytes:
    """Return the body of a request; raises `HTTPError` where it has more bytes than `most`."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                detail = f"the body has more than {most} bytes"
                raise HTTPError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
    except ClientDisconnect:
        raise HTTPError(
            HTTPStatus.BAD_REQUEST, "the connection ended before the body did"
        ) from None
    return bytes(body)
