"""The wire as a client in the field speaks it, and what the tests observe of it."""

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from homeroom.testing.partner import PartnerClient, Value
from homeroom.testing.partner import PartnerReply as Reply
from tests.support.responses import check_response

__all__ = ["OBSERVED", "Partner", "Reply", "Value"]

FAULT: Final = re.compile(r"\bfault \d+ asked for it")
"""The reason of an errno that a fault asked for, at the top or in an entry."""


@dataclass
class Observed:
    """Every (action, errno, cause) that was seen on the wire."""

    pairs: set[tuple[str, int, str]] = field(default_factory=set)

    def see(self, action: str, reply: Reply) -> None:
        """Write down what an answer shows."""
        cause = "fault" if FAULT.search(reply.reason) else "natural"
        self.pairs.add((action, reply.errno, cause))
        for entry in reply.entries:
            errno = entry.get("errno", entry.get("code"))
            if errno is not None:  # else it is a row of a list
                self.pairs.add((action, errno, cause))

    def keep(self, folder: Path) -> None:
        """Save the observations in a folder, under a name that no other process takes."""
        (folder / f"{os.getpid()}.json").write_text(json.dumps(sorted(self.pairs)))


OBSERVED: Final = Observed()


class Partner(PartnerClient):
    """Calls the partner API as one school; keeps what it observes."""

    def post(self, action: str, **request: Any) -> Reply:  # noqa: ANN401  httpx's own parameters
        """Send a request as it is, and observe its response."""
        reply = super().post(action, **request)
        OBSERVED.see(action, reply)
        check_response(action, reply.body, by_fault=FAULT.search(reply.reason) is not None)
        return reply
