"""ffmpeg and ffprobe, as independent publishers and players."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

PATIENCE: Final = 120
FFMPEG: Final = shutil.which("ffmpeg") or "ffmpeg"
FFPROBE: Final = shutil.which("ffprobe") or "ffprobe"
_QUIET: Final = ("-hide_banner", "-nostdin", "-v", "error")
_SHOWN: Final = ("-show_format", "-show_streams", "-of", "json")
missing = shutil.which("ffmpeg") is None
needs_ffmpeg = pytest.mark.skipif(missing, reason="there is no ffmpeg on this machine")


def source(
    path: Path,
    *,
    seconds: float = 4,
    rate: str = "25",
    gop: int = 25,
    size: str = "320x180",
    video: bool = True,
    audio: bool = True,
    b_frames: int = 0,
    sound_rate: int = 44100,
) -> Path:
    """Make an FLV whose payload is known."""
    inputs: list[str] = []
    codecs: list[str] = []
    if video:
        inputs += ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}"]
        codecs += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
        codecs += ["-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0"]
        codecs += ["-bf", str(b_frames)]
    if audio:
        inputs += ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate={sound_rate}"]
        codecs += ["-c:a", "aac", "-b:a", "64k"]
    run(*inputs, "-t", str(seconds), *codecs, "-f", "flv", str(path))
    return path


def open_gop(path: Path, *, seconds: float) -> Path:
    """Make an FLV with one IDR picture, and recovery points marked as keyframes after it."""
    run(
        *("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25"),
        *("-f", "lavfi", "-i", "sine=sample_rate=44100", "-t", str(seconds)),
        *("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "veryfast", "-g", "25", "-bf", "2"),
        *("-x264-params", "open-gop=1:scenecut=0", "-c:a", "aac", "-b:a", "32k"),
        *("-f", "flv", str(path)),
    )
    return path


def run(*args: str) -> bytes:
    """Run ffmpeg to its end and return what it printed; raises with what it complained of."""
    done = subprocess.run(
        [FFMPEG, *_QUIET, "-y", *args],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace")[-2000:])
    return done.stdout


class Publisher(subprocess.Popen[bytes]):
    """An ffmpeg that publishes."""

    def complaints(self) -> str:
        """Wait for its end and return what it complained of."""
        _, said = self.communicate(timeout=PATIENCE)
        return said.decode(errors="replace")

    def ends(self, seconds: float) -> bool:
        """Tell whether it ends within some seconds."""
        try:
            self.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


_started: list[Publisher] = []


def end_all() -> None:
    """End every publisher that a test has left."""
    while _started:
        publisher = _started.pop()
        if publisher.poll() is None:
            publisher.kill()
        publisher.communicate()


def push(source: Path, url: str, *more: str, realtime: bool = True) -> Publisher:
    """Publish a file, at its own pace or as fast as it goes, without touching its payload."""
    pace = ["-re"] if realtime else []
    publisher = Publisher(
        [FFMPEG, *_QUIET, *pace, "-i", str(source), "-c", "copy", *more, "-f", "flv", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    _started.append(publisher)
    return publisher


def probe(target: Path | str, *more: str) -> dict[str, Any]:
    """Return what ffprobe finds in a file or an address."""
    done = subprocess.run(
        [FFPROBE, "-v", "error", *more, *_SHOWN, str(target)],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode(errors="replace")[-2000:])
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def plays(path: Path, *more: str) -> str:
    """Decode a whole file and return what ffmpeg complains of: nothing, where it plays."""
    done = subprocess.run(
        [FFMPEG, *_QUIET, "-i", str(path), *more, "-f", "null", "-"],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.stderr.decode(errors="replace")


def payload(paths: Path | Sequence[Path], kind: str) -> str:
    """Return a hash of all packets' payload, `kind` v or a, of one file or several in a row."""
    digest = hashlib.sha256()
    for path in [paths] if isinstance(paths, Path) else paths:
        more = ["-bsf:v", "h264_mp4toannexb"] if kind == "v" else []
        raw = "h264" if kind == "v" else "data"
        digest.update(
            run("-i", str(path), "-map", f"0:{kind}", "-c", "copy", *more, "-f", raw, "-")
        )
    return digest.hexdigest()


def frames(path: Path, kind: str) -> list[str]:
    """Return a hash of each packet's payload, `kind` v or a, in the order of decoding."""
    more = ["-bsf:v", "h264_mp4toannexb,filter_units=pass_types=1-5"] if kind == "v" else []
    said = run(
        *("-i", str(path), "-map", f"0:{kind}", "-c", "copy", *more),
        *("-f", "framehash", "-hash", "md5", "-"),
    )
    lines = [line for line in said.decode().splitlines() if not line.startswith("#")]
    return [line.rpartition(",")[2].strip() for line in lines]


class MediaPacket(NamedTuple):
    """A packet that ffprobe finds in a file; times are in milliseconds."""

    at: float
    """When it is decoded."""
    shown_at: float
    duration: float
    is_key: bool
    digest: str
    """MD5 of its payload as it stands in the file."""


def packets(path: Path, kind: str) -> list[MediaPacket]:
    """Return the packets of a track, `kind` v or a, in the order of decoding."""
    return tracks(path)[kind]


def tracks(path: Path) -> dict[str, list[MediaPacket]]:
    """Return the packets of both tracks, v and a, each in the order of decoding."""
    found: dict[str, list[MediaPacket]] = {"v": [], "a": []}
    for fields in probe(path, "-show_packets", "-show_data_hash", "md5")["packets"]:
        packet = MediaPacket(
            1000 * float(fields["dts_time"]),
            1000 * float(fields["pts_time"]),
            1000 * float(fields.get("duration_time", 0)),
            "K" in fields["flags"],
            fields["data_hash"].removeprefix("MD5:"),
        )
        found[fields["codec_type"][0]].append(packet)
    return found
