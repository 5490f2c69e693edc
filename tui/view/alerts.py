"""What is wrong, since when, and what was looked at and found right."""

from __future__ import annotations

from dataclasses import dataclass, replace

from modeltop.core.series import Condition, Episode, Severity, Standing, State
from modeltop.core.text import day, plural, safe
from modeltop_tui.view.acknowledgements import note_lines, people_lines
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import Board, Scene, board
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, wrap

OTHERS = 50
"""Alerts of other models that are listed; the models pane has all of them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The lines about one alert, or about one rule that holds."""

    episode: Episode | None
    lines: tuple[Cells, ...]


def entries(scene: Scene, cells_wide: int) -> list[Entry]:
    """The selected model's alerts, how its other rules stand, then the alerts of other models."""
    if scene.snapshot is None:
        return []
    known = board(scene.snapshot)
    model = scene.view.model or ""
    own = known.episodes(model)
    out = [_alert(episode, scene, cells_wide, named=False) for episode in own]
    said = {(episode.rule, episode.key) for episode in own}
    out += [_stands(s, cells_wide) for s in known.standings_of(model) if (s.rule, s.key) not in said]
    if not out:
        out.append(Entry(None, tuple(wrap("no rule asks about this model", cells_wide, role="dim"))))
    out += [Entry(None, tuple(lines)) for lines in note_lines(scene, cells_wide)]
    others = [episode for episode in known.open if episode.key.model != model]
    out += [_alert(episode, scene, cells_wide, named=True) for episode in others[:OTHERS]]
    if len(others) > OTHERS:
        out.append(Entry(None, (((f"and {len(others) - OTHERS} more in the list of models", "dim"),),)))
    return out + _remarks(known, cells_wide)


def _remarks(known: Board, cells_wide: int) -> list[Entry]:
    """What could not be read, with its line, and how this was judged where a person could be surprised."""
    problems = [problem for problem in known.snapshot.history.problems if not problem.fatal]  # those are alerts
    said = [(safe(problem, 400), "warning") for problem in problems[:OTHERS]]
    if len(problems) > OTHERS:
        said.append((f"and {len(problems) - OTHERS} more problems: `modeltop check` lists them", "dim"))
    said += [(safe(notice, 400), "dim") for notice in known.snapshot.notices]
    return [Entry(None, tuple(wrap(text, cells_wide, role=role, indent="  "))) for text, role in said]


def _alert(episode: Episode, scene: Scene, cells_wide: int, *, named: bool) -> Entry:
    pending = episode.state is State.PENDING
    tint = "dim" if pending else TINTS[episode.severity]
    shape = " " if pending else SHAPES[episode.severity]
    owner = f"{safe(episode.key.model, 60)}: " if named else ""
    first = wrap(owner + what(episode), cells_wide, role=tint, indent="  ", lead=((f"{shape} ", tint),))
    span = wrap(f"  {how_long(episode, scene)}", cells_wide, indent="  ", lead=(("  ", ""),))
    return Entry(episode, (*first, *span, *people_lines(episode, scene, cells_wide)))


def pointed_at(entry: Entry) -> Entry:
    """The entry with a cursor on its first line."""
    (*lead, (text, _)), *rest = entry.lines
    return replace(entry, lines=((*lead, (text, "cursor")), *rest))


def place_of(episode: Episode, found: list[Entry], usual: int) -> int:
    """Where the alert stands among the entries by now; `usual` where it is gone."""
    name = (episode.rule, episode.key)
    places = (at for at, entry in enumerate(found) if entry.episode and (entry.episode.rule, entry.episode.key) == name)
    return next(places, usual)


def what(episode: Episode) -> str:
    """What is wrong: the value against its limit, or the absence, or the source."""
    evidence = episode.evidence
    if episode.condition is Condition.THRESHOLD and evidence is not None:
        return f"{label(episode.key)} {safe(evidence.message)}"
    return safe(evidence.message if evidence is not None else episode.condition.value, 300)


def how_long(episode: Episode, scene: Scene) -> str:
    """Since when, for how many periods, and where it stands."""
    assert scene.snapshot is not None
    since = day(episode.since, year=episode.since.year != scene.snapshot.clock.year)
    if episode.condition is not Condition.THRESHOLD:
        return f"since {since}"
    text = f"{plural(episode.periods, 'period')}, since {since}" if episode.periods else f"since {since}"
    if episode.state is State.PENDING:
        return f"pending: {text}"
    if episode.state is State.RECOVERING:
        return f"recovering: {text}"
    return text


def _stands(standing: Standing, cells_wide: int) -> Entry:
    text = safe(standing.sentence, 300)
    if standing.key.segment != "all":
        text = f"[{safe(standing.key.segment, 60)}] {text}"
    role = "dim" if standing.left_out is not None else ""
    mark = SHAPES[Severity.OK] if standing.left_out is None else " "
    return Entry(None, tuple(wrap(text, cells_wide, role=role, indent="  ", lead=((f"{mark} ", "ok"),))))
