"""The lines that frame the screen: what is seen above, what can be done below."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from modeltop.core.text import display_width, format_age, format_period, pluralize, sanitize, truncate
from modeltop.rules.snapshot import Snapshot
from modeltop_tui.view.metrics import label
from modeltop_tui.view.models import severity_counts
from modeltop_tui.view.state import ScreenState, SortOrder, snapshot_index, visible_models
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells, fit, plain_text

MIN_WIDTH_FOR_REASON = 24
"""Cells from which there is room for a reason or a name."""


@dataclass(frozen=True, slots=True)
class WatcherStatus:
    """What the header says."""

    text: str
    is_problem: bool
    """Whether people may not be told of alerts, or not remembered to have been."""


def watcher_status(snapshot: Snapshot, limit: int) -> WatcherStatus | None:
    """What to say of the watcher in about `limit` cells; None where none has ever run.

    Judged for the moment of the look, not for the present: an idle screen looks once a minute only.
    """
    health = snapshot.watcher_health
    if health is None:
        return None
    if health.stopped:
        return WatcherStatus("watch stopped", is_problem=True)
    if health.is_overdue(snapshot.clock):
        return WatcherStatus(f"watch silent {format_age(snapshot.clock - health.at)}", is_problem=True)
    said = []
    if health.error:
        said.append(f"watch: {sanitize(health.error, limit - 7)}" if limit >= MIN_WIDTH_FOR_REASON else "watch error")
    if health.disabled_receivers:
        one = len(health.disabled_receivers) == 1
        said.append(
            f"{sanitize(health.disabled_receivers[0], max(limit - 7, 8)) if one else len(health.disabled_receivers)} broken"
        )
    if not said:
        return WatcherStatus("watch ok", is_problem=False)
    return WatcherStatus("; ".join(said) if limit >= MIN_WIDTH_FOR_REASON else said[0], is_problem=True)


class HeaderDetail(NamedTuple):
    """How much of the first line is said."""

    location_width: int
    """Cells of it."""
    error_width: int
    """Cells of it."""
    max_rank: int
    """The highest rank that stays."""
    with_words: bool = True
    """Whether severities have their words, which the list of models says as well."""


STEPS = (
    HeaderDetail(200, 60, 9),
    HeaderDetail(40, 60, 9),
    HeaderDetail(40, 40, 6),
    HeaderDetail(32, 40, 5),
    HeaderDetail(32, 40, 4),
    HeaderDetail(32, 34, 3),
    HeaderDetail(24, 24, 3),
    HeaderDetail(24, 12, 3),
    HeaderDetail(16, 12, 2),
    HeaderDetail(10, 12, 2),
    HeaderDetail(10, 12, 2, with_words=False),
    HeaderDetail(10, 12, 1),
    HeaderDetail(0, 0, 0),
)
"""From the roomiest to the narrowest."""


def header_line(scene: ScreenState, now: datetime, cells_wide: int) -> Cells:
    """The first line: the least important parts go first where it is narrow, severities and age never.

    Args:
        scene: What is shown.
        now: The true time, from which the age of the data counts.
        cells_wide: Cells of the line.
    """
    line: Cells = ()
    for step in STEPS:
        parts = [cells for rank, cells in _parts(scene, now, step) if rank <= step.max_rank and plain_text(cells)]
        line = _joined(parts)
        if display_width(plain_text(line)) <= cells_wide:
            break
    return fit(line, cells_wide)


def _joined(parts: list[Cells]) -> Cells:
    out: list[tuple[str, str]] = []
    for part in parts:
        out += [("  ", "")] if out else []
        out += part
    return tuple(out)


def _parts(scene: ScreenState, now: datetime, step: HeaderDetail) -> list[tuple[int, Cells]]:
    """The parts in their order; those of a high rank are left out first."""
    name = (9, (("modeltop", "strong"),))
    if scene.snapshot is None:
        return [name, (0, ((scene.loading, "dim"),)), (0, _trouble(scene, step.error_width))]
    return [
        name,
        (2, ((truncate(location_text(scene), step.location_width), "head"),)),
        (6, ((_counted(scene), ""),)),
        (0, _severities(scene, words=step.with_words)),
        (1, _trouble(scene, step.error_width)),
        *_watcher(scene, step.error_width),
        (3, ((_modes(scene), "strong"),)),
        (4, ((_newest(scene), ""),)),
        (0, ((data_age(scene, now), ""),)),
    ]


def location_text(scene: ScreenState) -> str:
    """The selected model and metric."""
    if scene.selection.model is None:
        return "no model"
    model = sanitize(scene.selection.model, 80)
    return model if scene.selection.key is None else f"{model} > {label(scene.selection.key)}"


def _counted(scene: ScreenState) -> str:
    assert scene.snapshot is not None
    models = len(snapshot_index(scene.snapshot).model_statuses)
    shown = len(visible_models(scene))
    return pluralize(models, "model") if shown == models else f"{shown} of {pluralize(models, 'model')}"


def _severities(scene: ScreenState, *, words: bool) -> Cells:
    out: list[tuple[str, str]] = []
    for severity, count in severity_counts(scene).items():
        out += [(" ", "")] if out else []
        word = f" {WORDS[severity]}" if words else ""
        out.append((f"{SHAPES[severity]}{count}{word}", TINTS[severity]))
    fine = (
        "all ok" if scene.snapshot is not None and snapshot_index(scene.snapshot).model_statuses else "nothing to judge"
    )
    return tuple(out) or ((fine, "ok"),)


def _trouble(scene: ScreenState, limit: int) -> Cells:
    """What could not be read: how much, and the first of it where there is room."""
    problems = scene.snapshot.history.problems if scene.snapshot is not None else ()
    broken = [problem for problem in problems if problem.fatal]
    rows = len(problems) - len(broken)
    out: list[str] = [sanitize(scene.error, max(limit, 8))] if scene.error else []
    if broken:
        reason = f": {sanitize(broken[0], limit - 10)}" if limit >= 24 else ""
        out.append(f"{pluralize(len(broken), 'error')}{reason}")
    if rows:
        out.append(pluralize(rows, "problem"))
    return (("; ".join(out), "critical" if scene.error or broken else "warning"),) if out else ()


def _watcher(scene: ScreenState, limit: int) -> list[tuple[int, Cells]]:
    """How the watcher is: what is wrong with it stays as long as any trouble does."""
    if scene.snapshot is None or (found := watcher_status(scene.snapshot, limit)) is None:
        return []
    return [(1 if found.is_problem else 5, ((found.text, "critical" if found.is_problem else "dim"),))]


def _modes(scene: ScreenState) -> str:
    view = scene.selection
    return " ".join(
        text
        for text, on in (
            ("PAUSED", scene.paused),
            (f"/{sanitize(view.filter, 20)}", bool(view.filter)),
            ("problems only", view.problems_only),
            (view.sort.value, view.sort is not SortOrder.WORST),
        )
        if on
    )


def _newest(scene: ScreenState) -> str:
    newest = scene.snapshot.history.newest if scene.snapshot is not None else None
    return format_period(newest) if newest else ""


def data_age(scene: ScreenState, now: datetime) -> str:
    """The true age of the newest row, in minutes or more: an idle screen is not written to each second."""
    newest = scene.snapshot.history.newest if scene.snapshot is not None else None
    if newest is None:
        return "no data"
    if newest > now:
        return "dated ahead"
    return f"{format_age(now - newest)} old" if now - newest >= timedelta(minutes=1) else "<1m old"


def keys_line(keys: Iterable[tuple[str, str]], cells_wide: int) -> Cells:
    """The last line: keys and what they do, as many as fit; the last two always.

    Args:
        keys: The key as people read it, and a word or two, the most useful first; help and quit come last.
        cells_wide: Cells of the line.
    """
    known = list(keys)
    first, last = known[:-2], known[-2:]
    while first and sum(display_width(key) + display_width(word) + 3 for key, word in (*first, *last)) - 2 > cells_wide:
        first.pop()
    return fit(_joined([((key, "strong"), (f" {word}", "")) for key, word in (*first, *last)]), cells_wide)


def tabs_line(names: Iterable[str], front: int, cells_wide: int) -> Cells:
    """The panes by their digits, where one is shown at a time; only the digits where it is narrow."""
    full = [f"{at} {name}" for at, name in enumerate(names, 1)]
    digits = [text if at == front else text[0] for at, text in enumerate(full, 1)]
    texts = full if sum(display_width(text) + 2 for text in full) <= cells_wide else digits
    return fit(tuple((f" {text} ", "cursor" if at == front else "") for at, text in enumerate(texts, 1)), cells_wide)
