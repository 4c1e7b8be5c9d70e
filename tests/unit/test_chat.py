"""Texts that a chat accepts."""

import pytest

from homeroom.domain.chat import MAX_MESSAGE_LENGTH, ChatRefusalError, normalize_message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "hello"),
        ("  hello \n", "hello"),
        ("one\ntwo", "one\ntwo"),
        ("one\r\ntwo", "one\ntwo"),
        ("a\0b\x1bc\x7fd\x9fe", "abcde"),
        ("\x7f a \x7f", "a"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("👨\u200d👩\u200d👧 你好", "👨\u200d👩\u200d👧 你好"),
        ("x" * MAX_MESSAGE_LENGTH, "x" * MAX_MESSAGE_LENGTH),
        (" " * 900 + "x", "x"),
        ("a\u202eb\u2066c\u200fd\u200be", "abcde"),
        ("❤\ufe0f", "❤\ufe0f"),
    ],
)
def test_a_message_is_kept_without_controls(text: str, said: str) -> None:
    assert normalize_message(text) == said


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\n", "\0\x1f\x7f", "\u3000", "\ud800", "\u200b", "\u202e", "\u3164\n\u2800"],
)
def test_a_message_says_something(text: str) -> None:
    with pytest.raises(ChatRefusalError, match="empty"):
        normalize_message(text)


@pytest.mark.parametrize("text", ["x" * (MAX_MESSAGE_LENGTH + 1), "🎉" * (MAX_MESSAGE_LENGTH + 1)])
def test_a_message_is_not_too_long(text: str) -> None:
    with pytest.raises(ChatRefusalError, match="long"):
        normalize_message(text)
