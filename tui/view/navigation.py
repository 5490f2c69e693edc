"""Where a key takes the selection: pure functions from one view to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from modeltop.core.series import SeriesKey
from modeltop.core.text import sanitize
from modeltop.rules.priority import worst_series
from modeltop_tui.view.changes import selected_series
from modeltop_tui.view.chart import nearest_index, related_series, seconds, time_span
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import (
    ScreenState,
    Selection,
    SnapshotIndex,
    SortOrder,
    TimeWindow,
    snapshot_index,
    visible_models,
)

MIN_STEPS = 4
"""Median steps between two periods that the narrowest window still shows."""


def clamp_selection(scene: ScreenState) -> Selection:
    """The same view with a selection that exists: at first the worst model and its worst metric.

    A selected model stays selected while it exists and is listed, whatever its place in the list.
    """
    models = visible_models(scene)
    view = scene.selection
    if scene.snapshot is None or not models:
        return replace(view, model=None, key=None) if scene.snapshot is not None else view
    if view.model not in models:
        return _on_model(snapshot_index(scene.snapshot), view, models[0])
    if view.key not in scene.snapshot.history.series:
        return _on_model(snapshot_index(scene.snapshot), view, view.model or models[0])
    return view


def _on_model(known: SnapshotIndex, view: Selection, model: str) -> Selection:
    """The view on a model: its worst metric if something stands, else the metric of before, else a judged one."""
    keys = known.series_keys(model)
    worst = [episode.key for episode in known.alerts(model) if episode.is_active and episode.key in keys]
    same = [key for key in keys if view.key and (key.metric, key.segment) == (view.key.metric, view.key.segment)]
    usual = worst_series(model, known.snapshot.history, known.alerts(model), known.model_rule_statuses(model))
    return replace(view, model=model, key=next(iter([*worst, *same, usual])))


def move_model(scene: ScreenState, steps: int) -> Selection:
    """The model that is `steps` further down the list, at most its ends."""
    models = visible_models(scene)
    if not models or scene.snapshot is None:
        return scene.selection
    at = models.index(scene.selection.model) if scene.selection.model in models else 0
    to = models[_within(at + steps, models)]
    return (
        scene.selection
        if to == scene.selection.model
        else _on_model(snapshot_index(scene.snapshot), scene.selection, to)
    )


def move_metric(scene: ScreenState, steps: int) -> Selection:
    """The metric that is `steps` further down the table, at most its ends."""
    if scene.snapshot is None:
        return scene.selection
    keys = snapshot_index(scene.snapshot).series_keys(scene.selection.model)
    if not keys:
        return scene.selection
    at = keys.index(scene.selection.key) if scene.selection.key in keys else 0
    return replace(scene.selection, key=keys[_within(at + steps, keys)])


def _within(index: int, items: Sequence[object]) -> int:
    return max(0, min(index, len(items) - 1))


def move_sideways(scene: ScreenState, steps: int) -> Selection:
    """Left and right: the chart's cursor where there is one, else the metric."""
    return move_metric(scene, steps) if scene.selection.cursor is None else move_cursor(scene, steps)


def next_problem(scene: ScreenState, steps: int) -> Selection:
    """The next standing alert that nobody has, on a series of a listed model; round at the end.

    Where somebody has each, the next of all. From one that is taken it goes to the first that is not: it is worse.
    """
    if scene.snapshot is None:
        return scene.selection
    shown = set(visible_models(scene))
    known = snapshot_index(scene.snapshot)
    standing = [one for one in known.open_alerts if one.is_active and one.key.model in shown]
    left = [one for one in standing if one.id not in scene.snapshot.acknowledgements]
    places = list(dict.fromkeys((one.key.model, one.key) for one in left or standing))
    if not places:
        return scene.selection
    taken = scene.selection.key is not None and any(one.is_active for one in known.alerts_on(scene.selection.key))
    here = (
        _place(places, scene.selection) if not taken or (scene.selection.model, scene.selection.key) in places else None
    )
    to, key = places[(here + steps) % len(places)] if here is not None else places[0 if steps > 0 else -1]
    return select_series(scene, to, key)


def next_troubled_model(scene: ScreenState, steps: int) -> Selection:
    """The next model with such an alert, however many its own alerts are."""
    if scene.snapshot is None:
        return scene.selection
    view = scene.selection
    for _ in snapshot_index(scene.snapshot).open_alerts:
        view = next_problem(replace(scene, selection=view), steps)
        if view.model != scene.selection.model:
            return view
    return scene.selection


