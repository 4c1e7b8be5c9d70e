"""The checker of playlists itself: it finds nothing in right ones, and each planted fault."""

import pytest

from tests.support.playlist_checker import RULES, PlaylistChecker

BEFORE = """#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.0,PART-HOLD-BACK=1.500
#EXT-X-PART-INF:PART-TARGET=0.500
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-DISCONTINUITY-SEQUENCE:1
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="s/i7.mp4?k=1"
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:00.000+00:00
#EXTINF:1.000,
s/s7.m4s?k=1
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:01.000+00:00
#EXTINF:1.000,
s/s8.m4s?k=1
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:02.000+00:00
#EXT-X-PART:DURATION=0.500,URI="s/p4.m4s?k=1",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.500,URI="s/p5.m4s?k=1"
#EXTINF:1.000,
s/s9.m4s?k=1
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="s/i10.mp4?k=1"
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:03.200+00:00
#EXT-X-PART:DURATION=0.500,URI="s/p6.m4s?k=1",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.500,URI="s/p7.m4s?k=1"
#EXTINF:1.000,
s/s10.m4s?k=1
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:04.200+00:00
#EXT-X-PART:DURATION=0.450,URI="s/p8.m4s?k=1",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s/p9.m4s?k=1"
"""
AFTER = """#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:1
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=6.0,PART-HOLD-BACK=1.500
#EXT-X-PART-INF:PART-TARGET=0.500
#EXT-X-MEDIA-SEQUENCE:8
#EXT-X-DISCONTINUITY-SEQUENCE:2
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MAP:URI="s/i7.mp4?k=1"
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:01.000+00:00
#EXTINF:1.000,
s/s8.m4s?k=1
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:02.000+00:00
#EXT-X-PART:DURATION=0.500,URI="s/p4.m4s?k=1",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.500,URI="s/p5.m4s?k=1"
#EXTINF:1.000,
s/s9.m4s?k=1
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="s/i10.mp4?k=1"
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:03.200+00:00
#EXT-X-PART:DURATION=0.500,URI="s/p6.m4s?k=1",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.500,URI="s/p7.m4s?k=1"
#EXTINF:1.000,
s/s10.m4s?k=1
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:04.200+00:00
#EXT-X-PART:DURATION=0.450,URI="s/p8.m4s?k=1",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.430,URI="s/p9.m4s?k=1"
#EXT-X-PART:DURATION=0.100,URI="s/p10.m4s?k=1"
#EXTINF:0.980,
s/s11.m4s?k=1
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s/p11.m4s?k=1"
"""
HINT = '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s/p11.m4s?k=1"\n'
PARTS = [
    f'#EXT-X-PART:DURATION=0.500,URI="s/p{number}.m4s?k=1",INDEPENDENT=YES\n'
    f'#EXT-X-PART:DURATION=0.500,URI="s/p{number + 1}.m4s?k=1"\n'
    for number in (4, 6)
]
MAP_OF_10 = """#EXT-X-MAP:URI="s/i10.mp4?k=1"
#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:03.200+00:00
"""
PLANTED = {
    "tags_occur_once": [(HINT, HINT + HINT), ("#EXT-X-VERSION:9\n", "#EXT-X-VERSION:9\n" * 2)],
    "needed_tags_are_there": [
        ("#EXT-X-TARGETDURATION:1\n", ""),
        ("#EXT-X-MEDIA-SEQUENCE:8\n", ""),
        ("#EXT-X-DISCONTINUITY-SEQUENCE:2\n", ""),
        ("#EXT-X-PART-INF:PART-TARGET=0.500\n", ""),
        (",PART-HOLD-BACK=1.500", ""),
        ("CAN-BLOCK-RELOAD=YES,", ""),
        ("#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:04.200+00:00\n", ""),
    ],
    "tags_stand_in_order": [
        (
            MAP_OF_10 + PARTS[1],
            PARTS[1] + MAP_OF_10,
        ),
        (HINT, "#EXT-X-DISCONTINUITY-SEQUENCE:2\n" + HINT),
    ],
    "version_fits": [("VERSION:9", "VERSION:5"), ("VERSION:9", "VERSION:2")],
    "segments_fit_the_target": [("#EXTINF:0.980", "#EXTINF:1.500")],
    "parts_fit_the_target": [("DURATION=0.430", "DURATION=0.501")],
    "parts_are_long_enough": [("DURATION=0.430", "DURATION=0.420")],
    "parts_add_up": [("#EXTINF:0.980", "#EXTINF:0.950")],
    "parts_are_at_the_end": [
        (
            "#EXTINF:1.000,\ns/s9",
            "#EXTINF:1.000,\ns/s8b.m4s?k=1\n" * 9 + "#EXTINF:1.000,\ns/s9",
        ),
        (
            PARTS[1],
            "",
        ),
    ],
    "hold_backs_are_long_enough": [
        ("PART-HOLD-BACK=1.500", "PART-HOLD-BACK=1.400"),
        ("PART-HOLD-BACK=1.500", "PART-HOLD-BACK=1.500,HOLD-BACK=2.9"),
    ],
    "skip_boundary_is_far_enough": [("CAN-SKIP-UNTIL=6.0", "CAN-SKIP-UNTIL=5.9")],
    "maps_come_first": [('#EXT-X-MAP:URI="s/i7.mp4?k=1"\n', "")],
    "changed_maps_are_discontinuities": [
        ("#EXT-X-DISCONTINUITY\n#EXT-X-MAP", "#EXT-X-MAP"),
    ],
    "dates_go_on": [
        ("10:00:02.000", "10:00:01.990"),
        ("10:00:02.000", "10:00:02.010"),
        ("10:00:03.200", "10:00:01.900"),
    ],
    "addresses_are_relative_and_signed": [
        ("s/s9.m4s?k=1", "s/s9.m4s"),
        ("s/s9.m4s?k=1", "/s/s9.m4s?k=1"),
        ('"s/p5.m4s?k=1"', '"http://h/s/p5.m4s?k=1"'),
        ('"s/i10.mp4?k=1"', '"s/i10.mp4?k=2"'),
    ],
    "addresses_are_unique": [('"s/p5.m4s?k=1"', '"s/p4.m4s?k=1"')],
    "the_next_part_is_hinted": [(HINT, ""), (HINT, HINT + "#EXT-X-ENDLIST\n")],
    "segments_are_independent": [('p8.m4s?k=1",INDEPENDENT=YES', 'p8.m4s?k=1"')],
    "targets_never_change": [
        ("TARGETDURATION:1", "TARGETDURATION:2"),
        ("PART-TARGET=0.500", "PART-TARGET=0.510"),
        ("PART-HOLD-BACK=1.500", "PART-HOLD-BACK=1.600"),
        ("CAN-SKIP-UNTIL=6.0", "CAN-SKIP-UNTIL=7.0"),
    ],
    "segments_never_change": [
        ("#EXTINF:1.000,\ns/s9", "#EXTINF:0.999,\ns/s9"),
        ("s/s9.m4s", "s/s9b.m4s"),
        ("MEDIA-SEQUENCE:8", "MEDIA-SEQUENCE:9"),
        ("DISCONTINUITY-SEQUENCE:2", "DISCONTINUITY-SEQUENCE:1"),
        ("DURATION=0.450", "DURATION=0.451"),
        ("10:00:04.200", "10:00:04.201"),
    ],
    "parts_stay_while_they_must": [
        (
            PARTS[0],
            "",
        ),
    ],
    "the_hint_was_true": [('"s/p9.m4s?k=1"', '"s/p9b.m4s?k=1"')],
}
"""Faults of the second playlist, by rule: some text and what stands there instead."""
ORDERED = {
    "the_window_is_long_enough": (
        BEFORE,
        AFTER.replace("SEQUENCE:8", "SEQUENCE:10").partition("#EXT-X-MAP")[0]
        + AFTER[AFTER.index('#EXT-X-MAP:URI="s/i10') :],
    ),
    "the_independence_tag_does_not_come_later": (
        BEFORE.replace("#EXT-X-INDEPENDENT-SEGMENTS\n", ""),
        AFTER,
    ),
    "numbers_never_decrease": (AFTER, BEFORE),
    "the_end_is_final": (BEFORE.partition("#EXT-X-PRELOAD")[0] + "#EXT-X-ENDLIST\n", AFTER),
}
"""Two playlists that break a rule together."""
BROKEN_LINES = (
    ("#EXTM3U\n", "#EXTM3U \n"),
    ("#EXTM3U\n", "\ufeff#EXTM3U\n"),
    ("TARGETDURATION:1\n", "TARGETDURATION:1.0\n"),
    ("SEQUENCE:8\n", "SEQUENCE:-8\n"),
    ("#EXTINF:0.980,\n", "#EXTINF:0.980\n"),
    ("#EXTINF:0.980,\n", ""),
    ("s/s9.m4s?k=1\n", "s/s9.m4s?k=1 \n"),
    ("s/s9.m4s?k=1\n", "s/s9.m4s?k=1\n\n"),
    ("DURATION=0.430", "DURATION=0,430"),
    ("DURATION=0.430,", ""),
    ("DURATION=0.430", 'DURATION="0.430"'),
    ('URI="s/p9.m4s?k=1"', "URI=s/p9.m4s?k=1"),
    ("INDEPENDENT=YES", "INDEPENDENT=NO"),
    ("TYPE=PART", "TYPE=PARTS"),
    ("PART-TARGET=0.500", "PART-TARGET=0.500,PART-TARGET=0.500"),
    ("PART-TARGET=0.500", "PART-TARGET=0.500,"),
    ("PART-TARGET=0.500", "PART-TARGET=0.500,COLOUR=RED"),
    ("10:00:02.000+00:00", "10:00:02"),
    (HINT, HINT + "#EXT-X-UNHEARD-OF\n"),
    (HINT, HINT.strip()),
)


