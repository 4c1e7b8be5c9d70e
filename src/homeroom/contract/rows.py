"""Types that the rows of the read-back share."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


def describe_choice(description: str, *values: int | str) -> Meta:
    """Describe a value that is one of a few."""
    return Meta(description=description, extra_json_schema={"enum": list(values)})


Switch = Literal[0, 1]
IdNumber = Annotated[int, Meta(description="An id.")]
Timestamp = Annotated[int, Meta(description="Seconds since 1970 UTC.")]
Account = Annotated[
    str | None,
    Meta(
        description="Telephone number or e-mail address; masked, as 139****0001, where the school "
        "neither registered the account nor named it in a call."
    ),
]
Cancelled = Annotated[Switch, Meta(description="1: the account was cancelled.")]


class ReadBackRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A row of an answer; Python's names become the wire's."""
