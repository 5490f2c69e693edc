"""The lines that frame the screen: what is seen above, what can be done below."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from modeltop.core.text import age, clip, day, plural, safe, width
from modeltop.rules.snapshot import Snapshot
from modeltop_tui.view.metrics import label
from modeltop_tui.view.models import totals
from modeltop_tui.view.state import Scene, Sort, board, listed
from modeltop_tui.view.styled_text import SHAPES, TINTS, WORDS, Cells, fit, plain_text

ROOM = 24
"""Cells from which there is room for a reason or a name."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the header says."""

    text: str
    bad: bool
    """Whether people may not be told of alerts, or not remembered to have been."""


def watcher(snapshot: Snapshot, limit: int) -> Told | None:
    """What to say of the watcher in about `limit` cells; None where none has ever run.

    Judged for the moment of the look, not for the present: an idle screen looks once a minute only.
    """
    health = snapshot.health
    if health is None:
        return None
    if health.stopped:
        return Told("watch stopped", bad=True)
    if health.late(snapshot.clock):
        return Told(f"watch silent {age(snapshot.clock - health.at)}", bad=True)
    said = []
    if health.error:
        said.append(f"watch: {safe(health.error, limit - 7)}" if limit >= ROOM else "watch error")
    if health.broken:
        one = len(health.broken) == 1
        said.append(f"{safe(health.broken[0], max(limit - 7, 8)) if one else len(health.broken)} broken")
    if not said:
        return Told("watch ok", bad=False)
    return Told("; ".join(said) if limit >= ROOM else said[0], bad=True)


class Step(NamedTuple):
    """How much of the first line is said."""

    place: int
    """Cells of it."""
    trouble: int
    """Cells of it."""
    highest: int
    """The highest rank that stays."""
    words: bool = True
    """Whether severities have their words, which the list of models says as well."""


STEPS = (
    Step(200, 60, 9),
    Step(40, 60, 9),
    Step(40, 40, 6),
    Step(32, 40, 5),
    Step(32, 40, 4),
    Step(32, 34, 3),
    Step(24, 24, 3),
    Step(24, 12, 3),
    Step(16, 12, 2),
    Step(10, 12, 2),
    Step(10, 12, 2, words=False),
    Step(10, 12, 1),
    Step(0, 0, 0),
)
"""From the roomiest to the narrowest."""


def header(scene: Scene, now: datetime, cells_wide: int) -> Cells:
    """The first line: the least important parts go first where it is narrow, severities and age never.

    Args:
        scene: What is shown.
        now: The true time, from which the age of the data counts.
        cells_wide: Cells of the line.
    """
    line: Cells = ()
    for step in STEPS:
        parts = [cells for rank, cells in _parts(scene, now, step) if rank <= step.highest and plain_text(cells)]
        line = _joined(parts)
        if width(plain_text(line)) <= cells_wide:
            break
    return fit(line, cells_wide)


def _joined(parts: list[Cells]) -> Cells:
    out: list[tuple[str, str]] = []
    for part in parts:
        out += [("  ", "")] if out else []
        out += part
    return tuple(out)


def _parts(scene: Scene, now: datetime, step: Step) -> list[tuple[int, Cells]]:
    """The parts in their order; those of a high rank are left out first."""
    name = (9, (("modeltop", "strong"),))
    if scene.snapshot is None:
        return [name, (0, ((scene.loading, "dim"),)), (0, _trouble(scene, step.trouble))]
    return [
        name,
        (2, ((clip(place_text(scene), step.place), "head"),)),
        (6, ((_counted(scene), ""),)),
        (0, _severities(scene, words=step.words)),
        (1, _trouble(scene, step.trouble)),
        *_watcher(scene, step.trouble),
        (3, ((_modes(scene), "strong"),)),
        (4, ((_newest(scene), ""),)),
        (0, ((data_age(scene, now), ""),)),
    ]


def place_text(scene: Scene) -> str:
    """The selected model and metric."""
    if scene.view.model is None:
        return "no model"
    model = safe(scene.view.model, 80)
    return model if scene.view.key is None else f"{model} > {label(scene.view.key)}"