def faults_of(*texts: str) -> list[str]:
    checker = PlaylistChecker()
    for text in texts:
        checker.add(text)
    return checker.faults


def test_right_playlists_have_no_faults() -> None:
    ended = AFTER.replace(HINT, "#EXT-X-ENDLIST\n")
    assert faults_of(BEFORE, BEFORE, AFTER, AFTER, ended, ended) == []


def test_each_rule_is_broken_here() -> None:
    assert {*PLANTED, *ORDERED} == {*RULES}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found_by_its_rule(name: str) -> None:
    for right, wrong in PLANTED[name]:
        assert right in AFTER, right
        faults = faults_of(BEFORE, AFTER.replace(right, wrong))
        assert any(fault.startswith(f"{name}: ") for fault in faults), (wrong, faults)


@pytest.mark.parametrize("name", ORDERED)
def test_playlists_that_do_not_follow_each_other_are_found(name: str) -> None:
    faults = faults_of(*ORDERED[name])
    assert any(fault.startswith(f"{name}: ") for fault in faults), faults


@pytest.mark.parametrize(("right", "wrong"), BROKEN_LINES)
def test_a_line_that_the_grammar_does_not_allow_is_found(right: str, wrong: str) -> None:
    assert right in AFTER
    faults = faults_of(AFTER.replace(right, wrong, 1))
    assert any(fault.startswith("syntax: ") for fault in faults), faults


