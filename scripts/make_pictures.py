"""Takes the pictures of README and guides: `.venv/bin/python scripts/make_pictures.py`.

Starts a demo school of its own, has people talk there, and looks at it in Chromium.
"""

import json
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack, chdir
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from playwright.sync_api import Page

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from homeroom.domain.viewers import sign_link  # noqa: E402  ours is found by the line above
from tests.support.browser import opened, running_browser  # noqa: E402  as the line above
from tests.support.chat import Chatter  # noqa: E402  as the line above
from tests.support.engine import until  # noqa: E402  as the line above
from tests.support.process import Process  # noqa: E402  as the line above

IMAGES: Final = ROOT / "docs" / "images"
SAMPLE: Final = ROOT / "src" / "homeroom" / "media" / "sample.flv"
WIDTH, HEIGHT = 1280, 800
SHOWN: Final = (
    "Math.max(...[...document.querySelectorAll('.player video')].map(v => v.currentTime))"
)
"""How many seconds of the picture have been shown."""
LATER: Final = 3
TALK: Final = (
    ("Amy Chen", "Good morning!"),
    ("Ben Okoye", "Hello everybody"),
    ("丁小明", "老师好"),
    ("Chloé Martin", "Is one half the same as two quarters?"),
    ("Amy Chen", "Yes: cut each half in two and you have four pieces"),
    ("Emil Novak", "So 3/4 is one half and one quarter"),
    ("Fatima Khan", "I like the cake"),
)


def main() -> None:
    """Take all pictures."""
    with ExitStack() as ends:
        data = Path(ends.enter_context(tempfile.TemporaryDirectory())) / "data"
        server = Process("--demo", "--sandbox", data=data)
        ends.callback(server.stop)
        # Chromium calls the camera as we call the file: no path of this machine is in a picture.
        ends.enter_context(chdir(data.parent))
        browser = ends.enter_context(
            running_browser(f"--use-file-for-fake-video-capture={camera()}")
        )
        context = ends.enter_context(browser.context(width=WIDTH, height=HEIGHT))

        location = httpx.get(f"{server.url}/demo", trust_env=False).headers["location"]
        key = parse_qs(urlsplit(location).query)["lessonKey"][0]
        live = opened(context, link(server, key, "Grace Lee")).page
        until(lambda: live.evaluate(SHOWN) > 0)
        live.get_by_role("button", name="Tap for sound").click()
        ends.enter_context(talking(server, key))
        live.get_by_text(TALK[-1][1]).wait_for()
        for _ in range(12):
            live.locator("#like").click()
        live.mouse.move(0, 0)
        live.wait_for_timeout(4000)  # the bar below the picture fades
        take(live, "live")

        (address,) = re.findall(r"^  teach +(\S+)$", server.output, re.MULTILINE)
        teach = opened(context, address).page
        ends.enter_context(talking(server, urlsplit(address).path.rpartition("/")[2][:16]))
        teach.get_by_role("button", name="Camera").click()
        teach.get_by_role("button", name="Go live").click()
        until(lambda: teach.evaluate(SHOWN) > LATER)
        take(teach, "teach")
        chat = teach.locator("#chat")
        chat.scroll_into_view_if_needed()
        chat.get_by_text(TALK[-2][1]).hover()
        teach.screenshot(path=IMAGES / "moderation.png", clip=chat.bounding_box())


def camera() -> str:
    """Make of the sample clip what a camera sees."""
    made = "Camera.mjpeg"
    options = ("-ss", "6", "-i", SAMPLE, "-an", "-q:v", "3", made)
    subprocess.run(["ffmpeg", "-v", "error", *options], check=True)  # noqa: S607  the machine's
    return made


def link(server: Process, key: str, name: str) -> str:
    """Return the login-free link of a viewer."""
    fields = {
        "lessonKey": key,
        "account": name,
        "nickname": name,
        "checkCode": sign_link(server.secret, key, name, name),
    }
    return f"{server.url}/live_partner.html?{urlencode(fields)}"


def talking(server: Process, key: str) -> ExitStack:
    """Have people come to a class, say what they have to say, and stay."""
    ends = ExitStack()
    people: dict[str, Chatter] = {}
    for name, text in TALK:
        if name not in people:
            page = httpx.get(link(server, key, name), trust_env=False).text
            (data,) = re.findall(r'id="page">(.+?)</script>', page)
            ticket = json.loads(data)["ticket"]
            people[name] = ends.enter_context(Chatter(server.url, f"/class/{key}", ticket))
        people[name].said(text)
    return ends


def take(page: Page, name: str) -> None:
    """Keep what a page shows."""
    page.screenshot(path=IMAGES / f"{name}.png")


main()
