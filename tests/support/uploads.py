"""Uploaded files for tests of what takes them, without a request."""

import hashlib
import io

from homeroom.contract.upload import Upload


def make_upload(name: str, content: bytes) -> Upload:
    """Return a file as a form brings it."""
    return Upload(name, io.BytesIO(content), len(content), hashlib.sha256(content).hexdigest())
