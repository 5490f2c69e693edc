"""Going to a model or a metric by typing parts of its name."""

from __future__ import annotations

from monitor.records import SeriesKey
from monitor.text import safe
from tui.present.metrics import label
from tui.present.scene import Board, Scene, board

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
