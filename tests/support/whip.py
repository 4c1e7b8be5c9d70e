"""Browsers that go live: the gateway beside a test, and a page with something to send."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, TypeVar

from playwright.sync_api import Page

from homeroom.media.gateway_process import GatewayProcess

PATIENCE: Final = 30.0
T = TypeVar("T")


class Gateway:
    """The way to a gateway, with a loop of its own."""

    def __init__(self, **more: Any) -> None:  # noqa: ANN401  as `GatewayProcess` has them
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        settings = {"push_base": "", "address": None, "log_level": "info"} | more
        self.process = GatewayProcess(**settings)

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Do something where the gateway is known, and return what comes of it."""
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE)

    def start(self, push_url: str, offer: str) -> tuple[str, str]:
        """Go live; returns session and answer."""
        return self.do(self.process.start_session(push_url, offer))

    def close(self) -> None:
        """End it."""
        self.do(self.process.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()


@contextmanager
def running_gateway(**more: Any) -> Iterator[Gateway]:  # noqa: ANN401  as `GatewayProcess` has them
    """Have a gateway until the block ends; its process begins with the first session."""
    gateway = Gateway(**more)
    try:
        yield gateway
    finally:
        gateway.close()


SCRIPT: Final = b"""<!doctype html><title>a browser</title><canvas width=640 height=360></canvas>
<script>
const canvas = document.querySelector("canvas");
const paint = canvas.getContext("2d");
let lit = false, seen = [];
function draw() {
  paint.fillStyle = lit ? "white" : "black";
  paint.fillRect(0, 0, canvas.width, canvas.height);
  paint.fillStyle = "gray";
  paint.fillRect(performance.now() / 5 % canvas.width, 150, 40, 40);
  requestAnimationFrame(draw);
}
function media() {
  // A flash and a beep at once, of 200 ms, every second.
  draw();
  const context = new AudioContext({sampleRate: 48000});
  const tone = context.createOscillator(), gain = context.createGain();
  const out = context.createMediaStreamDestination();
  gain.gain.value = 0;
  tone.connect(gain).connect(out);
  tone.start();
  context.resume();
  setInterval(() => {
    lit = true; gain.gain.value = 0.8;
    setTimeout(() => { lit = false; gain.gain.value = 0; }, 200);
  }, 1000);
  return [...canvas.captureStream(25).getVideoTracks(), ...out.stream.getAudioTracks()];
}
const watcher = URL.createObjectURL(new Blob([`onrtctransform = async ({transformer}) => {
  const writer = transformer.writable.getWriter();
  for await (const frame of transformer.readable) {
    postMessage([...new Uint8Array(frame.data)]);
    writer.write(frame);
  }
}`]));
async function offer(kinds) {
  const pc = window.pc = new RTCPeerConnection();
  for (const track of media().filter((track) => kinds.includes(track.kind))) {
    const {sender} = pc.addTransceiver(track, {direction: "sendonly"});
    if (track.kind === "video") {
      const worker = new Worker(watcher);
      worker.onmessage = (event) => seen.push(event.data);
      sender.transform = new RTCRtpScriptTransform(worker);
    }
  }
  await pc.setLocalDescription();
  return pc.localDescription.sdp;
}
const answer = (sdp) => pc.setRemoteDescription({type: "answer", sdp});
</script>"""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(SCRIPT)))
        self.end_headers()
        self.wfile.write(SCRIPT)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def serving_page() -> Iterator[str]:
    """Serve the page until the block ends; returns its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


def offered(page: Page, *kinds: str) -> str:
    """Return what the page offers to send: video, audio, or both."""
    offer: str = page.evaluate("(kinds) => offer(kinds)", list(kinds))
    return offer


def go_live(gateway: Gateway, page: Page, push_url: str, *kinds: str) -> str:
    """Have the page send; returns the session."""
    session, answer = gateway.start(push_url, offered(page, *kinds))
    page.evaluate("(sdp) => answer(sdp)", answer)
    return session
