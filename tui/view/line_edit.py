"""Editing one line of text by keys and by pasting, with completion and the lines that were typed before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

MAX_LENGTH = 500


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


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is typed, its completions, and the lines typed before."""

    text: str = ""
    earlier: Sequence[str] = ()
    """Lines typed before, the newest last."""
    complete: Callable[[str], Sequence[str]] = lambda _: ()
    draft: str = ""
    steps_back: int = 0
    """How many lines back the present one is; 0: it is new."""
    completed: Sequence[str] = ()
    """Completions that Tab goes through, this line the last of them."""

    def press(self, key: str, character: str | None) -> Line:
        """Return the line after a key; see `edit_line`.

        Args:
            key: Textual's name of the key.
            character: The character it types; None if that does not print.
        """
        if key in ("tab", "right"):
            first, *others = self.completed or self.complete(self.text) or (self.text,)
            return replace(self, text=first[:MAX_LENGTH], steps_back=0, completed=(*others, first))
        if key in ("up", "down"):
            return self._recall(1 if key == "up" else -1)
        return replace(self, text=edit_line(self.text, key, character), steps_back=0, completed=())

    def _recall(self, steps: int) -> Line:
        draft = self.text if not self.steps_back else self.draft
        to = max(0, min(self.steps_back + steps, len(self.earlier)))
        return replace(self, text=self.earlier[-to] if to else draft, draft=draft, steps_back=to, completed=())
