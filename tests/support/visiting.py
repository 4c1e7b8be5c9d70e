"""Actions of people on the pages of a class, in a browser."""

import re

from playwright.sync_api import Page

from tests.support.engine import until

STEP = 0.4
"""Seconds of picture after which it counts as moving."""
_WATCHED = """(selector) => {
  const video = document.querySelector(selector);
  return video && video.videoWidth && !video.paused
    ? [video.currentTime, video.videoWidth, video.videoHeight] : null;
}"""


def moving(page: Page, picture: str = "#player") -> tuple[int, int]:
    """Wait until the picture moves, and return its width and height in pixels."""
    selector = f"{picture} video"
    first: float | None = None
    size = (0, 0)

    def has_moved() -> bool:
        nonlocal first, size
        # Time and size at once: the page may replace its player at any moment.
        watched: tuple[float, int, int] | None = page.evaluate(_WATCHED, selector)
        if watched is None:
            first = None
            return False
        at, width, height = watched
        size = (width, height)
        # A picture that comes back begins again at 0.
        first = at if first is None else min(first, at)
        return at > first + STEP

    until(has_moved)
    return size


def say(page: Page, text: str) -> None:
    """Write a message and send it."""
    page.locator("#message-input").fill(text)
    page.locator("#message-input").press("Enter")


def introduce(page: Page, name: str, telephone: str) -> None:
    """Fill the form that asks who one is before the first message."""
    page.locator(".guest-dialog").wait_for()
    page.locator(".guest-dialog [name=nickname]").fill(name)
    page.locator(".guest-dialog [name=telephone]").fill(telephone)
    page.locator(".guest-dialog [name=telephone]").press("Enter")
    page.locator(".guest-dialog").wait_for(state="hidden")


def log_in(page: Page, account: str, password: str, form: str = "#login-gate") -> None:
    """Fill the login form and send it."""
    page.locator(f"{form} [name=account]").fill(account)
    page.locator(f"{form} [name=password]").fill(password)
    page.locator(f"{form} [name=password]").press("Enter")


def hears(page: Page, text: str) -> None:
    """Wait until a message that the server has is in the chat."""
    said = page.locator("#chat li:not(.is-pending) .message-text")
    said.filter(has_text=re.compile(f"^{re.escape(text)}$")).first.wait_for()


def heard(page: Page) -> list[str]:
    """Return the messages in the chat."""
    return page.locator("#chat li .message-text").all_inner_texts()
