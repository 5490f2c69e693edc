"""Where a key takes the selection: pure functions from one view to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from modeltop.core.series import SeriesKey
from modeltop.core.text import safe
from modeltop.rules.priority import worst_series
from modeltop_tui.view.changes import selected_series
from modeltop_tui.view.chart import family, nearest, seconds, span
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import Board, Scene, Sort, View, Window, board, listed

FEWEST_STEPS = 4
"""Median steps between two periods that the narrowest window still shows."""


def settle(scene: Scene) -> View:
    """The same view with a selection that exists: at first the worst model and its worst metric.

    A selected model stays selected while it exists and is listed, whatever its place in the list.
    """
    models = listed(scene)
    view = scene.view
    if scene.snapshot is None or not models:
        return replace(view, model=None, key=None) if scene.snapshot is not None else view
    if view.model not in models:
        return _on_model(board(scene.snapshot), view, models[0])
    if view.key not in scene.snapshot.history.series:
        return _on_model(board(scene.snapshot), view, view.model or models[0])
    return view


def _on_model(known: Board, view: View, model: str) -> View:
    """The view on a model: its worst metric if something stands, else the metric of before, else a judged one."""
    keys = known.keys(model)
    worst = [episode.key for episode in known.episodes(model) if episode.stands and episode.key in keys]
    same = [key for key in keys if view.key and (key.metric, key.segment) == (view.key.metric, view.key.segment)]
    usual = worst_series(model, known.snapshot.history, known.episodes(model), known.standings_of(model))
    return replace(view, model=model, key=next(iter([*worst, *same, usual])))


def model(scene: Scene, steps: int) -> View:
    """The model that is `steps` further down the list, at most its ends."""
    models = listed(scene)
    if not models or scene.snapshot is None:
        return scene.view
    at = models.index(scene.view.model) if scene.view.model in models else 0
    to = models[_within(at + steps, models)]
    return scene.view if to == scene.view.model else _on_model(board(scene.snapshot), scene.view, to)


def metric(scene: Scene, steps: int) -> View:
    """The metric that is `steps` further down the table, at most its ends."""
    if scene.snapshot is None:
        return scene.view
    keys = board(scene.snapshot).keys(scene.view.model)
    if not keys:
        return scene.view
    at = keys.index(scene.view.key) if scene.view.key in keys else 0
    return replace(scene.view, key=keys[_within(at + steps, keys)])


def _within(index: int, items: Sequence[object]) -> int:
    return max(0, min(index, len(items) - 1))


def side(scene: Scene, steps: int) -> View:
    """Left and right: the chart's cursor where there is one, else the metric."""
    return metric(scene, steps) if scene.view.cursor is None else cursor(scene, steps)


def problem(scene: Scene, steps: int) -> View:
    """The next standing alert that nobody has, on a series of a listed model; round at the end.

    Where somebody has each, the next of all. From one that is taken it goes to the first that is not: it is worse.
    """
    if scene.snapshot is None:
        return scene.view
    shown = set(listed(scene))
    known = board(scene.snapshot)
    standing = [one for one in known.open if one.stands and one.key.model in shown]
    left = [one for one in standing if one.id not in scene.snapshot.acks]
    places = list(dict.fromkeys((one.key.model, one.key) for one in left or standing))
    if not places:
        return scene.view
    taken = scene.view.key is not None and any(one.stands for one in known.on(scene.view.key))
    here = _place(places, scene.view) if not taken or (scene.view.model, scene.view.key) in places else None
    to, key = places[(here + steps) % len(places)] if here is not None else places[0 if steps > 0 else -1]
    return look_at(scene, to, key)


def trouble(scene: Scene, steps: int) -> View:
    """The next model with such an alert, however many its own alerts are."""
    if scene.snapshot is None:
        return scene.view
    view = scene.view
    for _ in board(scene.snapshot).open:
        view = problem(replace(scene, view=view), steps)
        if view.model != scene.view.model:
            return view
    return scene.view


