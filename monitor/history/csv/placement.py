"""Which metric and segment each column of a file becomes, so that no two columns are merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modeltop.core.metrics.names import NormalizedName
from modeltop.core.metrics.registry import MetricRegistry

SPLIT_ORDER = ("", "live", "test", "eval", "val")
"""Which of several columns of one metric represents the model: the one that names no split, then these."""
COMPANION_SUFFIXES = {
    **dict.fromkeys(("lower_confidence_boundary", "lower_confidence_bound", "confidence_interval_lower"), "low"),
    **dict.fromkeys(("ci_lower", "ci_low", "lower_bound", "lower_ci", "low", "lower", "_min"), "low"),
    **dict.fromkeys(("upper_confidence_boundary", "upper_confidence_bound", "confidence_interval_upper"), "high"),
    **dict.fromkeys(("ci_upper", "ci_high", "upper_bound", "upper_ci", "high", "upper", "_max"), "high"),
    **dict.fromkeys(("count", "support", "n_samples", "num_samples", "n"), "support"),
    **dict.fromkeys(("upper_threshold", "lower_threshold", "threshold", "target", "alert"), "aside"),
    **dict.fromkeys(("sampling_error", "stderr", "std", "stddev", "variance", "var", "justification"), "aside"),
}
"""Suffix of a column that tells about another one → its role; `aside`: neither a value nor an interval."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the values of a column go."""

    metric: str
    segment: str
    """`all` for the column that represents the model."""
    sign: int = 1
    """-1 where the column has the metric times −1."""


def companion(written: str) -> tuple[str, str] | None:
    """Return the column that a column tells about, and its role; None if it has no such suffix.

    It is a companion only where the other column is there: `recall_low` alone is a metric of its own.

    >>> companion("val/accuracy__MIN"), companion("recall_count"), companion("auc_upper_threshold"), companion("auc")
    (('val/accuracy', 'low'), ('recall', 'support'), ('auc', 'aside'), None)
    """
    lower = written.lower()
    if len(lower) != len(written):
        return None
    fitting = [suffix for suffix in COMPANION_SUFFIXES if lower.endswith(f"_{suffix}") and len(lower) > len(suffix) + 1]
    if not fitting:
        return None
    suffix = max(fitting, key=len)
    return written[: -len(suffix) - 1], COMPANION_SUFFIXES[suffix]


def place(names: Sequence[str], catalog: MetricRegistry) -> list[Placement]:
    """Return where each column of one file goes: no two have both metric and segment in common.

    The column with the metric's own name represents the model (segment `all`); without one an alias of it, then the
    first by `SPLIT_ORDER`. Every other one becomes a segment: of the split it names (`split=val`), else of its own name
    (`column=f1`). Training and reference are always segments.

    Args:
        names: The metric columns as written, or in the long shape the distinct names.
        catalog: The metrics.

    Returns:
        In the order of `names`.
    """
    normalized = [catalog.normalize(name) for name in names]
    ranked = sorted(range(len(names)), key=lambda index: (_rank(names[index], normalized[index]), index))
    taken: set[tuple[str, str]] = set()
    placed: dict[int, Placement] = {}
    for index in ranked:
        one = normalized[index]
        segment = next(each for each in _segments(names[index], one) if (one.metric, each) not in taken)
        taken.add((one.metric, segment))
        placed[index] = Placement(one.metric, segment, one.sign)
    return [placed[index] for index in range(len(names))]


def _rank(name: str, one: NormalizedName) -> tuple[bool, bool, int, bool]:
    split = (one.split or "").partition("_")[0]
    order = SPLIT_ORDER.index(split) if split in SPLIT_ORDER else len(SPLIT_ORDER)
    return one.is_offline, name != one.metric, order, one.sign < 0


def _segments(name: str, one: NormalizedName) -> Iterator[str]:
    """Yield where a column may go, the best segment first; the last ones are its alone."""
    yield one.own_segment
    if one.split and not one.is_offline:
        yield ",".join([*([one.segment] if one.segment else []), f"split={one.split}"])
    yield f"column={name}"
    number = 2
    while True:
        yield f"column={name} ({number})"
        number += 1


def placement_notes(names: Sequence[str], placements: Sequence[Placement], catalog: MetricRegistry) -> list[str]:
    """Return one message for each metric that several columns give: which represents the model, where the others went.

    Args:
        names: The columns as written.
        placements: Where they go, as `place` returns it.
        catalog: The metrics.
    """
    columns: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for name, placed in zip(names, placements, strict=True):
        # Classes and features of one metric were never in each other's way.
        columns[placed.metric, catalog.normalize(name).segment or ""].append((f"`{name[:40]}`", placed.segment))
    notes = []
    for (metric, _), placed_columns in columns.items():
        group = placed_columns
        if len({name for name, _ in group}) < len(group):
            group = [(f"{name} ({number})", segment) for number, (name, segment) in enumerate(group, 1)]
        if len(group) > 1:
            listed = f"{', '.join(name for name, _ in group[:-1])} and {group[-1][0]}"
            where = "; ".join(f"{name} {_describe_segment(segment)}" for name, segment in group)
            each = "both" if len(group) == 2 else "all"
            notes.append(f"columns {listed} are {each} {metric[:40]}: {where}")
    return notes


def _describe_segment(segment: str) -> str:
    return "is used for the model" if segment == "all" else f"is the segment {segment[:60]}"
