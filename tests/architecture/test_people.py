"""Use cases of calls look people up in one place, which records and limits it (case S2)."""

import re
from pathlib import Path
from typing import Final

USE_CASES: Final = Path(__file__).parents[2] / "src" / "homeroom" / "usecases"
LOOK_UP: Final = re.compile(
    r"\buow\.accounts\.(?:get|find_by_names)\(|\.(?:find_candidates|list_candidates)\("
)
ALLOWED: Final = {
    "people.py": "the place itself",
    "accounts.py": "register: whoever is not found is registered, and naming is recorded",
    "lessons.py": "co-teachers that the class has already",
    "operations.py": "commands of the operator",
    "schools.py": "commands of the operator",
    "entry.py": "the answer is the same for strangers and for unknown users, and writes nothing",
    "page_content.py": "the account of a login-free link, for which the school vouches",
    "attendance.py": "persons who are in the class, for their own message",
    "classroom_closing.py": "persons who answered in the class, for its summary",
    "rehearsals.py": "persons of a script of the operator; only members of the class pass",
    "rehearsal_messages.py": "persons who are in the class, for the messages about them",
    "viewing.py": "a viewer who has logged in, for messages about them",
    "demo.py": "the demo's own people",
}
"""Modules that look people up themselves, and why they may."""


def test_only_one_module_looks_up_the_people_of_a_call() -> None:
    direct = {path.name for path in USE_CASES.glob("*.py") if LOOK_UP.search(path.read_text())}
    assert direct == ALLOWED.keys()
