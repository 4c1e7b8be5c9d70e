"""A class as an entry of a calendar (RFC 5545)."""

from datetime import UTC, datetime
from unicodedata import category

from homeroom.base.clock import Moment
from homeroom.store.page_queries import PublicLesson

MAX_LINE_BYTES = 75
"""Bytes of a line, without its end."""
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def calendar_file(seen: PublicLesson, url: str, host: str, now: Moment) -> bytes:
    """Return the file that puts a class into a calendar; its page is at the URL."""
    lesson = seen.lesson
    description = f"{seen.teacher_name}\n{lesson.introduction}\n{url}"
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Homeroom//Homeroom//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{lesson.key}@{host}",
        f"DTSTAMP:{_format_moment(now)}",
        f"DTSTART:{_format_moment(lesson.hours.begin)}",
        f"DTEND:{_format_moment(lesson.hours.end)}",
        f"SUMMARY:{_escape_text(lesson.name)}",
        f"DESCRIPTION:{_escape_text(description)}",
        f"URL:{url}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return b"".join(_fold_line(line) for line in lines)


def _format_moment(moment: Moment) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y%m%dT%H%M%SZ}"


def _escape_text(text: str) -> str:
    """Return a text as a value: escaped, without controls that could end its line."""
    lines = "\n".join(line for line in text.splitlines() if line.strip())
    return "".join(one for one in lines if one == "\n" or category(one) != "Cc").translate(_ESCAPED)


def _fold_line(line: str) -> bytes:
    """Return a line with its end, broken where it is too long, never within a character."""
    parts, part = [], b""
    for letter in line:
        encoded = letter.encode()
        if len(part) + len(encoded) > MAX_LINE_BYTES:
            parts.append(part)
            part = b" "
        part += encoded
    return b"\r\n".join((*parts, part)) + b"\r\n"
