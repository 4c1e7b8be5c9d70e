"""The addresses of a class, by the seed's four rules, and how pull addresses are signed."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.keys import digest
from homeroom.domain.lessons import (
    Audience,
    Hours,
    Lesson,
    Origin,
    Stage,
    Stream,
    Switches,
)
from homeroom.domain.webcasts import Addresses, Hosts, addresses, signed

KEY = "e12c46f2612d5106e2034781ab261ca3"
"""The key of the published example."""
HOSTS = Hosts("https://school.example", "rtmp://pull.example", "https://pull.example")
LESSON = Lesson(
    id=LessonId(1),
    school=SchoolId(1),
    course=CourseId(1),
    name="Class",
    hours=Hours(0, 3600),
    teacher=UserId(1),
    folder=None,
    stage=Stage(),
    switches=Switches(),
    audience=Audience(),
    is_locked=False,
    introduction="",
    identity=None,
    key="0fdc12bc3558164d",
    stream=None,
    origin=Origin.V1,
    closed_at=None,
    deleted_at=None,
    created_at=0,
)
STREAM = Stream("576f5a8c97d9", "f4bfe1afcf2592de61c11af9e0954c00", 0x7D8D37CD)
PAGE = "https://school.example/live.php?lessonKey=0fdc12bc3558164d"


def test_the_published_example_of_a_pull_signature_holds() -> None:
    """md5 over key, stream name and expiry, the last as it is printed in the address."""
    assert digest(f"{KEY}test{0x5C271099:X}") == "f85a2ab363fe4deaffef9754d79da6fe"


def test_a_stream_is_signed_with_the_expiry_as_the_address_prints_it() -> None:
    stream = signed("test", 0x5C271099, KEY)
    live = replace(LESSON, switches=Switches(record=True, live=True), stream=stream)
    query = parse_qs(urlsplit(addresses(live, HOSTS).flv).query)
    printed = query["txTime"][0]
    assert printed == "5c271099"
    assert int(printed, 16) == stream.expires_at
    assert query["txSecret"] == [stream.signature] == [digest(f"{KEY}test{printed}")]


def test_a_class_that_is_not_recorded_is_shown_nowhere() -> None:
    assert addresses(LESSON, HOSTS) == Addresses("", "", "", "")


def test_a_class_that_is_recorded_but_not_live_has_a_page_and_no_pull_address() -> None:
    recorded = replace(LESSON, switches=Switches(record=True, replay=True))
    assert addresses(recorded, HOSTS) == Addresses(PAGE, "", "", "")


def test_a_class_that_is_recorded_and_live_has_three_addresses_of_one_stream() -> None:
    live = replace(LESSON, switches=Switches(record=True, live=True), stream=STREAM)
    signature = "txSecret=f4bfe1afcf2592de61c11af9e0954c00&txTime=7d8d37cd"
    assert addresses(live, HOSTS) == Addresses(
        PAGE,
        f"rtmp://pull.example/live/576f5a8c97d9?{signature}",
        f"https://pull.example/live/576f5a8c97d9.m3u8?{signature}",
        f"https://pull.example/live/576f5a8c97d9.flv?{signature}",
    )


def test_pull_addresses_once_bound_stay_while_the_class_is_recorded() -> None:
    live = replace(LESSON, switches=Switches(record=True, live=True), stream=STREAM)
    no_longer_live = replace(live, switches=Switches(record=True))
    not_even_recorded = replace(live, switches=Switches())
    assert addresses(no_longer_live, HOSTS) == addresses(live, HOSTS)
    assert addresses(not_even_recorded, HOSTS) == Addresses()
