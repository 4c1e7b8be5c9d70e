"""Calendar files (iCalendar, RFC 5545) for classes."""

from datetime import UTC, datetime
from unicodedata import category

from homeroom.base.clock import Moment
from homeroom.store.records import PublicLesson

MAX_LINE_BYTES = 75
"""Longest line of a file, without its line break."""
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def calendar_file(seen: PublicLesson, url: str, host: str, now: Moment) -> bytes:
    """Return a calendar file with one event: the class, whose page has this URL."""
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
    """Return an escaped text, without control characters that could end its line."""
    lines = "\n".join(line for line in text.splitlines() if line.strip())
    return "".join(
        character for character in lines if character == "\n" or category(character) != "Cc"
    ).translate(_ESCAPED)


def _fold_line(line: str) -> bytes:
    """Return a line, folded between characters to the maximum length, with a line break."""
    parts, part = [], b""
    for character in line:
        encoded = character.encode()
        if len(part) + len(encoded) > MAX_LINE_BYTES:
            parts.append(part)
            part = b" "
        part += encoded
    return b"\r\n".join((*parts, part)) + b"\r\n"