def _place(places: list[tuple[str, SeriesKey]], view: View) -> int | None:
    """Where the view stands in the list of problems; a problem of the whole model counts for each of its metrics."""
    for at, (name, key) in enumerate(places):
        if name == view.model and key == view.key:
            return at
    return next((at for at, (name, _) in enumerate(places) if name == view.model), None)


def near(scene: Scene) -> tuple[str | SeriesKey, ...]:
    """The selected model and series, then those that the next key may go to: the next problem, and the neighbours."""
    models = listed(scene)
    views = [scene.view]
    if scene.view.model in models:
        at = models.index(scene.view.model)
        around = [models[at + steps] for steps in (1, -1, 2, -2) if 0 <= at + steps < len(models)]
        views += [problem(scene, 1), *(metric(scene, steps) for steps in (1, -1)), *(look_at(scene, m) for m in around)]
    wanted = [part for view in views for part in (view.model, view.key)]
    return tuple(dict.fromkeys(part for part in wanted if part is not None))


def look_at(scene: Scene, name: str, key: SeriesKey | None = None) -> View:
    """The view on a model and, where it has it, on a series."""
    if scene.snapshot is None:
        return scene.view
    known = board(scene.snapshot)
    view = _on_model(known, scene.view, name)
    return replace(view, key=key) if key in known.keys(name) else view


def sort(scene: Scene, steps: int) -> View:
    """The next order of the models."""
    orders = list(Sort)
    return replace(scene.view, sort=orders[(orders.index(scene.view.sort) + steps) % len(orders)])


def problems_only(scene: Scene, _: int) -> View:
    """Hide the models that are fine, or show them again."""
    return replace(scene.view, problems_only=not scene.view.problems_only)


def overlay(scene: Scene, _: int) -> View:
    """Draw the metric's family beside it, or the metric alone."""
    return replace(scene.view, overlay=not scene.view.overlay)


def cursor_switch(scene: Scene, _: int) -> View:
    """Put a cursor on the newest point of the chart, or take it away."""
    series = selected_series(scene)
    if scene.view.cursor is not None or series is None:
        return replace(scene.view, cursor=None)
    start, end = span(series, scene.view.window)
    times = seconds(series)
    inside = times[(times >= start) & (times <= end)]
    return replace(scene.view, cursor=float(inside[-1] if len(inside) else times[-1]))


def cursor(scene: Scene, steps: int) -> View:
    """The cursor `steps` points further; a window that does not reach there follows."""
    series = selected_series(scene)
    if series is None or scene.view.cursor is None:
        return scene.view
    times = seconds(series)
    to = float(times[_within(nearest(series, scene.view.cursor) + steps, times.tolist())])
    view = replace(scene.view, cursor=to)
    start, end = span(series, view.window)
    if view.window is None or start <= to <= end:
        return view
    length = view.window.length
    return replace(view, window=Window(length, to + length if to < start else to))


def zoom(scene: Scene, steps: int) -> View:
    """A part of the time axis half as long (`steps` 1), or twice as long (-1), around the cursor or at the same end."""
    series = selected_series(scene)
    if series is None or len(series) < 2:
        return scene.view
    times = seconds(series)
    whole = float(times[-1] - times[0])
    start, end = span(series, scene.view.window)
    least = FEWEST_STEPS * (whole / (len(times) - 1))
    length = max(min(least, whole), (end - start) / 2**steps)
    if length >= whole:
        return replace(scene.view, window=None)
    if scene.view.cursor is not None:
        end = min(scene.view.cursor + length / 2, float(times[-1]))
        end = max(end, float(times[0]) + length)
    return replace(scene.view, window=Window(length, None if end >= times[-1] else end))


def shift(scene: Scene, steps: int) -> View:
    """Half a window earlier (-1) or later (1)."""
    series = selected_series(scene)
    if series is None or scene.view.window is None:
        return scene.view
    times = seconds(series)
    length = scene.view.window.length
    _, end = span(series, scene.view.window)
    to = max(end + steps * length / 2, float(times[0]) + length)
    return replace(scene.view, window=Window(length, None if to >= times[-1] else to))


