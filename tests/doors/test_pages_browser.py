"""The pages in a real browser: they render, complain of nothing, and ask nobody else."""

from pathlib import Path

import pytest

from homeroom.contract.catalogue import ACTIONS
from tests.support.browser import NoBrowserError, Visit, visit
from tests.support.serving import House, running_house

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Run a server of its own: the pages know no database, so one engine will do."""
    with running_house(tmp_path_factory.mktemp("pages"), None, "sqlite") as house:
        yield house


def look(url: str, folder: Path) -> Visit:
    try:
        return visit(url, folder)
    except NoBrowserError as none:
        pytest.skip(str(none))


def test_the_docs_render_by_themselves(house: House, tmp_path: Path) -> None:
    seen = look(f"{house.url}/docs", tmp_path)
    assert seen.console == []
    assert seen.requested == {"127.0.0.1"}
    assert "<title>Homeroom API</title>" in seen.dom
    for action in ACTIONS:
        assert f'data-path="{action.door}?action={action.name}"' in seen.dom
    assert 'data-path="/admin/v1/classes/{classId}/clips"' in seen.dom
    assert "No operations defined" not in seen.dom


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_first_page_renders_by_itself(house: House, tmp_path: Path, language: str) -> None:
    seen = look(f"{house.url}/?lang={language}", tmp_path)
    assert seen.console == []
    assert seen.requested == {"127.0.0.1"}
    assert f"{house.url}/partner/api/course.api.php" in seen.dom
