"""Headless Chromium: loads one page and tells what it showed, said and asked for."""

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

SECONDS = 90
PATIENCE_MS = 20_000
"""Of the page's own time, which runs as fast as the machine can."""


class NoBrowserError(Exception):
    """This machine has no Chromium."""


@dataclass(frozen=True)
class Visit:
    """What came of loading a page."""

    dom: str
    console: list[str]
    requested: set[str]
    """The hosts that were asked for something."""


def visit(url: str, folder: Path, *, width: int = 1440) -> Visit:
    """Load a page with a profile of its own, and without a way to any other machine."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise NoBrowserError("no Chromium here: install Debian's package `chromium`")
    net_log = folder / "net.json"
    done = subprocess.run(
        [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={net_log}",
            f"--virtual-time-budget={PATIENCE_MS}",
            f"--window-size={width},1000",
            "--enable-logging=stderr",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    console = re.findall(r"CONSOLE[^\"]*\"(.*)\", source:", done.stderr)
    return Visit(done.stdout, console, _hosts(net_log))


def _hosts(net_log: Path) -> set[str]:
    """Return the hosts of the requests that pages made; the browser's own carry no site."""
    log = json.loads(net_log.read_text())
    begun = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    urls = {
        event["params"]["url"]
        for event in log["events"]
        if event["type"] == begun
        and "url" in event.get("params", {})
        and event["params"].get("initiator", "not an origin") != "not an origin"
    }
    return {urlsplit(url).hostname or "" for url in urls if not url.startswith("data:")}
