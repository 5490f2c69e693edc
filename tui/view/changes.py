"""By how much the selected metric changed, and whether that can be chance."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import Change, Series
from modeltop.core.text import day, safe, width
from modeltop.rules.change_summary import reference_note
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import Scene, board, changes_of
from modeltop_tui.view.styled_text import TINTS, Cells, wrap

NAMES = {"previous": "prev", "7d": "7 d", "30d": "30 d", "first": "first", "reference": "ref"}
"""In the order in which they are read: the newest change first."""


def selected_series(scene: Scene) -> Series | None:
    """The series that the selection names; None without one."""
    if scene.snapshot is None or scene.view.key is None:
        return None
    return scene.snapshot.history.series.get(scene.view.key)


def change_lines(scene: Scene, cells_wide: int) -> list[Cells]:
    """What happened to the model in one sentence, then one line a comparison."""
    if scene.snapshot is None or scene.view.model is None:
        return []
    lines = sentence_lines(scene, cells_wide)
    series = selected_series(scene)
    if series is None:
        return lines
    metric = scene.snapshot.catalog.of(series.key.metric)
    lines.append(((label(series.key), "strong"), (f" {day(series.newest)}", "dim")))
    if metric.caveat:
        lines += wrap(metric.caveat, cells_wide, role="dim")
    found = {change.against: change for change in changes_of(series, metric, scene.snapshot.reference)}
    for against in NAMES:
        if against in found:
            lines += _comparison(found[against], metric, cells_wide)
    if note := reference_note(series, scene.snapshot.reference):
        lines += wrap(note, cells_wide, role="dim", indent="      ", lead=((f"{NAMES['reference']:<5} ", "dim"),))
    return lines


def sentence_lines(scene: Scene, cells_wide: int) -> list[Cells]:
    """What was found out about the model; until that is known, what is wrong with it."""
    if scene.snapshot is None or scene.view.model is None:
        return []
    said = scene.diagnosis or board(scene.snapshot).verdicts.get(scene.view.model)
    if said is None or not said.sentence:
        return []
    return wrap(safe(said.sentence, 600), cells_wide, role=TINTS[said.severity] if said.severity else "")


def _comparison(change: Change, metric: Metric, cells_wide: int) -> list[Cells]:
    moved = f"{metric.show(change.before)}→{metric.show(change.after)}"
    line = f"{NAMES.get(change.against, change.against):<5} {moved} "
    delta = metric.show_change(change.delta)
    if change.low is None or change.high is None:
        return [((line, ""), (delta, "strong"))]
    interval = f"[{metric.show_change(change.low)}, {metric.show_change(change.high)}]"
    doubt = " chance?" if change.low <= 0 <= change.high else ""
    if width(line + delta) + 1 + width(interval + doubt) <= cells_wide:
        return [((line, ""), (delta, "strong"), (f" {interval}{doubt}", "dim"))]
    return [((line, ""), (delta, "strong")), ((f"      {interval}{doubt}", "dim"),)]
