"""The same-origin check of requests that change something."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers


def is_same_origin(headers: Headers, pages: str) -> bool:
    """Tell whether the Origin header, if any, is that of our pages or of the requested host.

    A program sends no Origin: it has no browser that a foreign page could misuse.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    host = headers.get("host", "")
    own = urlsplit(pages)
    return origin in (f"{own.scheme}://{own.netloc}", f"http://{host}", f"https://{host}")
