"""Public addresses of classes: live page, pull and push."""

from homeroom.base.values import Value
from homeroom.domain.lessons import Lesson
from homeroom.domain.stream_signatures import StreamSignature
from homeroom.domain.streams import APP


class Hosts(Value, frozen=True):
    """Public base URLs of the pages and the streams, without a slash at the end."""

    pages: str
    rtmp: str
    http: str
    push: str = ""
    """Base URL for pushing streams; empty if the server takes none."""


class StreamAddresses(Value, frozen=True):
    """The addresses in `more_data`; empty if there is nothing to watch (READINGS Q9)."""

    live_url: str = ""
    rtmp: str = ""
    hls: str = ""
    flv: str = ""


def build_lesson_addresses(
    lesson: Lesson, hosts: Hosts, source: Lesson | None = None
) -> StreamAddresses:
    """Return the addresses of a class, by the recording and live options of its source.

    The source is the class whose streams its page shows: by default the class itself.
    """
    source = source or lesson
    if not source.recording.record:
        return StreamAddresses()
    page = f"{hosts.pages}/live.php?lessonKey={lesson.key}"
    if source.stream is None:
        return StreamAddresses(page)
    return build_pull_addresses(source.key, source.stream, hosts, page)


def build_pull_addresses(
    name: str, signature: StreamSignature, hosts: Hosts, page: str = ""
) -> StreamAddresses:
    """Return the pull addresses of a stream."""
    return StreamAddresses(
        page,
        rtmp=f"{hosts.rtmp}/{APP}/{name}?{signature.query}",
        hls=f"{hosts.http}/{APP}/{name}.m3u8?{signature.query}",
        flv=f"{hosts.http}/{APP}/{name}.flv?{signature.query}",
    )


def build_push_address(name: str, signature: StreamSignature, hosts: Hosts) -> str:
    """Return the push address of a stream."""
    return f"{hosts.push}/{APP}/{name}?{signature.query}"
