"""A stream with one keyframe only: who is there from the start sees it, by FLV and by HLS."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import ffmpeg
from tests.support.browser import Browser, opened
from tests.support.ffmpeg import needs_ffmpeg
from tests.support.school import School, serving_school
from tests.support.visiting import moving

pytestmark = [pytest.mark.e2e, pytest.mark.browser, needs_ffmpeg]
SECONDS = 14
SHOWN_MS = 20_000


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with serving_school(tmp_path / "open") as school:
        yield school


def test_viewers_who_are_there_from_the_start_see_an_open_gop(
    school: School, browser: Browser, tmp_path: Path
) -> None:
    """Case M3: the right value of m06."""
    source = ffmpeg.open_gop(tmp_path / "open.flv", seconds=SECONDS)
    added = school.add(hours=1, className="Fractions")
    live_url = added.body["more_data"]["live_url"]
    with ExitStack() as stack:
        by_flv, by_hls = (stack.enter_context(browser.context()) for _ in range(2))
        # Without FLV the page plays HLS.
        by_hls.route("**/*.flv*", lambda route: route.abort())
        pages = [opened(context, live_url).page for context in (by_flv, by_hls)]
        ffmpeg.push(source, school.stream(added.data)["push_url"])
        try:
            for page in pages:
                page.locator("#player video").wait_for(timeout=SHOWN_MS)
            for page in pages:
                assert moving(page) == (128, 72)
        finally:
            ffmpeg.end_all()