def _place(places: list[tuple[str, SeriesKey]], view: Selection) -> int | None:
    """Where the view stands in the list of problems; a problem of the whole model counts for each of its metrics."""
    for at, (name, key) in enumerate(places):
        if name == view.model and key == view.key:
            return at
    return next((at for at, (name, _) in enumerate(places) if name == view.model), None)


def prefetch_targets(scene: ScreenState) -> tuple[str | SeriesKey, ...]:
    """The selected model and series, then those that the next key may go to: the next problem, and the neighbours."""
    models = visible_models(scene)
    views = [scene.selection]
    if scene.selection.model in models:
        at = models.index(scene.selection.model)
        around = [models[at + steps] for steps in (1, -1, 2, -2) if 0 <= at + steps < len(models)]
        views += [
            next_problem(scene, 1),
            *(move_metric(scene, steps) for steps in (1, -1)),
            *(select_series(scene, m) for m in around),
        ]
    wanted = [part for view in views for part in (view.model, view.key)]
    return tuple(dict.fromkeys(part for part in wanted if part is not None))


def select_series(scene: ScreenState, name: str, key: SeriesKey | None = None) -> Selection:
    """The view on a model and, where it has it, on a series."""
    if scene.snapshot is None:
        return scene.selection
    known = snapshot_index(scene.snapshot)
    view = _on_model(known, scene.selection, name)
    return replace(view, key=key) if key in known.series_keys(name) else view


def next_sort_order(scene: ScreenState, steps: int) -> Selection:
    """The next order of the models."""
    orders = list(SortOrder)
    return replace(scene.selection, sort=orders[(orders.index(scene.selection.sort) + steps) % len(orders)])


def toggle_problems_only(scene: ScreenState, _: int) -> Selection:
    """Hide the models that are fine, or show them again."""
    return replace(scene.selection, problems_only=not scene.selection.problems_only)


def toggle_overlay(scene: ScreenState, _: int) -> Selection:
    """Draw the metric's family beside it, or the metric alone."""
    return replace(scene.selection, overlay=not scene.selection.overlay)


def toggle_cursor(scene: ScreenState, _: int) -> Selection:
    """Put a cursor on the newest point of the chart, or take it away."""
    series = selected_series(scene)
    if scene.selection.cursor is not None or series is None:
        return replace(scene.selection, cursor=None)
    start, end = time_span(series, scene.selection.time_window)
    times = seconds(series)
    inside = times[(times >= start) & (times <= end)]
    return replace(scene.selection, cursor=float(inside[-1] if len(inside) else times[-1]))


def move_cursor(scene: ScreenState, steps: int) -> Selection:
    """The cursor `steps` points further; a window that does not reach there follows."""
    series = selected_series(scene)
    if series is None or scene.selection.cursor is None:
        return scene.selection
    times = seconds(series)
    to = float(times[_within(nearest_index(series, scene.selection.cursor) + steps, times.tolist())])
    view = replace(scene.selection, cursor=to)
    start, end = time_span(series, view.time_window)
    if view.time_window is None or start <= to <= end:
        return view
    length = view.time_window.length
    return replace(view, time_window=TimeWindow(length, to + length if to < start else to))


def zoom(scene: ScreenState, steps: int) -> Selection:
    """A part of the time axis half as long (`steps` 1), or twice as long (-1), around the cursor or at the same end."""
    series = selected_series(scene)
    if series is None or len(series) < 2:
        return scene.selection
    times = seconds(series)
    whole = float(times[-1] - times[0])
    start, end = time_span(series, scene.selection.time_window)
    least = MIN_STEPS * (whole / (len(times) - 1))
    length = max(min(least, whole), (end - start) / 2**steps)
    if length >= whole:
        return replace(scene.selection, time_window=None)
    if scene.selection.cursor is not None:
        end = min(scene.selection.cursor + length / 2, float(times[-1]))
        end = max(end, float(times[0]) + length)
    return replace(scene.selection, time_window=TimeWindow(length, None if end >= times[-1] else end))


def shift_window(scene: ScreenState, steps: int) -> Selection:
    """Half a window earlier (-1) or later (1)."""
    series = selected_series(scene)
    if series is None or scene.selection.time_window is None:
        return scene.selection
    times = seconds(series)
    length = scene.selection.time_window.length
    _, end = time_span(series, scene.selection.time_window)
    to = max(end + steps * length / 2, float(times[0]) + length)
    return replace(scene.selection, time_window=TimeWindow(length, None if to >= times[-1] else to))


