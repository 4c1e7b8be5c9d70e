"""Addresses of the stored files that messages lead to: clips, chat archives, pictures (Q97)."""

from pathlib import PurePosixPath
from typing import Final

from homeroom.base.clock import Moment
from homeroom.domain.clips import sign_clip_url
from homeroom.domain.signed_urls import sign_url

PATH: Final = "/message-files"
CLIPS: Final = "clips/"
"""The folder of clips in the storage."""


def sign_message_file(pages_url: str, path: str, expires_at: Moment, key: str) -> str:
    """Return a URL that serves a stored file until a moment; it ends in the name of the file.

    A clip has the address that it has elsewhere: deleted clips are no longer served.
    """
    if path.startswith(CLIPS):
        return sign_clip_url(pages_url, PurePosixPath(path).stem, expires_at, key)
    return sign_url(f"{pages_url}{PATH}/{path}", message_file_subject(path), expires_at, key)


def message_file_subject(path: str) -> str:
    """Return what the URL of a stored file is signed for."""
    return f"message-file:{path}"
