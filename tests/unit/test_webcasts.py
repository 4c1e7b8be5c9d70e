"""The addresses of a class, by the seed's four rules."""

from homeroom.base.ids import CourseId, LessonId, SchoolId, UserId
from homeroom.base.values import replace
from homeroom.domain.lessons import (
    ClassroomSettings,
    Hours,
    Lesson,
    Origin,
    RecordingOptions,
    WatchPolicy,
)
from homeroom.domain.stream_signatures import StreamSignature
from homeroom.domain.webcasts import Hosts, StreamAddresses, build_lesson_addresses

HOSTS = Hosts("https://school.example", "rtmp://pull.example", "https://pull.example")
LESSON = Lesson(
    id=LessonId(1),
    school=SchoolId(1),
    course=CourseId(1),
    name="Class",
    hours=Hours(0, 3600),
    teacher=UserId(1),
    folder=None,
    classroom=ClassroomSettings(),
    recording=RecordingOptions(),
    watch_policy=WatchPolicy(),
    is_locked=False,
    introduction="",
    identity=None,
    key="0fdc12bc3558164d",
    stream=None,
    origin=Origin.V1,
    closed_at=None,
    deleted_at=None,
    created_at=0,
    allows_check=True,
    main=None,
    uses_main_recording=False,
    has_subs=False,
)
STREAM = StreamSignature("f4bfe1afcf2592de61c11af9e0954c00", "7d8d37cd")
PAGE = "https://school.example/live.php?lessonKey=0fdc12bc3558164d"


def test_a_class_that_is_not_recorded_is_shown_nowhere() -> None:
    assert build_lesson_addresses(LESSON, HOSTS) == StreamAddresses("", "", "", "")


def test_a_class_that_is_recorded_but_not_live_has_a_page_and_no_pull_address() -> None:
    recorded = replace(LESSON, recording=RecordingOptions(record=True, replay=True))
    assert build_lesson_addresses(recorded, HOSTS) == StreamAddresses(PAGE, "", "", "")


def test_a_class_that_is_recorded_and_live_has_three_addresses_of_one_stream() -> None:
    live = replace(LESSON, recording=RecordingOptions(record=True, live=True), stream=STREAM)
    signature = "txSecret=f4bfe1afcf2592de61c11af9e0954c00&txTime=7d8d37cd"
    assert build_lesson_addresses(live, HOSTS) == StreamAddresses(
        PAGE,
        f"rtmp://pull.example/live/0fdc12bc3558164d?{signature}",
        f"https://pull.example/live/0fdc12bc3558164d.m3u8?{signature}",
        f"https://pull.example/live/0fdc12bc3558164d.flv?{signature}",
    )


def test_pull_addresses_once_bound_stay_while_the_class_is_recorded() -> None:
    live = replace(LESSON, recording=RecordingOptions(record=True, live=True), stream=STREAM)
    no_longer_live = replace(live, recording=RecordingOptions(record=True))
    not_even_recorded = replace(live, recording=RecordingOptions())
    assert build_lesson_addresses(no_longer_live, HOSTS) == build_lesson_addresses(live, HOSTS)
    assert build_lesson_addresses(not_even_recorded, HOSTS) == StreamAddresses()
