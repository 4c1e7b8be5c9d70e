"""Checks the packets of AAC: frames before their header cannot be decoded."""

from collections import Counter
from collections.abc import Sequence

from homeroom.base.stream_problems import DropReason
from homeroom.media.engine.packets import Packet


class SoundCheck:
    """Checks the packets of one sound track; frames that cannot be decoded are dropped."""

    def __init__(self) -> None:
        self.dropped: Counter[DropReason] = Counter()
        """Number of dropped frames."""
        self.has_header = False

    def check(self, packet: Packet) -> Sequence[Packet]:
        """Return the packet, or nothing if it is a frame before the header."""
        if packet.is_header:
            self.has_header = True
        elif not self.has_header:
            self.dropped[DropReason.NO_HEADER] += 1
            return ()
        return (packet,)