def _counted(scene: Scene) -> str:
    assert scene.snapshot is not None
    models = len(board(scene.snapshot).verdicts)
    shown = len(listed(scene))
    return plural(models, "model") if shown == models else f"{shown} of {plural(models, 'model')}"


def _severities(scene: Scene, *, words: bool) -> Cells:
    out: list[tuple[str, str]] = []
    for severity, count in totals(scene).items():
        out += [(" ", "")] if out else []
        word = f" {WORDS[severity]}" if words else ""
        out.append((f"{SHAPES[severity]}{count}{word}", TINTS[severity]))
    fine = "all ok" if scene.snapshot is not None and board(scene.snapshot).verdicts else "nothing to judge"
    return tuple(out) or ((fine, "ok"),)


def _trouble(scene: Scene, limit: int) -> Cells:
    """What could not be read: how much, and the first of it where there is room."""
    problems = scene.snapshot.history.problems if scene.snapshot is not None else ()
    broken = [problem for problem in problems if problem.fatal]
    rows = len(problems) - len(broken)
    out: list[str] = [safe(scene.trouble, max(limit, 8))] if scene.trouble else []
    if broken:
        reason = f": {safe(broken[0], limit - 10)}" if limit >= 24 else ""
        out.append(f"{plural(len(broken), 'error')}{reason}")
    if rows:
        out.append(plural(rows, "problem"))
    return (("; ".join(out), "critical" if scene.trouble or broken else "warning"),) if out else ()


def _watcher(scene: Scene, limit: int) -> list[tuple[int, Cells]]:
    """How the watcher is: what is wrong with it stays as long as any trouble does."""
    if scene.snapshot is None or (found := watcher(scene.snapshot, limit)) is None:
        return []
    return [(1 if found.bad else 5, ((found.text, "critical" if found.bad else "dim"),))]


def _modes(scene: Scene) -> str:
    view = scene.view
    return " ".join(
        text
        for text, on in (
            ("PAUSED", scene.paused),
            (f"/{safe(view.filter, 20)}", bool(view.filter)),
            ("problems only", view.problems_only),
            (view.sort.value, view.sort is not Sort.WORST),
        )
        if on
    )


def _newest(scene: Scene) -> str:
    newest = scene.snapshot.history.newest if scene.snapshot is not None else None
    return day(newest) if newest else ""


def data_age(scene: Scene, now: datetime) -> str:
    """The true age of the newest row, in minutes or more: an idle screen is not written to each second."""
    newest = scene.snapshot.history.newest if scene.snapshot is not None else None
    if newest is None:
        return "no data"
    if newest > now:
        return "dated ahead"
    return f"{age(now - newest)} old" if now - newest >= timedelta(minutes=1) else "<1m old"


def keys_line(keys: Iterable[tuple[str, str]], cells_wide: int) -> Cells:
    """The last line: keys and what they do, as many as fit; the last two always.

    Args:
        keys: The key as people read it, and a word or two, the most useful first; help and quit come last.
        cells_wide: Cells of the line.
    """
    known = list(keys)
    first, last = known[:-2], known[-2:]
    while first and sum(width(key) + width(word) + 3 for key, word in (*first, *last)) - 2 > cells_wide:
        first.pop()
    return fit(_joined([((key, "strong"), (f" {word}", "")) for key, word in (*first, *last)]), cells_wide)


def tabs_line(names: Iterable[str], front: int, cells_wide: int) -> Cells:
    """The panes by their digits, where one is shown at a time; only the digits where it is narrow."""
    full = [f"{at} {name}" for at, name in enumerate(names, 1)]
    digits = [text if at == front else text[0] for at, text in enumerate(full, 1)]
    texts = full if sum(width(text) + 2 for text in full) <= cells_wide else digits
    return fit(tuple((f" {text} ", "cursor" if at == front else "") for at, text in enumerate(texts, 1)), cells_wide)
