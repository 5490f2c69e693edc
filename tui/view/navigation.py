"""Navigation: pure functions from a state and a number of steps to the next selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from modeltop.core.series import SeriesKey
from modeltop.rules.priority import worst_series
from modeltop_tui.view.changes import selected_series
from modeltop_tui.view.chart import nearest_index, related_series, seconds, time_span
from modeltop_tui.view.metric_tree import selected_row, tree_rows
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import (
    ALL_TIME,
    ScreenState,
    Selection,
    SortOrder,
    TimeWindow,
    snapshot_index,
    visible_models,
)

if TYPE_CHECKING:
    from modeltop.core.series import Floats

MIN_STEPS = 4
"""Median steps between two periods that the narrowest time window still shows."""


def clamp_selection(state: ScreenState) -> Selection:
    """Return the selection, moved to a model and series that exist; at first the worst model and its worst metric.

    A selected model stays selected while it exists and is listed, whatever its position in the list.
    """
    models = visible_models(state)
    selection = state.selection
    if state.snapshot is None or not models:
        return replace(selection, model=None, key=None) if state.snapshot is not None else selection
    if selection.model is None:
        worst_first = snapshot_index(state.snapshot).model_statuses
        return _fit_incident(state, _select_model(state, next(model for model in worst_first if model in models)))
    if selection.model not in models:
        return _select_model(state, models[0])
    if selection.key not in state.snapshot.history.series:
        return _select_model(state, selection.model or models[0])
    return selection


def _fit_incident(state: ScreenState, selection: Selection) -> Selection:
    """Return the selection without a range, kept from an earlier run, in which the start of the incident is not."""
    assert state.snapshot is not None
    index, model = snapshot_index(state.snapshot), selection.model or ""
    incident = index.incidents.get(model)
    if selection.time_window is None or incident is None or model not in index.snapshot.history.periods:
        return selection
    start, end = time_span(index, model, selection.time_window)
    is_inside = start <= incident.started_at.timestamp() <= end
    return selection if is_inside else replace(selection, time_window=None)


def _select_model(state: ScreenState, model: str) -> Selection:
    """Select a model: the series of its worst alert, else the metric selected before, else one that has a rule.

    In a comparison the metric selected before comes first; without it, or if the model is not compared, that ends.
    """
    assert state.snapshot is not None
    index, selection = snapshot_index(state.snapshot), state.selection
    keys = index.series_keys(model)
    alerting = [alert.key for alert in index.alerts_by_model[model] if alert.is_active and alert.key in keys]
    previous = (selection.key.metric, selection.key.segment) if selection.key else None
    same_metric = [key for key in keys if (key.metric, key.segment) == previous]
    default = worst_series(model, index.snapshot.history, index.alerts_by_model[model], index.statuses_by_model[model])
    unfolded = selection.unfolded if model == selection.model else ""
    comparison = selection.comparison if same_metric and _is_compared(selection, model) else None
    key = next(iter([*(same_metric if comparison else ()), *alerting, *same_metric, default]))
    return replace(selection, model=model, key=key, on_hidden=False, unfolded=unfolded, comparison=comparison)


def _is_compared(selection: Selection, model: str) -> bool:
    if selection.comparison is None or model == selection.model:
        return selection.comparison is not None
    return not selection.comparison.by_segment and model in (selection.comparison.models or (model,))


def move_model(state: ScreenState, steps: int) -> Selection:
    """Move `steps` models down the list, at most to its ends."""
    models = visible_models(state)
    if not models or state.snapshot is None:
        return state.selection
    at = models.index(state.selection.model) if state.selection.model in models else 0
    to = models[_clamp_index(at + steps, models)]
    return state.selection if to == state.selection.model else _select_model(state, to)


def move_metric(state: ScreenState, steps: int) -> Selection:
    """Move `steps` rows down the table of metrics, at most to its ends."""
    rows = tree_rows(state)
    if not rows:
        return state.selection
    row = rows[_clamp_index((selected_row(state, rows) or 0) + steps, rows)]
    return replace(state.selection, key=row.key, on_hidden=bool(row.hidden))


def unfold_segments(state: ScreenState) -> Selection:
    """List all segments of the selected metric, from the line that stands for them."""
    rows, selection = tree_rows(state), state.selection
    at = selected_row(state, rows)
    if at is None or not rows[at].hidden:
        return selection
    return replace(selection, key=rows[at].hidden[0], on_hidden=False, unfolded=rows[at].key.metric)


def _clamp_index(index: int, items: Sequence[object]) -> int:
    return max(0, min(index, len(items) - 1))


def move_sideways(state: ScreenState, steps: int) -> Selection:
    """Move the chart's cursor if there is one, else the metric."""
    return move_metric(state, steps) if state.selection.cursor is None else move_cursor(state, steps)


