"""What was taken for what, and in which circumstances: so that whoever tunes a name sees where it goes wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from modeltop.core.stats.intervals import wilson

EXAMPLES = 4
"""Indices of histories that are named, so that they can be looked at."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One history, what it is, and what it was taken for."""

    truth: str
    said: str
    index: int
    """Of the history in its kind."""
    traits: tuple[tuple[str, str], ...] = ()
    """What may make it hard, such as ("rows", "200")."""

    @property
    def right(self) -> bool:
        """Whether the answer is the truth."""
        return self.said == self.truth


def wrong(answers: Sequence[Answer]) -> float:
    """Percentage that is wrong."""
    return 100 * sum(not one.right for one in answers) / len(answers)


def note(answers: Sequence[Answer], what: str) -> str:
    """How many there are, and the 95 % interval of the percentage that is wrong (Wilson 1927, JASA 22).

    >>> note([Answer("spike", "spike", 0), Answer("spike", "steady", 1)], "courses")
    'of 2 courses, all kinds alike; 95 % 9.5 to 90.5'
    """
    found = wilson(wrong(answers) / 100, len(answers))
    assert found is not None, "there are answers"
    return f"of {len(answers)} {what}, all kinds alike; 95 % {100 * found[0]:.1f} to {100 * found[1]:.1f}"


def spoken(answers: Sequence[Answer]) -> str:
    """A row of the confusion matrix in words, where the wrong ones are, and examples of them.

    >>> spoken([Answer("spike", "spike", 0), Answer("spike", "steady", 1, (("rows", "200"),))])
    'spike 50%, steady 50%; wrong by rows 200: 1/1; wrong are 1'
    """
    count = Counter(one.said for one in answers)
    parts = [", ".join(f"{name} {number / len(answers):.0%}" for name, number in count.most_common())]
    missed = [one for one in answers if not one.right]
    if missed:
        parts += [f"wrong by {name} {places}" for name, places in _by_trait(answers)]
        more = ", ..." if len(missed) > EXAMPLES else ""
        parts.append("wrong are " + ", ".join(str(one.index) for one in missed[:EXAMPLES]) + more)
    return "; ".join(parts)


def _by_trait(answers: Sequence[Answer]) -> list[tuple[str, str]]:
    """Per trait its values with wrong ones, and how many of how many."""
    found: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for one in answers:
        for name, value in one.traits:
            found[name][value].append(not one.right)
    return [
        (name, ", ".join(f"{value}: {sum(flags)}/{len(flags)}" for value, flags in values.items() if any(flags)))
        for name, values in found.items()
    ]
