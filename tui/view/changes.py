"""How much the selected metric changed, and whether that may be noise."""

from __future__ import annotations

from dataclasses import replace

from modeltop.core.metrics.phrases import format_change
from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Comparison, Series
from modeltop.core.text import display_width, sanitize
from modeltop.rules.change_summary import baseline_note
from modeltop_tui.view.metrics import baseline_value, distinct_changes, label, short_day
from modeltop_tui.view.state import ScreenState, snapshot_index
from modeltop_tui.view.styled_text import Cells, wrap

NAMES = {"previous": "", "7d": "7 days", "30d": "30 days", "first": "", "reference": "baseline"}
"""Labels by kind of comparison, in the order of display: the newest first; empty: the date."""
NAME_WIDTH = max(map(len, NAMES.values()))


def selected_series(state: ScreenState) -> Series | None:
    """Return the selected series; None without one."""
    if state.snapshot is None or state.selection.key is None:
        return None
    return state.snapshot.history.series.get(state.selection.key)


def changes_title(state: ScreenState) -> str:
    """Return the title of the pane, with the metric."""
    return "Changes" if state.selection.key is None else f"Changes of {label(state.selection.key)}"


def change_lines(state: ScreenState, width: int) -> list[Cells]:
    """Return one comparison of the selected series per line, with its 95 % interval if there is room."""
    series = selected_series(state)
    if state.snapshot is None or series is None:
        return []
    metric = state.snapshot.catalog.get(series.key.metric)
    index = snapshot_index(state.snapshot)
    changes = distinct_changes(index, series)
    baseline = baseline_value(index, series, changes.get("reference"))
    if "reference" in changes and baseline is not None and series.key.model in index.incidents:
        # The baseline of the incident is older than the window of the summary, which the incident is a part of.
        delta = series.latest - baseline
        changes["reference"] = replace(changes["reference"], before=baseline, delta=delta, low=None, high=None)
    names = {against: name or short_day(changes[against].before_at, series.newest)
             for against, name in NAMES.items() if against in changes}  # fmt: skip
    name_width = max([NAME_WIDTH, *map(len, names.values())])
    lines = [_comparison(f"{name:<{name_width}}", changes[against], metric, width) for against, name in names.items()]
    if metric.caveat:
        lines += wrap(metric.caveat, width, role="dim")
    if note := baseline_note(series, state.snapshot.baseline):
        lead = f"{NAMES['reference']:<{name_width}} "
        lines += wrap(sanitize(note), width, role="dim", indent=" " * (name_width + 1), lead=((lead, "dim"),))
    return lines


def _comparison(name: str, change: Comparison, metric: Metric, width: int) -> Cells:
    values, delta = format_change(metric, change.before, change.after), metric.format_delta(change.delta)
    line = f"{name} {values:<13}"
    if change.low is None or change.high is None:
        return (line, ""), (f" {delta:>7}", "")
    is_noise = change.low <= 0 <= change.high
    interval = f" [{metric.format_delta(change.low)}, {metric.format_delta(change.high)}]"
    interval += " (not significant)" if is_noise else ""
    shown = interval if display_width(line + interval) + 8 <= width else ""
    return (line, ""), (f" {delta:>7}", "dim" if is_noise else ""), (shown, "dim")
