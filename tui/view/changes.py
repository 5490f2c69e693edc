"""By how much the selected metric changed, and whether that can be chance."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Comparison, Series
from modeltop.core.text import display_width, format_period, sanitize
from modeltop.rules.change_summary import baseline_note
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, cached_changes, snapshot_index
from modeltop_tui.view.styled_text import TINTS, Cells, wrap

NAMES = {"previous": "prev", "7d": "7 d", "30d": "30 d", "first": "first", "reference": "ref"}
"""In the order in which they are read: the newest change first."""


def selected_series(scene: ScreenState) -> Series | None:
    """The series that the selection names; None without one."""
    if scene.snapshot is None or scene.selection.key is None:
        return None
    return scene.snapshot.history.series.get(scene.selection.key)


def change_lines(scene: ScreenState, cells_wide: int) -> list[Cells]:
    """What happened to the model in one sentence, then one line a comparison."""
    if scene.snapshot is None or scene.selection.model is None:
        return []
    lines = summary_lines(scene, cells_wide)
    series = selected_series(scene)
    if series is None:
        return lines
    metric = scene.snapshot.catalog.get(series.key.metric)
    lines.append(((label(series.key), "strong"), (f" {format_period(series.newest)}", "dim")))
    if metric.caveat:
        lines += wrap(metric.caveat, cells_wide, role="dim")
    found = {change.against: change for change in cached_changes(series, metric, scene.snapshot.baseline)}
    for against in NAMES:
        if against in found:
            lines += _comparison(found[against], metric, cells_wide)
    if note := baseline_note(series, scene.snapshot.baseline):
        lines += wrap(note, cells_wide, role="dim", indent="      ", lead=((f"{NAMES['reference']:<5} ", "dim"),))
    return lines


def summary_lines(scene: ScreenState, cells_wide: int) -> list[Cells]:
    """What was found out about the model; until that is known, what is wrong with it."""
    if scene.snapshot is None or scene.selection.model is None:
        return []
    said = scene.diagnosis or snapshot_index(scene.snapshot).model_statuses.get(scene.selection.model)
    if said is None or not said.sentence:
        return []
    return wrap(sanitize(said.sentence, 600), cells_wide, role=TINTS[said.severity] if said.severity else "")


def _comparison(change: Comparison, metric: Metric, cells_wide: int) -> list[Cells]:
    moved = f"{metric.format(change.before)}→{metric.format(change.after)}"
    line = f"{NAMES.get(change.against, change.against):<5} {moved} "
    delta = metric.format_delta(change.delta)
    if change.low is None or change.high is None:
        return [((line, ""), (delta, "strong"))]
    interval = f"[{metric.format_delta(change.low)}, {metric.format_delta(change.high)}]"
    doubt = " chance?" if change.low <= 0 <= change.high else ""
    if display_width(line + delta) + 1 + display_width(interval + doubt) <= cells_wide:
        return [((line, ""), (delta, "strong"), (f" {interval}{doubt}", "dim"))]
    return [((line, ""), (delta, "strong")), ((f"      {interval}{doubt}", "dim"),)]
