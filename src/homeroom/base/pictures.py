"""Pictures that people upload: what they are, by their bytes and not by their names."""

import io
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

FORMATS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its bytes, its file ending, its width and height in pixels."""

    content: bytes
    extension: str
    width: int
    height: int


def parse_picture(content: bytes) -> Picture | None:
    """Recognise a picture of an allowed type; none for anything else."""
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
