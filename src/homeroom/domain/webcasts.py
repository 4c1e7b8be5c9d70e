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
class StreamAddresses:
    """What `more_data` tells of a class; empty where there is nothing to watch (READINGS Q9)."""

    live_url: str = ""
    rtmp: str = ""
    hls: str = ""
    flv: str = ""


def build_lesson_addresses(lesson: Lesson, hosts: Hosts) -> StreamAddresses:
    """Return the addresses of a class by the seed's four rules."""
    if not lesson.recording.record:
        return StreamAddresses()
    page = f"{hosts.pages}/live.php?lessonKey={lesson.key}"
    if lesson.stream is None:
        return StreamAddresses(page)
    return build_pull_addresses(lesson.key, lesson.stream, hosts, page)


def build_pull_addresses(
    name: str, signature: StreamSignature, hosts: Hosts, page: str = ""
) -> StreamAddresses:
    """Return where a stream is pulled."""
    return StreamAddresses(
        page,
        rtmp=f"{hosts.rtmp}/{APP}/{name}?{signature.query}",
        hls=f"{hosts.http}/{APP}/{name}.m3u8?{signature.query}",
        flv=f"{hosts.http}/{APP}/{name}.flv?{signature.query}",
    )


def build_push_address(name: str, signature: StreamSignature, hosts: Hosts) -> str:
    """Return where a stream is pushed to."""
    return f"{hosts.push}/{APP}/{name}?{signature.query}"
