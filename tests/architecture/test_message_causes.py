"""Each of the 24 messages with a natural cause is written by a use case (Q88)."""

import re
from pathlib import Path
from typing import Final

from homeroom.contract.messages import catalogue as _bodies  # noqa: F401  it imports all bodies
from homeroom.contract.messages.body import find_body_type
from homeroom.contract.messages.kinds import KINDS, MessageKind, MessageSource

USE_CASES: Final = Path(__file__).parents[2] / "src" / "homeroom" / "usecases"


def test_each_natural_message_is_written_by_a_use_case() -> None:
    code = "\n".join(path.read_text() for path in USE_CASES.glob("*.py"))

    def is_written(kind: MessageKind) -> bool:
        body = find_body_type(kind)
        return body is not None and re.search(rf"\b{body.__name__}\(", code) is not None

    natural = [kind for kind, facts in KINDS.items() if facts.source is MessageSource.NATURAL]
    assert len(natural) == 24
    assert [kind for kind in natural if not is_written(kind)] == []
