"""Editing one line of text."""

import pytest

from modeltop_tui.view.line_edit import Line, edit_line, paste_line


@pytest.mark.parametrize(
    ("key", "character", "text"),
    [
        ("x", "x", "two wordsx"),
        ("backspace", None, "two word"),
        ("ctrl+w", None, "two"),
        ("ctrl+u", None, ""),
        ("f5", None, "two words"),
    ],
)
def test_a_line_is_edited_at_its_end(key, character, text):
    assert edit_line("two words", key, character) == text


def test_a_paste_is_its_first_line_without_what_does_not_print():
    assert paste_line("a ", "b\x1b[2Jc\nd") == "a b[2Jc"
    assert len(paste_line("", "x" * 10_000)) == 500


def pressed(line, *keys):
    for key in keys:
        line = line.press(key, key if len(key) == 1 else None)
    return line


def test_up_and_down_bring_earlier_lines_back_and_the_draft():
    line = pressed(Line(earlier=("one", "two")), "d")
    texts = [pressed(line, *["up"] * times).text for times in (1, 2, 3)]
    assert texts == ["two", "one", "one"]
    assert pressed(line, "up", "up", "down").text == "two"
    assert pressed(line, "up", "down", "down").text == "d"
    assert pressed(line, "up", "x", "up").text == "two", "an edited line is a new draft"
    assert pressed(line, "up", "x", "up", "down").text == "twox"
    assert pressed(Line(), "up", "down").text == ""


def test_tab_goes_through_the_completions_and_another_key_starts_anew():
    line = Line("a", complete=lambda text: [f"{text}b", f"{text}c"] if len(text) < 3 else [])
    assert [pressed(line, *["tab"] * times).text for times in (1, 2, 3)] == ["ab", "ac", "ab"]
    assert pressed(line, "right").text == "ab"
    assert pressed(line, "tab", "x", "tab").text == "abx", "there is none"
    assert pressed(line, "tab", "backspace", "tab", "tab").text == "ac"
