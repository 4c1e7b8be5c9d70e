"""Uploaded pictures: the format is detected from the bytes, not from the name."""

import io
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

FORMATS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its bytes, its file extension, its width and height in pixels."""

    content: bytes
    extension: str
    width: int
    height: int


def parse_picture(content: bytes) -> Picture | None:
    """Return a picture of an allowed format, or None for any other content."""
    try:
        with Image.open(io.BytesIO(content), formats=tuple(FORMATS)) as image:
            width, height = image.size
            ending = FORMATS[image.format or ""]
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        KeyError,
        SyntaxError,
        Image.DecompressionBombError,
    ):
        return None
    return Picture(content, ending, width, height)
