"""Public addresses of classes: page, links into them, pull and push."""

from urllib.parse import quote, urlencode, urlsplit

from homeroom.base.values import Value
from homeroom.domain.lessons import Lesson
from homeroom.domain.stream_signatures import StreamSignature
from homeroom.domain.streams import APP

IOS_ENTRY_PATH = "/client/mobile/ios/enterclass/"
INVOKE_PATH = "/client/invoke/index.html"
"""Web paths of the links into a class (READINGS Q73)."""


class Hosts(Value, frozen=True):
    """Public base URLs of the pages and the streams, without a slash at the end."""

    pages: str
    rtmp: str
    http: str
    push: str = ""
    """Base URL for pushing streams; empty if the server takes none."""
    links: str = ""
    """Base URL of the links into classes; empty if it is that of the pages."""


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
    page = build_page_url(lesson, hosts)
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


def build_page_url(lesson: Lesson, hosts: Hosts) -> str:
    """Return the address of the page of a class."""
    return f"{hosts.pages}/live.php?lessonKey={lesson.key}"


def build_client_link(lesson: Lesson, telephone: str, hosts: Hosts) -> str:
    """Return the link that opens a client in a class."""
    host = urlsplit(hosts.links or hosts.pages).netloc
    return f"classin://{host}/enterclass?{_build_entry_query(lesson, telephone)}"


def build_entry_url(lesson: Lesson, telephone: str, hosts: Hosts) -> str:
    """Return the web address that opens a class, for iOS."""
    base = hosts.links or hosts.pages
    return f"{base}{IOS_ENTRY_PATH}?{_build_entry_query(lesson, telephone)}"


def _build_entry_query(lesson: Lesson, telephone: str) -> str:
    fields = {
        "telephone": telephone,
        "classId": lesson.id,
        "courseId": lesson.course,
        "schoolId": lesson.school,
    }
    return urlencode(fields, quote_via=quote)
