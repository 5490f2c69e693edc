"""How much the selected metric changed, and whether that may be noise."""

from __future__ import annotations

from modeltop.core.diagnosis import Verdict
from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Comparison, Series
from modeltop.core.text import display_width, format_period, sanitize
from modeltop.rules.change_summary import baseline_note
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, cached_changes, snapshot_index
from modeltop_tui.view.styled_text import TINTS, Cells, wrap

NAMES = {"previous": "previous", "7d": "7 days", "30d": "30 days", "first": "first", "reference": "baseline"}
NAME_WIDTH = max(map(len, NAMES.values()))
"""Labels by kind of comparison, in the order of display: the newest first."""


def selected_series(state: ScreenState) -> Series | None:
    """Return the selected series; None without one."""
    if state.snapshot is None or state.selection.key is None:
        return None
    return state.snapshot.history.series.get(state.selection.key)


def change_lines(state: ScreenState, width: int) -> list[Cells]:
    """Return the summary of the selected model, then one comparison of the selected series per line."""
    if state.snapshot is None or state.selection.model is None:
        return []
    lines = summary_lines(state, width)
    series = selected_series(state)
    if series is None:
        return lines
    metric = state.snapshot.catalog.get(series.key.metric)
    lines.append(((label(series.key), "strong"), (f" {format_period(series.newest)}", "dim")))
    if metric.caveat:
        lines += wrap(metric.caveat, width, role="dim")
    changes = {change.against: change for change in cached_changes(series, metric, state.snapshot.baseline)}
    for against in NAMES:
        if against in changes:
            lines += _comparison(changes[against], metric, width)
    if note := baseline_note(series, state.snapshot.baseline):
        lines += wrap(
            note,
            width,
            role="dim",
            indent=" " * (NAME_WIDTH + 1),
            lead=((f"{NAMES['reference']:<{NAME_WIDTH}} ", "dim"),),
        )
    return lines


def summary_lines(state: ScreenState, width: int) -> list[Cells]:
    """Return what happened, why, and what to do, each from a line of its own on; until it is known, the status."""
    if state.snapshot is None or state.selection.model is None:
        return []
    status = snapshot_index(state.snapshot).model_statuses.get(state.selection.model)
    if state.diagnosis is not None:
        verdict, severity = state.diagnosis.verdict, state.diagnosis.severity
    elif status is not None:
        verdict, severity = Verdict(status.sentence), status.severity
    else:
        return []
    sentences = [sanitize(sentence, 600) for sentence in (verdict.what, verdict.why, verdict.do) if sentence]
    roles = (TINTS[severity] if severity else "", "", "strong")
    return [line for text, role in zip(sentences, roles, strict=False) for line in wrap(text, width, role=role)]


def _comparison(change: Comparison, metric: Metric, width: int) -> list[Cells]:
    values = f"{metric.format(change.before)}→{metric.format(change.after)}"
    line = f"{NAMES.get(change.against, change.against):<{NAME_WIDTH}} {values} "
    delta = metric.format_delta(change.delta)
    if change.low is None or change.high is None:
        return [((line, ""), (delta, "strong"))]
    interval = f"[{metric.format_delta(change.low)}, {metric.format_delta(change.high)}]"
    noise = " (not significant)" if change.low <= 0 <= change.high else ""
    if display_width(line + delta) + 1 + display_width(interval + noise) <= width:
        return [((line, ""), (delta, "strong"), (f" {interval}{noise}", "dim"))]
    return [
        ((line, ""), (delta, "strong")),
        *wrap(
            f"{interval}{noise}", width, role="dim", indent=" " * (NAME_WIDTH + 1), lead=((" " * (NAME_WIDTH + 1), ""),)
        ),
    ]
