"""The scripts and templates of the pages know the enums of the server, and no other values."""

import re
from pathlib import Path
from typing import Final

import pytest

from homeroom import player
from homeroom.domain.chat import ChatRefusal
from homeroom.player import wire
from homeroom.player.views import View
from homeroom.web.close_codes import CloseCode

PLAYER: Final = Path(player.__file__).parent
SCRIPTS: Final = sorted(PLAYER.glob("static/*.js"))
BY_NAME: Final = {enum.__name__: enum for enum in wire.ENUMS}


def test_the_scripts_have_the_enums_of_the_server() -> None:
    assert wire.FILE.read_text() == wire.render()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_uses_members_that_there_are(script: Path) -> None:
    source = script.read_text()
    imported = re.findall(r'import \{([^}]*)\} from "\./wire\.js"', source)
    names = {name.strip() for group in imported for name in group.split(",")} - {""}
    assert names <= BY_NAME.keys() | wire.LISTS.keys()
    for name in names & BY_NAME.keys():
        used = set(re.findall(rf"\b{name}\.(\w+)", source))
        assert used
        assert used <= BY_NAME[name].__members__.keys()


def test_every_refusal_has_a_text_or_a_remedy() -> None:
    """A guest form, a login form; a message that failed is sent again."""
    texts = (PLAYER / "texts" / "live.json").read_text()
    worded = set(re.findall(r'"chat\.no\.(\w+)"', texts))
    assert worded | {"guest", "login", "failed"} == set(ChatRefusal)


def test_scripts_name_no_close_code_by_its_number() -> None:
    numbers = "|".join(str(code.value) for code in CloseCode)
    for script in SCRIPTS:
        if script != wire.FILE:
            assert not re.search(rf"\b({numbers})\b", script.read_text()), script.name


def test_the_live_page_has_a_place_for_each_view_and_no_other() -> None:
    template = (PLAYER / "templates" / "live.html").read_text()
    places = set(re.findall(r'shown\("(\w+)"\)', template))
    (listed,) = re.findall(r'for name in \[([^\]]*"soon"[^\]]*)\]', template)
    covers = set(re.findall(r'"(\w+)"', listed)) - {"countdown"}
    assert places | covers == set(View)
