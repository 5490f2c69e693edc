"""Editing one line of text by keys."""

from __future__ import annotations

LONGEST = 500
"""Characters that a person can type or paste."""


def edit_line(text: str, key: str, character: str | None) -> str:
    """The text after a key.

    Args:
        text: What stands there.
        key: The framework's name of the key.
        character: What it types; None where that does not print.

    >>> edit_line("a long", "ctrl+w", None), edit_line("a", "b", "b"), edit_line("ab", "backspace", None)
    ('a', 'ab', 'a')
    """
    edits = {"backspace": text[:-1], "ctrl+h": text[:-1], "ctrl+u": "", "ctrl+w": text.rstrip().rpartition(" ")[0]}
    return edits.get(key, text + (character or ""))[:LONGEST]


def paste_line(text: str, more: str) -> str:
    """The text and the first line of what was pasted, without what does not print."""
    first = next(iter(more.splitlines()), "")
    return (text + "".join(char for char in first if char.isprintable()))[:LONGEST]
