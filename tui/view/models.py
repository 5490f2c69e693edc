"""The list of models, worst first."""

from __future__ import annotations

from modeltop.core.text import sanitize
from modeltop.report.phrases import problem_lines
from modeltop_tui.view.acknowledgements import handling_mark
from modeltop_tui.view.state import ScreenState, snapshot_index, visible_models
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells

MIN_WIDTH_FOR_STATUS = 36
"""Width of the pane's inside, in cells, from which there is room for more than names."""


def model_cells(state: ScreenState, model: str, width: int = 0) -> Cells:
    """Return the line of one model: severity as a shape and a word, acknowledgement, name, and its status.

    Args:
        state: Has a snapshot with this model.
        model: Name of the model.
        width: Width of the pane's inside in cells; below `MIN_WIDTH_FOR_STATUS` the status is left out.
    """
    assert state.snapshot is not None
    index = snapshot_index(state.snapshot)
    status = index.model_statuses[model]
    shape = f"{SHAPES[status.severity]}{WORDS[status.severity]:>4}{handling_mark(index, index.alerts_by_model[model])}"
    line = (shape, TINTS[status.severity]), (sanitize(model), "cursor" if model == state.selection.model else "")
    if (status.severity or model in state.snapshot.missing_values) and width >= MIN_WIDTH_FOR_STATUS:
        return *line, (f"  {sanitize(status.sentence)}", "dim")
    return line


def empty_list_message(state: ScreenState) -> str:
    """Return why the list of models is empty; an empty string if it is not."""
    if state.snapshot is None:
        return state.loading
    if visible_models(state):
        return ""
    if not snapshot_index(state.snapshot).model_statuses:
        problems = problem_lines(state.snapshot.history.problems)
        return f"no models: {problems[0]}" if problems else "no models: no rows were found"
    if state.selection.filter:
        return f"no model has {sanitize(state.selection.filter, 40)} in its name: / changes the filter"
    return "no problems: ! shows all models"
