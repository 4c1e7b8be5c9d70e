"""Pictures to upload, drawn here."""

import io

from PIL import Image


def png(width: int = 300, height: int = 300, *, kind: str = "PNG") -> bytes:
    """Draw a picture of one colour."""
    content = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(content, kind)
    return content.getvalue()


def padded(content: bytes, size: int) -> bytes:
    """Make a picture as many bytes long as asked; what follows its end is no matter to readers."""
    return content + b"\0" * (size - len(content))
