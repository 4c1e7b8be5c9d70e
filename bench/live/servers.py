"""The servers that are measured, each as a process of its own with a folder of its own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.live.source import CACHE
from bench.live.wire import HOST, NAME
from tests.support.engine import running_engine, until

ROOT = Path(__file__).parents[2]
MODULE = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
NODE_MEDIA_SERVER = "node-media-server@4.4.3"

NGINX = """
load_module {module};
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
rtmp {{
  server {{
    listen {host}:{rtmp};
    application live {{
      live on;
      hls on;
      hls_path {folder}/hls;
      hls_fragment 1s;
      hls_playlist_length 6s;
      record all;
      record_path {folder}/recordings;
      record_unique on;
    }}
  }}
}}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 100000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  types {{ application/vnd.apple.mpegurl m3u8; video/mp2t ts; }}
  server {{
    listen {host}:{http};
    location /hls {{
      root {folder};
      add_header Cache-Control no-cache;
      add_header Access-Control-Allow-Origin *;
    }}
  }}
}}
"""
NODE = """
const Server = require("node-media-server");
const [rtmp, http] = process.argv.slice(2, 4).map(Number);
new Server({bind: "127.0.0.1", notify: {}, store: {path: process.argv[4]}, rtmp: {port: rtmp},
            http: {port: http}, webadmin: {enable: false}}).run();
"""


class Missing(Exception):
    """A server that cannot be had here; the message says how to get it."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    rtmp: int
    """0 where nothing can be pushed."""
    http: int
    process: int
    """The process that was started; what it started itself counts as well."""
    recordings: Path
    paths: dict[str, str] = field(default_factory=dict)
    """Where a player finds the stream, by protocol; those it does not speak are not there."""

    def port(self, protocol: str) -> int:
        return self.rtmp if protocol == "rtmp" else self.http

    def push_urls(self, *names: str) -> list[str]:
        return [f"rtmp://{HOST}:{self.rtmp}/live/{name}" for name in names if self.rtmp]

    def processes(self) -> list[int]:
        """Return all processes of the server."""
        processes = [self.process]
        for process in processes:
            children = Path(f"/proc/{process}/task/{process}/children")
            processes += [int(child) for child in children.read_text().split()]
        return processes


Start = Callable[[], AbstractContextManager[Server]]


def homeroom(coalesce_ms: int) -> Start:
    """Return how our engine is started, with an API that allows everything."""

    @contextmanager
    def start() -> Iterator[Server]:
        with (
            _folder() as folder,
            running_engine(folder, coalesce_ms=coalesce_ms, log_level="error") as engine,
        ):
            paths = {
                "rtmp": "",
                "flv": f"/live/{NAME}.flv",
                "hls": f"/live/{NAME}.m3u8",
            }
            process = engine.process.pid
            recordings = folder / "recordings"
            yield Server(engine.rtmp_port, engine.http_port, process, recordings, paths)

    return start


@contextmanager
def nginx() -> Iterator[Server]:
    """Run nginx-rtmp as Debian has it, with one worker."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not (Path(program).exists() and MODULE.exists()):
        raise Missing("apt-get install nginx libnginx-mod-rtmp")
    with _folder() as folder:
        (folder / "recordings").mkdir()
        rtmp, http = _free_ports()
        # As root it would switch to a user that may not write into the folder.
        user = "user root;" if os.getuid() == 0 else ""
        text = NGINX.format(
            module=MODULE, user=user, folder=folder, host=HOST, rtmp=rtmp, http=http
        )
        (folder / "nginx.conf").write_text(text)
        command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        paths = {"rtmp": "", "hls": f"/hls/{NAME}.m3u8"}
        with _running(command, folder, rtmp, http) as process:
            yield Server(rtmp, http, process, folder / "recordings", paths)


@contextmanager
def node() -> Iterator[Server]:
    """Run node-media-server, installed by npm into a folder that is kept."""
    where = CACHE / NODE_MEDIA_SERVER
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        raise Missing("apt-get install nodejs npm")
    if not (where / "node_modules").exists():
        where.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
        command = [npm, "install", "--prefix", str(where), *quiet, NODE_MEDIA_SERVER]
        if subprocess.run(command, check=False).returncode:
            shutil.rmtree(where)
            raise Missing(f"npm install {NODE_MEDIA_SERVER} failed")
    with _folder() as folder:
        rtmp, http = _free_ports()
        script = where / "serve.js"
        script.write_text(NODE)
        paths = {"rtmp": "", "flv": f"/live/{NAME}.flv"}
        command = [program, str(script), str(rtmp), str(http), str(folder)]
        with _running(command, folder, rtmp, http) as process:
            yield Server(rtmp, http, process, folder / "recordings", paths)


@contextmanager
def limit() -> Iterator[Server]:
    """Run what only writes; it has a source of its own and takes no push."""
    with _folder() as folder:
        port, _ = _free_ports()
        command = [sys.executable, "-m", "bench.live.limit", str(port)]
        with _running(command, folder, port) as process:
            yield Server(0, port, process, folder, {"flv": "/"})


@contextmanager
def _running(command: list[str], folder: Path, *ports: int) -> Iterator[int]:
    """Run a server from when it listens until the block ends."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        until(lambda: all(map(_listens, ports)) or process.poll() is not None)
        if process.poll() is not None:
            raise RuntimeError((folder / "log").read_text())
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="homeroom-bench-", ignore_cleanup_errors=True) as path:
        yield Path(path)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port)):
        return True
    return False


def _free_ports() -> tuple[int, int]:
    with socket.create_server((HOST, 0)) as first, socket.create_server((HOST, 0)) as second:
        return first.getsockname()[1], second.getsockname()[1]
