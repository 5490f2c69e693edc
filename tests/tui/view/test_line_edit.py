"""Editing one line of text."""

import pytest

from modeltop_tui.view.line_edit import edit_line, paste_line


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
