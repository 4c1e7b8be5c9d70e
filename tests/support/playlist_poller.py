"""Reads the playlist of a stream while a test plays it, and checks what comes."""

import threading
import time
from http.client import HTTPConnection, HTTPException
from typing import Self
from urllib.parse import urlsplit

from tests.support.playlist_checker import PlaylistChecker


class PlaylistPoller:
    """Reads a playlist ten times a second, as long as its block lasts, and checks it."""

    def __init__(self, url: str, checker: PlaylistChecker | None = None) -> None:
        self.checker = checker or PlaylistChecker()
        self._url = urlsplit(url)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        if kind is None:
            assert self.checker.done(), "no playlist came"

    def _run(self) -> None:
        client = HTTPConnection(self._url.hostname or "", self._url.port, timeout=20)
        while True:  # at least once, however short the block is
            try:
                client.request("GET", f"{self._url.path}?{self._url.query}".rstrip("?"))
                response = client.getresponse()
                text = response.read()
                if response.status == 200:
                    self.checker.add(text, time.monotonic())
            except (OSError, HTTPException):
                client.close()
            if self._is_over.wait(0.1):
                break
        client.close()
