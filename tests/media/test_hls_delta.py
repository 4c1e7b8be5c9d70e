"""Delta updates of HLS playlists, as players ask for them (RFC 8216bis, 6.2.5.1)."""

import pytest

from homeroom.media.engine.stream import LiveStream
from tests.support.listening import Listener, chunks, init
from tests.support.playlist import Playlist, read_playlist
from tests.support.playlist_checker import PlaylistChecker

LIST = "/live/s.m3u8?txSecret=a1&txTime=5C271099"
INIT = init()


def get(listener: Listener, path: str = LIST) -> str:
    status, body, _ = listener.get(path)
    assert status == 200, body
    return body.decode()


def differences(listener: Listener, skip: str = "YES") -> tuple[Playlist, list[str]]:
    """Return a delta update, and what is wrong with it."""
    checker = PlaylistChecker()
    full, delta = get(listener), get(listener, f"{LIST}&_HLS_skip={skip}")
    checker.add(full)
    checker.check_delta(full, delta)
    return read_playlist(delta), checker.faults


@pytest.mark.parametrize("skip", ["YES", "v2"])
def test_old_segments_are_skipped(listener: Listener, stream: LiveStream, skip: str) -> None:
    listener.add(stream, *chunks(INIT, 14.6))
    delta, faults = differences(listener, skip)
    assert faults == []
    assert delta.skipped == 4
    assert "_HLS" not in delta.text
    assert "#EXT-X-MAP" not in delta.text
    assert len(delta.text) < 0.9 * len(get(listener))


def test_what_is_too_new_is_not_skipped(listener: Listener, stream: LiveStream) -> None:
    listener.add(stream, *chunks(INIT, 6.2))
    delta, faults = differences(listener)
    assert (delta.skipped, faults) == (0, [])


def test_discontinuities_are_skipped_with_their_segments(
    listener: Listener, stream: LiveStream
) -> None:
    listener.add(stream, *chunks(INIT, 2.2))
    listener.do(stream.hls.discontinue)
    listener.add(stream, *chunks(init("second"), 6.4))
    listener.do(stream.hls.discontinue)
    listener.add(stream, *chunks(init("third"), 2))
    delta, faults = differences(listener)
    assert (delta.skipped, faults) == (4, [])
    assert delta.number("EXT-X-DISCONTINUITY-SEQUENCE", "") == 0
    assert delta.text.count("#EXT-X-DISCONTINUITY\n") == 1


def test_a_stream_that_has_ended_is_always_whole(listener: Listener, stream: LiveStream) -> None:
    listener.add(stream, *chunks(INIT, 14.6))
    listener.do(stream.hls.end)
    assert get(listener, f"{LIST}&_HLS_skip=YES") == get(listener)


def test_a_delta_update_waits_for_its_part(listener: Listener, stream: LiveStream) -> None:
    listener.add(stream, *chunks(INIT, 14.6))
    last = read_playlist(get(listener)).segments[-1]
    query = f"&_HLS_msn={last.number}&_HLS_part={len(last.parts) - 1}&_HLS_skip=YES"
    assert read_playlist(get(listener, LIST + query)).skipped == 4
    assert listener.get(f"{LIST}&_HLS_msn={last.number + 3}&_HLS_skip=YES")[0] == 400


def test_unknown_directives_are_ignored_and_wrong_ones_refused(
    listener: Listener, stream: LiveStream
) -> None:
    listener.add(stream, *chunks(INIT, 14.6))
    for query in ("_HLS_unknown=1", "_HLS_unknown", "_HLS_primary_id=x&_HLS_start_offset=0"):
        assert get(listener, f"{LIST}&{query}") == get(listener), query
    for query in ("_HLS_skip=NO", "_HLS_skip=", "_HLS_skip=yes", "_HLS_skip=V2", "_HLS_skip=1"):
        status, body, _ = listener.get(f"{LIST}&{query}")
        assert (status, body) == (400, b"_HLS_skip is YES or v2"), query
