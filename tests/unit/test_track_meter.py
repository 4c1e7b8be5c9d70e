"""When a track of a publish session counts as missing."""

from homeroom.media.engine.stream_facts import TrackMeter


def slides() -> tuple[TrackMeter, TrackMeter]:
    """Return the meters of three slides, one a second, and of their sound; the last at 2 s."""
    video, audio = TrackMeter(), TrackMeter()
    for time in range(0, 2_001, 20):
        if time % 1_000 == 0:
            video.add(1, time, time / 1000, audio)
        audio.add(1, time, time / 1000, video)
    return video, audio


def test_a_connection_that_stalls_lacks_the_sound_no_sooner_than_the_picture() -> None:
    """Case M7: a pause of the network between two slides was reported as a pause of the sound."""
    video, audio = slides()
    for now, is_missing in ((4.0, False), (4.6, True)):
        assert video.is_missing(now, 0, audio) is is_missing
        assert audio.is_missing(now, 0, video) is is_missing


def test_slides_that_go_on_lack_a_sound_that_stops() -> None:
    video, audio = slides()
    video.add(1, 3_000, 3.0, audio)
    assert not audio.is_missing(3.0, 0, video)
    video.add(1, 4_000, 4.0, audio)
    assert audio.is_missing(4.0, 0, video)
    assert not video.is_missing(4.0, 0, audio)


def test_slides_lack_a_sound_that_has_not_begun_as_soon_as_a_second_one_comes() -> None:
    video, audio = TrackMeter(), TrackMeter()
    audio.is_announced = True
    video.add(1, 0, 0.0, audio)
    assert not audio.is_missing(0.9, 0, video)
    video.add(1, 1_000, 1.0, audio)
    assert audio.is_missing(1.1, 0, video)


def test_a_stall_between_two_slides_is_one_of_both_tracks_at_once() -> None:
    """The sound went on for most of a slide before the connection stalled."""
    video, audio = slides()
    for time in range(2_020, 2_801, 20):
        audio.add(1, time, time / 1000, video)
    for now, is_missing in ((5.2, False), (5.4, True)):
        assert video.is_missing(now, 0, audio) is is_missing
        assert audio.is_missing(now, 0, video) is is_missing


def test_after_a_stall_each_track_has_its_time_to_come_back() -> None:
    """The sender's clock went on meanwhile; its sound comes first."""
    video, audio = slides()
    audio.add(1, 7_000, 7.0, video)
    assert not audio.is_missing(7.0, 0, video)
    assert not video.is_missing(7.0, 0, audio)
    for time in range(7_020, 9_561, 20):
        audio.add(1, time, time / 1000, video)
    assert video.is_missing(9.56, 0, audio)


def test_a_track_that_was_missing_before_a_stall_is_missing_after_it() -> None:
    video, audio = slides()
    for time in range(2_020, 6_001, 20):
        audio.add(1, time, time / 1000, video)
    assert video.is_missing(6.0, 0, audio)
    audio.add(1, 9_000, 9.0, video)
    assert video.is_missing(9.0, 0, audio)


def test_the_second_slide_may_come_a_little_later_than_after_a_second() -> None:
    video, audio = TrackMeter(), TrackMeter()
    video.add(1, 0, 0.0, audio)
    for time in range(0, 1_641, 20):
        audio.add(1, time, time / 1000, video)
        assert video.is_missing(time / 1000, 0, audio) is (time > 1_600)
