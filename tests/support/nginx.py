"""nginx as the guides have it configured, in a folder of the test's own."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

GUIDES: Final = Path(__file__).parents[2] / "docs" / "guides"
NGINX: Final = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
MODULES: Final = Path("/usr/lib/nginx/modules")
STOP_SECONDS: Final = 30
TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
# Started by root it would become www-data, who may not write to pytest's folders.
USER: Final = "user root;" if os.geteuid() == 0 else ""


def needs_nginx(module: str) -> pytest.MarkDecorator:
    """Skip a test where there is no nginx with a module, as `stream`."""
    is_there = NGINX is not None and (MODULES / f"ngx_{module}_module.so").exists()
    reason = f"there is no nginx with libnginx-mod-{module} on this machine"
    return pytest.mark.skipif(not is_there, reason=reason)


def examples(guide: str, language: str = "nginx") -> list[str]:
    """Return the blocks of a language in a guide."""
    text = (GUIDES / guide).read_text()
    return re.findall(rf"^```{language}\n(.+?)^```$", text, re.DOTALL | re.MULTILINE)


def replaced(text: str, *pairs: tuple[str, object]) -> str:
    """Put what is there on this machine in place of what a guide names."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, str(new))
    return text


def free_ports(number: int) -> list[int]:
    """Return free ports."""
    taken = [socket.socket() for _ in range(number)]
    for one in taken:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports


@contextmanager
def running_nginx(folder: Path, module: str, http: str, outside: str) -> Iterator[None]:
    """Run nginx with a module, what is in its http block, and what is outside of it."""
    own = "\n".join(f"{kind}_temp_path {folder / kind};" for kind in TEMPORARY)
    config, log = folder / "nginx.conf", folder / "nginx.log"
    config.write_text(
        f"load_module {MODULES / f'ngx_{module}_module.so'};\n{USER}\npid {folder / 'pid'};\n"
        f"daemon off;\nevents {{}}\nhttp {{\naccess_log off;\n{own}\n{http}}}\n{outside}"
    )
    with log.open("wb") as said:
        nginx = subprocess.Popen(
            [str(NGINX), "-p", folder, "-c", config, "-e", log], stdout=said, stderr=said
        )
    try:
        yield
        assert nginx.poll() is None, log.read_text()
    finally:
        nginx.terminate()
        nginx.wait(STOP_SECONDS)
