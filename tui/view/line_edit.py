"""Editing one line of text by keys and by pasting."""

from __future__ import annotations

MAX_LENGTH = 500
"""Characters that a person can type or paste."""


def edit_line(text: str, key: str, character: str | None) -> str:
    """Return the text after a key.

    Args:
        text: The text so far.
        key: Textual's name of the key.
        character: The character it types; None if that does not print.

    >>> edit_line("a long", "ctrl+w", None), edit_line("a", "b", "b"), edit_line("ab", "backspace", None)
    ('a', 'ab', 'a')
    """
    edits = {"backspace": text[:-1], "ctrl+h": text[:-1], "ctrl+u": "", "ctrl+w": text.rstrip().rpartition(" ")[0]}
    return edits.get(key, text + (character or ""))[:MAX_LENGTH]


def paste_line(text: str, pasted: str) -> str:
    """Return the text with the first line of the pasted one appended, without unprintable characters."""
    first = next(iter(pasted.splitlines()), "")
    return (text + "".join(char for char in first if char.isprintable()))[:MAX_LENGTH]
