"""The list of models, worst first."""

from __future__ import annotations

from functools import lru_cache

from modeltop.core.series import Severity
from modeltop.core.text import sanitize
from modeltop_tui.view.acknowledgements import handling_mark
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index, visible_models
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells

VERDICT_FROM = 36
"""Cells of the pane's inside from which there is room for more than names."""


def model_cells(scene: ScreenState, model: str, cells_wide: int = 0) -> Cells:
    """One model: its worst severity as a shape and a word, whether it is taken care of, then its name.

    In a wide pane also what is wrong with it.
    """
    assert scene.snapshot is not None
    known = snapshot_index(scene.snapshot)
    verdict = known.model_statuses[model]
    shape = f"{SHAPES[verdict.severity]}{WORDS[verdict.severity]:>4}{handling_mark(known, known.alerts(model))}"
    line = (shape, TINTS[verdict.severity]), (sanitize(model), "cursor" if model == scene.selection.model else "")
    if verdict.severity and cells_wide >= VERDICT_FROM:
        return *line, (f"  {sanitize(verdict.sentence)}", "dim")
    return line


def empty_list_message(scene: ScreenState) -> str:
    """Why the list is empty; empty itself where it is not."""
    if scene.snapshot is None:
        return scene.loading
    if visible_models(scene):
        return ""
    if not snapshot_index(scene.snapshot).model_statuses:
        return "no models: no rows were found"
    if scene.selection.filter:
        return f"no model has {sanitize(scene.selection.filter, 40)} in its name: / changes the filter"
    return "no problems: ! shows all models"


def severity_counts(scene: ScreenState) -> dict[Severity, int]:
    """How many models are how bad, worst first; those that are fine are not in it."""
    assert scene.snapshot is not None
    return _totals(snapshot_index(scene.snapshot))


@lru_cache(maxsize=2)
def _totals(known: SnapshotIndex) -> dict[Severity, int]:
    found = [verdict.severity for verdict in known.model_statuses.values()]
    order = (Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING)
    return {severity: found.count(severity) for severity in order if severity in found}
