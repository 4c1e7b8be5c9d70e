"""The addresses under which a class or a course is watched."""

from dataclasses import dataclass

from homeroom.base.keys import digest
from homeroom.domain.lessons import Lesson, Stream


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where the pages and the streams are reached from outside; no slash at the end."""

    pages: str
    rtmp: str
    http: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """What `more_data` tells of a class; empty where there is nothing to watch (READINGS Q9)."""

    live_url: str = ""
    rtmp: str = ""
    hls: str = ""
    flv: str = ""


def signed(name: str, expires_at: int, key: str) -> Stream:
    """Bind a stream name to a class: md5(KEY + StreamName + txTime), as the seed's addresses."""
    return Stream(name, digest(f"{key}{name}{expires_at:x}"), expires_at)


def addresses(lesson: Lesson, hosts: Hosts) -> Addresses:
    """Return the addresses of a class by the seed's four rules."""
    if not lesson.switches.record:
        return Addresses()
    page = f"{hosts.pages}/live.php?lessonKey={lesson.key}"
    if lesson.stream is None:
        return Addresses(page)
    name, signature, expires_at = (
        lesson.stream.name,
        lesson.stream.signature,
        lesson.stream.expires_at,
    )
    query = f"txSecret={signature}&txTime={expires_at:x}"
    return Addresses(
        page,
        rtmp=f"{hosts.rtmp}/live/{name}?{query}",
        hls=f"{hosts.http}/live/{name}.m3u8?{query}",
        flv=f"{hosts.http}/live/{name}.flv?{query}",
    )