def next_problem(state: ScreenState, steps: int) -> Selection:
    """Move to the next listed model with an active alert that is not acknowledged; from the last to the first.

    If all are acknowledged, to the next of all. Where the selected model alone has such alerts, to the next of them.
    """
    if state.snapshot is None:
        return state.selection
    selection, shown = state.selection, set(visible_models(state))
    active = [a for a in snapshot_index(state.snapshot).open_alerts if a.is_active and a.key.model in shown]
    unacknowledged = [alert for alert in active if alert.id not in state.snapshot.acknowledgements]
    keys = list(dict.fromkeys(alert.key for alert in unacknowledged or active))
    if not keys:
        return selection
    if any(key.model != selection.model for key in keys):
        worst = {key.model: key for key in reversed(keys)}
        keys = [key for key in keys if worst[key.model] == key]
        current = next((at for at, key in enumerate(keys) if key.model == selection.model), None)
    else:
        current = keys.index(selection.key) if selection.key in keys else None
    target = keys[(current + steps) % len(keys)] if current is not None else keys[0 if steps > 0 else -1]
    return select_series(state, target.model, target)


def next_problem_model(state: ScreenState, steps: int) -> Selection:
    """Move to the next problem of another model."""
    selection = next_problem(state, steps)
    return state.selection if selection.model == state.selection.model else selection


def prefetch_targets(state: ScreenState) -> tuple[str | SeriesKey, ...]:
    """Return the selected model and series, then those that the next key may go to: next problem and neighbors."""
    models = visible_models(state)
    selections = [state.selection]
    if state.selection.model in models:
        at = models.index(state.selection.model)
        neighbors = [models[at + steps] for steps in (1, -1, 2, -2) if 0 <= at + steps < len(models)]
        selections += [next_problem(state, 1), *(move_metric(state, steps) for steps in (1, -1))]
        selections += [select_series(state, model) for model in neighbors]
    targets = [target for selection in selections for target in (selection.model, selection.key)]
    return tuple(dict.fromkeys(target for target in targets if target is not None))


def select_series(state: ScreenState, model: str, key: SeriesKey | None = None) -> Selection:
    """Select a model and a series of it, its worst if it does not have that."""
    if state.snapshot is None:
        return state.selection
    selection = _select_model(state, model)
    if key is None or key not in snapshot_index(state.snapshot).series_keys(model):
        return selection
    follows = key == selection.key or model == state.selection.model
    return replace(selection, key=key, on_hidden=False, comparison=selection.comparison if follows else None)


def next_sort_order(state: ScreenState, steps: int) -> Selection:
    """Switch to the next order of the models."""
    orders = list(SortOrder)
    return replace(state.selection, sort=orders[(orders.index(state.selection.sort) + steps) % len(orders)])


def toggle_cursor(state: ScreenState, _: int) -> Selection:
    """Put a cursor on the newest point of the chart, or hide it."""
    series = selected_series(state)
    if state.selection.cursor is not None or series is None:
        return replace(state.selection, cursor=None)
    start, end = _span(state)
    times = seconds(series.times)
    inside = times[(times >= start) & (times <= end)]
    return replace(state.selection, cursor=float(inside[-1] if len(inside) else times[-1]))


def move_cursor(state: ScreenState, steps: int) -> Selection:
    """Move the chart's cursor by points; a time window that does not reach there follows."""
    series = selected_series(state)
    if series is None or state.selection.cursor is None:
        return state.selection
    times = seconds(series.times)
    to = float(times[_clamp_index(nearest_index(series, state.selection.cursor) + steps, times.tolist())])
    selection = replace(state.selection, cursor=to)
    start, end = _span(state)
    if start <= to <= end:
        return selection
    length = end - start
    return replace(selection, time_window=TimeWindow(length, to + length if to < start else to))


def _span(state: ScreenState) -> tuple[float, float]:
    assert state.snapshot is not None
    return time_span(snapshot_index(state.snapshot), state.selection.model or "", state.selection.time_window)


def _all_times(state: ScreenState) -> Floats:
    if state.snapshot is None or selected_series(state) is None:
        return np.empty(0)
    return seconds(state.snapshot.history.periods[state.selection.model or ""])


