"""The pages in a real browser: they render without errors and use no other host."""

from collections.abc import Iterator

import pytest

from homeroom.contract.catalogue import ACTIONS
from tests.support.browser import Browser
from tests.support.serving import House, running_house

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run a server of its own: the pages know no database, so one engine will do."""
    with running_house(tmp_path_factory.mktemp("pages"), None, "sqlite") as house:
        yield house


def test_the_docs_render_by_themselves(house: House, browser: Browser) -> None:
    with browser.opened(f"{house.url}/docs") as seen:
        last = ACTIONS[-1]
        end = last.v2.path if last.is_v2 else last.name
        seen.page.locator(f'[data-path$="{end}"]').wait_for()
        assert seen.page.title() == "Homeroom API"
        for action in ACTIONS:
            path = action.v2.path if action.is_v2 else f"{action.v1.path}?action={action.name}"
            assert seen.page.locator(f'[data-path="{path}"]').count()
        assert seen.page.locator('[data-path="/admin/v1/classes/{classId}/clips"]').count()
        assert seen.page.get_by_text("No operations defined").count() == 0
        assert seen.console == []
        assert seen.requested == {"127.0.0.1"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_first_page_renders_by_itself(house: House, browser: Browser, language: str) -> None:
    with browser.opened(f"{house.url}/?lang={language}") as seen:
        assert seen.page.get_by_text(f"{house.url}/partner/api/course.api.php").count()
        assert seen.console == []
        assert seen.requested == {"127.0.0.1"}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_everybody_can_read_the_first_page(
    house: House, browser: Browser, language: str, *, dark: bool
) -> None:
    with browser.opened(house.url, language=language, dark=dark, width=360) as seen:
        assert seen.violations() == []
        assert seen.width() <= 360
