"""Headless Chromium: pages of their own, what they asked for, and what is wrong with them."""

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, CDPSession, Page, sync_playwright

AXE: Final = Path(__file__).parents[1] / "assets" / "axe-core" / "axe.min.js"
SECONDS: Final = 20
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=document-user-activation-required",
)
_SHIFTS: Final = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const {value, hadRecentInput, sources} of list.getEntries()) {
    const what = sources.map(({node, previousRect: from, currentRect: to}) =>
      [(node?.outerHTML ?? node?.data ?? "").slice(0, 80), JSON.stringify([from, to])]);
    if (!hadRecentInput) window.shifts.push([value, what]);
  }
}).observe({type: "layout-shift", buffered: true});
"""


class NoBrowserError(Exception):
    """This machine has no Chromium."""


@dataclass
class Seen:
    """A page, and what came of looking at it."""

    page: Page
    console: list[str] = field(default_factory=list)
    """Errors and warnings."""
    requested: set[str] = field(default_factory=set)
    """The hosts that were asked for something."""
    weight: Counter[str] = field(default_factory=Counter)
    """Bytes on the wire of everything that arrived whole, by address."""

    def shifts(self) -> list[tuple[float, Any]]:
        """Return how much of the page has moved by itself each time (layout shift), and what."""
        return [(value, what) for value, what in self.page.evaluate("window.shifts")]

    def violations(self) -> list[str]:
        """Return what axe-core finds against the page as it stands."""
        # Half a megabyte goes this way in a third of the time that `evaluate` takes.
        session = self.page.context.new_cdp_session(self.page)
        session.send("Runtime.evaluate", {"expression": AXE.read_text() + "; undefined"})
        session.detach()
        found: list[dict[str, Any]] = self.page.evaluate(
            "async () => (await axe.run(document,"
            " {preload: false, resultTypes: ['violations']})).violations"
        )
        return [
            f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']]}"
            for one in found
        ]

    def width(self) -> int:
        """Return how wide the content is, in CSS pixels: more than the window is too wide."""
        return int(self.page.evaluate("document.documentElement.scrollWidth"))


class Browser:
    """One Chromium."""

    def __init__(self, chromium: Chromium) -> None:
        self._chromium = chromium

    @contextmanager
    def context(
        self,
        *,
        width: int = 1440,
        height: int = 900,
        dark: bool = False,
        language: str = "en",
        permissions: tuple[str, ...] = (),
        trusts_everybody: bool = False,
    ) -> Iterator[BrowserContext]:
        """Yield a new browser profile: it shares no data with others."""
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            permissions=list(permissions),
            ignore_https_errors=trusts_everybody,
            service_workers="block",
        )
        context.set_default_timeout(SECONDS * 1000)
        try:
            yield context
        finally:
            context.close()

    @contextmanager
    def opened(self, url: str, **how: Any) -> Iterator[Seen]:  # noqa: ANN401  as `context` has them
        """Open an address in a browser of its own."""
        with self.context(**how) as context:
            yield opened(context, url)


def opened(context: BrowserContext, url: str) -> Seen:
    """Open an address in a browser."""
    page = context.new_page()
    seen = Seen(page)
    page.on(
        "console",
        lambda said: seen.console.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: seen.console.append(str(error)))
    page.on(
        "request",
        lambda asked: (
            seen.requested.add(urlsplit(asked.url).hostname or "")
            if asked.url.startswith(("http", "ws"))
            else None
        ),
    )
    _weigh(context.new_cdp_session(page), seen)
    page.add_init_script(_SHIFTS)
    page.goto(url)
    return seen


def _weigh(session: CDPSession, seen: Seen) -> None:
    urls: dict[str, str] = {}
    session.send("Network.enable")
    session.on(
        "Network.requestWillBeSent",
        lambda event: urls.__setitem__(event["requestId"], event["request"]["url"]),
    )
    session.on(
        "Network.loadingFinished",
        lambda event: seen.weight.update(
            {urls.get(event["requestId"], ""): int(event["encodedDataLength"])}
        ),
    )


@contextmanager
def running_browser(*arguments: str) -> Iterator[Browser]:
    """Run a Chromium, with more arguments, until the block ends; raises `NoBrowserError`."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise NoBrowserError("no Chromium here: install Debian's package `chromium`")
    with ExitStack() as ends:
        try:
            playwright = ends.enter_context(sync_playwright())
        except Exception as failure:  # noqa: BLE001  it raises nothing narrower
            raise NoBrowserError(f"Playwright does not start here: {failure}") from None
        chromium = playwright.chromium.launch(
            executable_path=program, args=[*ARGUMENTS, *arguments]
        )
        ends.callback(chromium.close)
        yield Browser(chromium)
