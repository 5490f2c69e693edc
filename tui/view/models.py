"""The list of models, worst first."""

from __future__ import annotations

from functools import lru_cache

from modeltop.core.series import Severity
from modeltop.core.text import sanitize
from modeltop_tui.view.acknowledgements import handling_mark
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index, visible_models
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells

MIN_WIDTH_FOR_STATUS = 36
"""Width of the pane's inside, in cells, from which there is room for more than names."""


def model_cells(state: ScreenState, model: str, width: int = 0) -> Cells:
    """Return the line of one model: severity as a shape and a word, how it is handled, its name, and what is wrong.

    Args:
        state: Has a snapshot with this model.
        model: Name of the model.
        width: Width of the pane's inside in cells; what is wrong is left out below `MIN_WIDTH_FOR_STATUS`.
    """
    assert state.snapshot is not None
    index = snapshot_index(state.snapshot)
    status = index.model_statuses[model]
    shape = f"{SHAPES[status.severity]}{WORDS[status.severity]:>4}{handling_mark(index, index.alerts(model))}"
    line = (shape, TINTS[status.severity]), (sanitize(model), "cursor" if model == state.selection.model else "")
    if status.severity and width >= MIN_WIDTH_FOR_STATUS:
        return *line, (f"  {sanitize(status.sentence)}", "dim")
    return line


def empty_list_message(state: ScreenState) -> str:
    """Return why the list of models is empty; an empty string where it is not."""
    if state.snapshot is None:
        return state.loading
    if visible_models(state):
        return ""
    if not snapshot_index(state.snapshot).model_statuses:
        return "no models: no rows were found"
    if state.selection.filter:
        return f"no model has {sanitize(state.selection.filter, 40)} in its name: / changes the filter"
    return "no problems: ! shows all models"


def severity_counts(state: ScreenState) -> dict[Severity, int]:
    """Return the number of models by severity, worst first; healthy ones are not counted."""
    assert state.snapshot is not None
    return _severity_counts(snapshot_index(state.snapshot))


@lru_cache(maxsize=2)
def _severity_counts(index: SnapshotIndex) -> dict[Severity, int]:
    severities = [status.severity for status in index.model_statuses.values()]
    order = (Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING)
    return {severity: severities.count(severity) for severity in order if severity in severities}
