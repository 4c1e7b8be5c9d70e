"""The addresses under which a class or a course is watched, and pushed."""

from dataclasses import dataclass

from homeroom.domain.lessons import Lesson, StreamSignature
from homeroom.domain.streams import APP


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where the pages and the streams are reached from outside; no slash at the end."""

    pages: str
    rtmp: str
    http: str
    push: str = ""
    """Where streams are pushed to; empty where nothing takes them."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """What `more_data` tells of a class; empty where there is nothing to watch (READINGS Q9)."""

    live_url: str = ""
    rtmp: str = ""
    hls: str = ""
    flv: str = ""


def addresses(lesson: Lesson, hosts: Hosts) -> Addresses:
    """Return the addresses of a class by the seed's four rules."""
    if not lesson.recording.record:
        return Addresses()
    page = f"{hosts.pages}/live.php?lessonKey={lesson.key}"
    if lesson.stream is None:
        return Addresses(page)
    return pull_addresses(lesson.key, lesson.stream, hosts, page)


def pull_addresses(name: str, proof: StreamSignature, hosts: Hosts, page: str = "") -> Addresses:
    """Return where a stream is pulled."""
    return Addresses(
        page,
        rtmp=f"{hosts.rtmp}/{APP}/{name}?{proof.query}",
        hls=f"{hosts.http}/{APP}/{name}.m3u8?{proof.query}",
        flv=f"{hosts.http}/{APP}/{name}.flv?{proof.query}",
    )


def push_address(name: str, proof: StreamSignature, hosts: Hosts) -> str:
    """Return where a stream is pushed to."""
    return f"{hosts.push}/{APP}/{name}?{proof.query}"
