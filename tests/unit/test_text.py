"""Text for people."""

import pytest

from homeroom.base.text import format_count


@pytest.mark.parametrize(
    ("count", "words", "expected"),
    [
        (1, ("job",), "1 job"),
        (0, ("job",), "0 jobs"),
        (2, ("job is set aside", "jobs are set aside"), "2 jobs are set aside"),
        (1, ("job is set aside", "jobs are set aside"), "1 job is set aside"),
        (3, ("class", "classes"), "3 classes"),
    ],
)
def test_the_words_follow_the_count(count: int, words: tuple[str, ...], expected: str) -> None:
    assert format_count(count, *words) == expected