def all_time(scene: Scene, _: int) -> View:
    """The whole time axis."""
    return replace(scene.view, window=None)


MOVES: dict[str, Callable[[Scene, int], View]] = {
    "model": model,
    "metric": metric,
    "side": side,
    "problem": problem,
    "trouble": trouble,
    "sort": sort,
    "problems_only": problems_only,
    "overlay": overlay,
    "cursor_switch": cursor_switch,
    "zoom": zoom,
    "shift": shift,
    "all_time": all_time,
}
"""By the name that a key's action gives."""


def no_move(name: str, scene: Scene) -> str:
    """Why a key changed nothing."""
    if scene.snapshot is None:
        return "nothing is loaded yet"
    reasons = {
        "problem": "no other problem stands",
        "trouble": "no other model has a problem",
        "shift": "all of time is shown: + shows a part" if scene.view.window is None else "time ends here",
        "zoom": "all of time is shown" if scene.view.window is None else "it is as near as it gets",
        "side": "no further metric" if scene.view.cursor is None else "no further point",
        "cursor_switch": "no point to read",
    }
    return reasons.get(name, f"no further {name}" if name in ("model", "metric") else "nothing to change")


def said(name: str, scene: Scene) -> str:
    """What a key did, where the panes do not show it by themselves."""
    view = scene.view
    if name == "sort":
        return f"models {view.sort.value}"
    if name == "problems_only":
        return "problems only: ! shows all models" if view.problems_only else "all models"
    if name == "overlay" and scene.snapshot is not None and view.key is not None:
        others = family(board(scene.snapshot), view.key)
        if view.overlay:
            names = ", ".join(label(series.key) for series in others)
            return f"with {names}" if others else "no other metric of its family is known"
    if name == "cursor_switch" and view.cursor is not None:
        return "←→ move the cursor, c or esc takes it away"
    return ""


Place = tuple[str, SeriesKey | None]
"""A model, and a series of it where one was meant."""
MOST = 99
"""Places that are counted; more are not looked for."""


def places(scene: Scene, typed: str) -> list[Place]:
    """The places that `typed` can mean, the likeliest first: each word must be in the model's or the metric's name.

    Names that begin with the words come before those that have them inside, a model before its series, and models in
    the order of the list.
    """
    words = typed.casefold().replace(">", " ").split()
    if scene.snapshot is None or not words:
        return []
    known = board(scene.snapshot)
    found = [place for model in known.verdicts for place in _in_model(known, model, words)]
    return sorted(found, key=lambda place: _rank(place, words))[:MOST]


def _in_model(known: Board, model: str, words: list[str]) -> list[Place]:
    name = model.casefold()
    rest = [word for word in words if word not in name]
    if not rest:
        return [(model, None)]
    keys = [key for key in known.keys(model) if all(word in f"{key.metric} {key.segment}".casefold() for word in rest)]
    return [(model, key) for key in keys] if len(rest) < len(words) or len(words) == 1 else []


def _rank(place: Place, words: list[str]) -> tuple[int, bool]:
    model, key = place
    names = [name.casefold() for name in ([model] if key is None else [model, key.metric, key.segment])]
    begun = sum(any(name.startswith(word) for name in names) for word in words)
    return -begun, key is not None


def best(scene: Scene, typed: str) -> Place | None:
    """The likeliest place; None if there is none."""
    return next(iter(places(scene, typed)), None)


def hint(scene: Scene, typed: str) -> str:
    """Where enter would go, said while the person types."""
    if not typed.strip():
        return "a model, a metric, or both; enter goes, esc stays"
    found = places(scene, typed)
    if not found:
        return "nothing has this in its name"
    model, key = found[0]
    place = safe(model, 60) if key is None else f"{safe(model, 60)} > {label(key)}"
    more = "" if len(found) == 1 else f"  and {len(found) - 1} more"
    return f"→ {place}{more}"
