"""The transport that collects the head and the body of an answer."""

import asyncio

from homeroom.web.http import _CoalescingTransport


class GoneTransport(asyncio.Transport):
    """A transport whose client has gone."""

    def __init__(self) -> None:
        super().__init__()
        self.is_gone = False
        self.data: list[bytes] = []

    def is_closing(self) -> bool:
        """Tell whether the client has gone."""
        return self.is_gone

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take data; like uvloop, fail after the end."""
        if self.is_gone:
            message = "the handler is closed"
            raise RuntimeError(message)
        self.data.append(bytes(data))


def test_a_client_that_goes_before_its_answer_is_no_error() -> None:
    async def run() -> list[bytes]:
        transport = GoneTransport()
        collected = _CoalescingTransport(transport, asyncio.get_running_loop())
        collected.write(b"head")
        collected.write(b"body")
        collected.write(b"late")
        transport.is_gone = True
        await asyncio.sleep(0)
        collected.write(b"later")
        await asyncio.sleep(0)
        return transport.data

    assert asyncio.run(run()) == [b"headbody"]
