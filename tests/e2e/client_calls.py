"""Calls of the methods of published clients, and what is expected of each."""

from typing import Any, Final, NamedTuple

from tests.e2e.test_eeo_tour import Effect, no_effect

THERE: Final = (1,)
DAY: Final = 86_400
MEMBERS: Final = "courses/{course}/members"
SECOND: Final = "classes/{second}"
GUESTS: Final = "classes/{second}/members"


class Call(NamedTuple):
    """One call of a method, and what is expected of it."""

    method: str
    args: tuple[Any, ...] = ()
    more: dict[str, Any] = {}  # noqa: RUF012  nobody changes it
    save: dict[str, str] = {}  # noqa: RUF012  nobody changes it
    read: str = ""
    effect: Effect = no_effect
    errno: int = 1


def by(**more: Any) -> dict[str, Any]:  # noqa: ANN401  any JSON
    """Return named arguments."""
    return more


def person(number: str, member: int) -> dict[str, Any]:
    """Return an entry of registerMultiple."""
    return {"telephone": number, "password": "secret-2", "addToSchoolMember": member}
