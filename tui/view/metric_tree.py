"""The metrics of a model as a tree: under each its segments, of which only the worst of the selected one are shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from modeltop.core.series import FEATURE_PREFIX, Direction, SeriesKey
from modeltop.core.text import pluralize
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import WORDS

MAX_SHOWN = 3
"""Segments of the selected metric that are shown before the others are listed."""
ROOM, FEW_ROWS = 5, 3
"""Rows of the table that 80x24 shows before it is given more, and up to which it is given less."""


@dataclass(frozen=True, slots=True, eq=False)
class MetricNode:
    """One metric of a model."""

    key: SeriesKey
    """Its series over all rows; without one, that of the worst segment."""
    segments: tuple[SeriesKey, ...]
    """The others, worst first."""


class TreeRow(NamedTuple):
    """One visible row: a metric, a segment under it, or the segments that are not shown."""

    node: MetricNode
    key: SeriesKey
    """The series; that of the metric for hidden segments."""
    hidden: tuple[SeriesKey, ...] = ()

    @property
    def is_parent(self) -> bool:
        """Whether it is the row of a metric."""
        return self.key == self.node.key and not self.hidden


@lru_cache(maxsize=4)
def metric_nodes(index: SnapshotIndex, model: str) -> tuple[MetricNode, ...]:
    """Return the metrics of a model, in the order of its history; those over all rows first."""
    groups: dict[str, list[SeriesKey]] = {}
    for key in index.series_keys(model):
        groups.setdefault(key.metric, []).append(key)
    nodes = []
    for keys in groups.values():
        ordered = sorted(keys, key=lambda key: (key.segment != "all", -index.severity(key), badness(index, key)))
        nodes.append(MetricNode(ordered[0], tuple(ordered[1:])))
    return tuple(sorted(nodes, key=lambda node: node.key.segment != "all"))


def badness(index: SnapshotIndex, key: SeriesKey) -> float:
    """Return the newest value with the sign that puts the worst first; of a metric without a direction 0."""
    series = index.snapshot.history.series[key]
    sign = {Direction.HIGHER: 1.0, Direction.LOWER: -1.0, Direction.NEITHER: 0.0}[series.better]
    return sign * series.latest


def tree_rows(state: ScreenState) -> tuple[TreeRow, ...]:
    """Return the visible rows: every metric, and under the selected one its segments."""
    selection = state.selection
    if state.snapshot is None or selection.model is None:
        return ()
    index, guilty = snapshot_index(state.snapshot), guilty_segment(state)
    rows: list[TreeRow] = []
    for node in metric_nodes(index, selection.model):
        rows.append(TreeRow(node, node.key))
        if selection.key is None or selection.key.metric != node.key.metric:
            continue
        shown = node.segments
        if len(shown) > MAX_SHOWN and selection.unfolded != node.key.metric:
            worst = [key for key in shown if index.severity(key) or key == guilty][:MAX_SHOWN]
            shown = tuple(key for key in shown if key in worst or key == selection.key)
        rows += [TreeRow(node, key) for key in shown]
        hidden = tuple(key for key in node.segments if key not in shown)
        rows += [TreeRow(node, node.key, hidden)] if hidden else []
    return tuple(rows)


def has_deep_tree(index: SnapshotIndex) -> bool:
    """Return whether the metrics of a model, one segment and the line for the others need more than `ROOM` lines."""
    models = {key.model for key in index.snapshot.history.series if key.segment != "all"}
    return any(len({key.metric for key in index.series_keys(model)}) + 2 > ROOM for model in models)


def has_few_rows(index: SnapshotIndex) -> bool:
    """Return whether `FEW_ROWS` lines are enough for the metrics of each model, and for two of segments."""
    keys = index.snapshot.history.series
    metrics = Counter(model for model, _ in {(key.model, key.metric) for key in keys})
    segmented = {key.model for key in keys if key.segment != "all"}
    return all(count + 2 * (model in segmented) <= FEW_ROWS for model, count in metrics.items())


def selected_row(state: ScreenState, rows: tuple[TreeRow, ...]) -> int | None:
    """Return the number of the row under the cursor; None without one."""
    selection = state.selection
    found = [number for number, row in enumerate(rows) if row.key == selection.key]
    return found[-1 if selection.on_hidden else 0] if found else None


def guilty_segment(state: ScreenState) -> SeriesKey | None:
    """Return the segment that alone makes most of the change, by the diagnosis; None if none does."""
    diagnosis = state.diagnosis
    if diagnosis is None or diagnosis.key is None or diagnosis.dominant_segment is None:
        return None
    return diagnosis.key._replace(segment=diagnosis.dominant_segment.segment)


def guilt_text(state: ScreenState) -> str:
    """Return how much of the change the guilty segment makes, such as `97 % of drop`."""
    share = state.diagnosis.dominant_segment if state.diagnosis is not None else None
    return "" if share is None else f"{100 * share.ratio:.0f} % of {'drop' if share.delta < 0 else 'rise'}"


def hidden_text(index: SnapshotIndex, row: TreeRow) -> str:
    """Return how many segments are not shown, and their states, as `16 more segments: ok`."""
    noun = "feature" if row.hidden[0].segment.startswith(FEATURE_PREFIX) else "segment"
    is_rest = len(row.hidden) < len(row.node.segments) or row.key.segment != "all"
    count = pluralize(len(row.hidden), f"more {noun}" if is_rest else noun)
    counts = Counter(filter(None, map(index.severity, row.hidden)))
    states = [f"{number} {WORDS[severity]}" for severity, number in sorted(counts.items(), reverse=True)]
    is_evaluated = any(status.is_evaluated for key in row.hidden for status in index.statuses_by_key[key])
    return f"{count}: {', '.join(states)}" if states else f"{count}: ok" if is_evaluated else count