def show_all_time(scene: ScreenState, _: int) -> Selection:
    """The whole time axis."""
    return replace(scene.selection, time_window=None)


MOVES: dict[str, Callable[[ScreenState, int], Selection]] = {
    "model": move_model,
    "metric": move_metric,
    "side": move_sideways,
    "problem": next_problem,
    "trouble": next_troubled_model,
    "sort": next_sort_order,
    "problems_only": toggle_problems_only,
    "overlay": toggle_overlay,
    "cursor_switch": toggle_cursor,
    "zoom": zoom,
    "shift": shift_window,
    "all_time": show_all_time,
}
"""By the name that a key's action gives."""


def why_unchanged(name: str, scene: ScreenState) -> str:
    """Why a key changed nothing."""
    if scene.snapshot is None:
        return "nothing is loaded yet"
    reasons = {
        "problem": "no other problem stands",
        "trouble": "no other model has a problem",
        "shift": "all of time is shown: + shows a part" if scene.selection.time_window is None else "time ends here",
        "zoom": "all of time is shown" if scene.selection.time_window is None else "it is as near as it gets",
        "side": "no further metric" if scene.selection.cursor is None else "no further point",
        "cursor_switch": "no point to read",
    }
    return reasons.get(name, f"no further {name}" if name in ("model", "metric") else "nothing to change")


def announce(name: str, scene: ScreenState) -> str:
    """What a key did, where the panes do not show it by themselves."""
    view = scene.selection
    if name == "sort":
        return f"models {view.sort.value}"
    if name == "problems_only":
        return "problems only: ! shows all models" if view.problems_only else "all models"
    if name == "overlay" and scene.snapshot is not None and view.key is not None:
        others = related_series(snapshot_index(scene.snapshot), view.key)
        if view.overlay:
            names = ", ".join(label(series.key) for series in others)
            return f"with {names}" if others else "no other metric of its family is known"
    if name == "cursor_switch" and view.cursor is not None:
        return "←→ move the cursor, c or esc takes it away"
    return ""


JumpTarget = tuple[str, SeriesKey | None]
"""A model, and a series of it where one was meant."""
MAX_TARGETS = 99
"""Places that are counted; more are not looked for."""


def jump_targets(scene: ScreenState, typed: str) -> list[JumpTarget]:
    """The places that `typed` can mean, the likeliest first: each word must be in the model's or the metric's name.

    Names that begin with the words come before those that have them inside, a model before its series, and models in
    the order of the list.
    """
    words = typed.casefold().replace(">", " ").split()
    if scene.snapshot is None or not words:
        return []
    known = snapshot_index(scene.snapshot)
    found = [place for model in known.model_statuses for place in _in_model(known, model, words)]
    return sorted(found, key=lambda place: _rank(place, words))[:MAX_TARGETS]


def _in_model(known: SnapshotIndex, model: str, words: list[str]) -> list[JumpTarget]:
    name = model.casefold()
    rest = [word for word in words if word not in name]
    if not rest:
        return [(model, None)]
    keys = [
        key
        for key in known.series_keys(model)
        if all(word in f"{key.metric} {key.segment}".casefold() for word in rest)
    ]
    return [(model, key) for key in keys] if len(rest) < len(words) or len(words) == 1 else []


def _rank(place: JumpTarget, words: list[str]) -> tuple[int, bool]:
    model, key = place
    names = [name.casefold() for name in ([model] if key is None else [model, key.metric, key.segment])]
    begun = sum(any(name.startswith(word) for name in names) for word in words)
    return -begun, key is not None


def best_target(scene: ScreenState, typed: str) -> JumpTarget | None:
    """The likeliest place; None if there is none."""
    return next(iter(jump_targets(scene, typed)), None)


def jump_hint(scene: ScreenState, typed: str) -> str:
    """Where enter would go, said while the person types."""
    if not typed.strip():
        return "a model, a metric, or both; enter goes, esc stays"
    found = jump_targets(scene, typed)
    if not found:
        return "nothing has this in its name"
    model, key = found[0]
    place = sanitize(model, 60) if key is None else f"{sanitize(model, 60)} > {label(key)}"
    more = "" if len(found) == 1 else f"  and {len(found) - 1} more"
    return f"→ {place}{more}"