def zoom(state: ScreenState, steps: int) -> Selection:
    """Show half the time (`steps` 1), or twice (-1), around the cursor or up to the same end."""
    times = _all_times(state)
    if len(times) < 2:
        return state.selection
    total = float(times[-1] - times[0])
    start, end = _span(state)
    min_length = MIN_STEPS * (total / (len(times) - 1))
    length = max(min(min_length, total), (end - start) / 2**steps)
    if length >= total:
        return replace(state.selection, time_window=ALL_TIME)
    if state.selection.cursor is not None:
        end = min(state.selection.cursor + length / 2, float(times[-1]))
        end = max(end, float(times[0]) + length)
    return replace(state.selection, time_window=TimeWindow(length, None if end >= times[-1] else end))


def shift_window(state: ScreenState, steps: int) -> Selection:
    """Shift the time window by half its length, earlier (-1) or later (1)."""
    times = _all_times(state)
    if not len(times):
        return state.selection
    start, end = _span(state)
    length = max(end - start, float(times[-1] - times[0]) / max(1, len(times) - 1))
    to = max(end + steps * length / 2, float(times[0]) + length)
    window = TimeWindow(length, None if to >= times[-1] else to)
    unchanged = window.end == state.selection.time_window.end if state.selection.time_window else window.end is None
    return state.selection if unchanged else replace(state.selection, time_window=window)


def _is_all_time(state: ScreenState) -> bool:
    times = _all_times(state)
    return bool(len(times)) and _span(state)[0] <= times[0] and _span(state)[1] >= times[-1]


def toggle_all_time(state: ScreenState, _: int) -> Selection:
    """Show the full history, or what fits the incident again."""
    is_all = state.selection.time_window == ALL_TIME
    return replace(state.selection, time_window=None if is_all else ALL_TIME)


def toggle_overlay(state: ScreenState, _: int) -> Selection:
    """Draw the family of the metric with it, in place of a comparison, or no longer."""
    shown = state.selection.overlay and state.selection.comparison is None
    return replace(state.selection, overlay=not shown, comparison=None)


def toggle_one_metric(selection: Selection) -> Selection:
    """Draw one metric, or all; its family or a comparison, which are drawn large as well, make room for all."""
    is_one = selection.one_metric or selection.overlay or selection.comparison is not None
    return replace(selection, one_metric=not is_one, overlay=False, comparison=None)


MOVES: dict[str, Callable[[ScreenState, int], Selection]] = {
    "model": move_model,
    "metric": move_metric,
    "side": move_sideways,
    "problem": next_problem,
    "problem_model": next_problem_model,
    "sort": next_sort_order,
    "problems_only": lambda state, _: replace(state.selection, problems_only=not state.selection.problems_only),
    "overlay": toggle_overlay,
    "cursor_switch": toggle_cursor,
    "zoom": zoom,
    "shift": shift_window,
    "all_time": toggle_all_time,
    "one_metric": lambda state, _: toggle_one_metric(state.selection),
}
"""Moves by the argument of `move` in a binding."""


def why_unchanged(name: str, state: ScreenState) -> str:
    """Return why a move changed nothing."""
    if state.snapshot is None:
        return "nothing is loaded yet"
    reasons = {
        "problem": "no other problem",
        "problem_model": "no other model has a problem",
        "shift": "full history; + zooms in" if _is_all_time(state) else "end of data",
        "zoom": "full history" if _is_all_time(state) else "maximum zoom",
        "side": "no further metric" if state.selection.cursor is None else "no further point",
        "cursor_switch": "no point to read",
    }
    return reasons.get(name, f"no further {name}" if name in ("model", "metric") else "nothing to change")


def announce(name: str, state: ScreenState) -> str:
    """Return the effect of a move, if the panes do not show it by themselves."""
    selection = state.selection
    at_hidden = "Enter lists all of them" if selection.on_hidden else ""
    messages = {
        "metric": at_hidden,
        "side": at_hidden,
        "sort": f"models {selection.sort.value}",
        "problems_only": "problems only: ! shows all models" if selection.problems_only else "all models",
        "one_metric": "one metric; f shows all" if selection.one_metric else "all metrics where they fit",
        "all_time": "full history" if _is_all_time(state) else "",
        "overlay": _announce_overlay(state) if selection.overlay else "",
        "cursor_switch": "←→ move, c/Esc to hide" if selection.cursor is not None else "",
    }
    return messages.get(name, "")


def _announce_overlay(state: ScreenState) -> str:
    if state.snapshot is None or state.selection.key is None:
        return ""
    names = ", ".join(label(one.key) for one in related_series(snapshot_index(state.snapshot), state.selection.key))
    return f"with {names}" if names else "no other metric of its family is known"
