"""The list of models, worst first."""

from __future__ import annotations

from functools import lru_cache

from modeltop.core.series import Severity
from modeltop.core.text import safe
from modeltop_tui.view.acknowledgements import mark
from modeltop_tui.view.state import Board, Scene, board, listed
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells

VERDICT_FROM = 36
"""Cells of the pane's inside from which there is room for more than names."""


def model_cells(scene: Scene, model: str, cells_wide: int = 0) -> Cells:
    """One model: its worst severity as a shape and a word, whether it is taken care of, then its name.

    In a wide pane also what is wrong with it.
    """
    assert scene.snapshot is not None
    known = board(scene.snapshot)
    verdict = known.verdicts[model]
    shape = f"{SHAPES[verdict.severity]}{WORDS[verdict.severity]:>4}{mark(known, known.episodes(model))}"
    line = (shape, TINTS[verdict.severity]), (safe(model), "cursor" if model == scene.view.model else "")
    if verdict.severity and cells_wide >= VERDICT_FROM:
        return *line, (f"  {safe(verdict.sentence)}", "dim")
    return line


def nothing_listed(scene: Scene) -> str:
    """Why the list is empty; empty itself where it is not."""
    if scene.snapshot is None:
        return scene.loading
    if listed(scene):
        return ""
    if not board(scene.snapshot).verdicts:
        return "no models: no rows were found"
    if scene.view.filter:
        return f"no model has {safe(scene.view.filter, 40)} in its name: / changes the filter"
    return "no problems: ! shows all models"


def totals(scene: Scene) -> dict[Severity, int]:
    """How many models are how bad, worst first; those that are fine are not in it."""
    assert scene.snapshot is not None
    return _totals(board(scene.snapshot))


@lru_cache(maxsize=2)
def _totals(known: Board) -> dict[Severity, int]:
    found = [verdict.severity for verdict in known.verdicts.values()]
    order = (Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING)
    return {severity: found.count(severity) for severity in order if severity in found}
