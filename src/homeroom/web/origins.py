"""Whether a request that changes something comes from a page of our own."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers


def is_same_origin(headers: Headers, pages: str) -> bool:
    """Tell whether the origin, where one is sent, is that of our pages or of the host asked.

    A program sends none: it has no user whose browser somebody else's page could use.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    host = headers.get("host", "")
    own = urlsplit(pages)
    return origin in (f"{own.scheme}://{own.netloc}", f"http://{host}", f"https://{host}")