def long_playlist(number: int) -> str:
    """Return a playlist of so many segments of a second, without parts."""
    head = AFTER.partition("#EXT-X-PROGRAM")[0]
    segments = [
        f"#EXT-X-PROGRAM-DATE-TIME:2026-11-30T10:00:{place:02}.000+00:00\n"
        f"#EXTINF:1.000,\ns/s{place}.m4s?k=1\n"
        for place in range(number)
    ]
    return head + "".join(segments) + HINT


def delta_of(full: str, skipped: int, told: int) -> str:
    """Return a delta update that leaves out some segments, and says how many."""
    head, map_uri, rest = full.partition('#EXT-X-MAP:URI="s/i7.mp4?k=1"\n')
    lines = rest.splitlines(keepends=True)[3 * skipped :]
    return head + (f"#EXT-X-SKIP:SKIPPED-SEGMENTS={told}\n" if told else map_uri) + "".join(lines)


def test_a_delta_update_is_compared_with_its_playlist() -> None:
    full = long_playlist(10)

    def faults(delta: str) -> list[str]:
        checker = PlaylistChecker()
        checker.check_delta(full, delta)
        return checker.faults

    assert faults(delta_of(full, 4, 4)) == []
    for wrong in (
        full,
        delta_of(full, 5, 5),
        delta_of(full, 3, 3),
        delta_of(full, 4, 3),
        delta_of(full, 4, 4).replace("s/s8.m4s", "s/s8b.m4s"),
        delta_of(full, 4, 4).replace("#EXT-X-INDEPENDENT-SEGMENTS\n", ""),
    ):
        assert faults(wrong), wrong


@pytest.mark.parametrize(
    ("number", "part", "is_right"),
    [(11, 0, True), (11, 2, True), (11, None, True), (12, 0, False), (12, None, False)],
)
def test_a_blocking_reload_has_what_it_waited_for(
    number: int, part: int | None, *, is_right: bool
) -> None:
    checker = PlaylistChecker()
    checker.check_reload(AFTER, number, part)
    assert (checker.faults == []) == is_right
