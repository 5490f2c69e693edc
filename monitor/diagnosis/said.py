"""Numbers and foreign names in a clause."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.findings import Moved, Pair, Reading
from monitor.text import brief, safe

CONFIDENCE = "avg_confidence"
NAME = 40
"""Most cells of a foreign name."""


def name(text: str) -> str:
    """A foreign name, fit for a clause."""
    return safe(text, NAME)


def went(found: Reading) -> str:
    """`0.957 -> 0.846`."""
    return f"{brief(found.before)} -> {brief(found.after)}"


def percent(share: float) -> str:
    """A share in whole percent, or with what it takes not to be 0.

    >>> percent(0.341), percent(0.004), percent(0.0)
    ('34 %', '0.4 %', '0 %')
    """
    return f"{100 * share:.0f} %" if share >= 0.01 or not share else f"{100 * share:.1g} %"


def rise(pair: tuple[float, float]) -> str:
    """`0 % -> 34 %`."""
    return f"{percent(pair[0])} -> {percent(pair[1])}"


def some(moved: Sequence[Moved], most: int = 2) -> str:
    """The columns that moved furthest, by name."""
    rest = f" and {len(moved) - most} more" if len(moved) > most else ""
    return ", ".join(name(one.feature) for one in moved[:most]) + rest


def lost(one: Moved) -> str:
    """What is wrong with the values of a column: `unit missing 0 % -> 34 %`."""
    gone, unknown = one.missing, one.unseen
    if gone is not None and (unknown is None or gone[1] - gone[0] >= unknown[1] - unknown[0]):
        return f"{name(one.feature)} missing {rise(gone)}"
    assert unknown is not None, "asked of a column that lost values"
    return f"{name(one.feature)} with unknown values {rise(unknown)}"


def with_it(pair: Pair, focus: Reading | None) -> str:
    """What was expected moved as what came true did."""
    came = "it" if pair.realised is focus else name(pair.realised.key.metric)
    said = f"{title(pair)} {pair.expected.word} with {came}, {went(pair.expected)}"
    return said if pair.expected.key.metric == CONFIDENCE else f"{said}: realised {brief(pair.realised.after)}"


def not_with_it(pair: Pair, focus: Reading | None) -> str:
    """What was expected did not move as what came true did."""
    expected = pair.expected
    alike = expected.delta * pair.realised.delta > 0
    only = "only " if expected.moved and alike else ""
    held = f"held at {brief(expected.after)}" if not expected.moved else f"{expected.word} {only}{went(expected)}"
    came = "" if pair.realised is focus else f" against {name(pair.realised.key.metric)} {went(pair.realised)}"
    return f"{title(pair)} {held}{came}"


def title(pair: Pair) -> str:
    """What the expected metric is called in a clause."""
    metric = pair.expected.key.metric
    return "confidence" if metric == CONFIDENCE else name(metric.replace("_", " "))


def rows(number: float) -> str:
    """A count with thousands apart.

    >>> rows(12345.0)
    '12,345'
    """
    return f"{number:,.0f}"
