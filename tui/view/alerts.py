"""What is wrong, since when, and what was looked at and found right."""

from __future__ import annotations

from dataclasses import dataclass, replace

from modeltop.core.series import Alert, Condition, RuleStatus, Severity, State
from modeltop.core.text import format_period, pluralize, sanitize
from modeltop_tui.view.acknowledgements import handling_lines, note_lines
from modeltop_tui.view.metrics import label
from modeltop_tui.view.state import ScreenState, SnapshotIndex, snapshot_index
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells, wrap

MAX_OTHER_ALERTS = 50
"""Alerts of other models that are listed; the models pane has all of them."""


@dataclass(frozen=True, slots=True)
class AlertEntry:
    """The lines about one alert, or about one rule that holds."""

    alert: Alert | None
    lines: tuple[Cells, ...]


def entries(scene: ScreenState, cells_wide: int) -> list[AlertEntry]:
    """The selected model's alerts, how its other rules stand, then the alerts of other models."""
    if scene.snapshot is None:
        return []
    known = snapshot_index(scene.snapshot)
    model = scene.selection.model or ""
    own = known.alerts(model)
    out = [_alert(episode, scene, cells_wide, named=False) for episode in own]
    said = {(episode.rule, episode.key) for episode in own}
    out += [_stands(s, cells_wide) for s in known.model_rule_statuses(model) if (s.rule, s.key) not in said]
    if not out:
        out.append(AlertEntry(None, tuple(wrap("no rule asks about this model", cells_wide, role="dim"))))
    out += [AlertEntry(None, tuple(lines)) for lines in note_lines(scene, cells_wide)]
    others = [episode for episode in known.open_alerts if episode.key.model != model]
    out += [_alert(episode, scene, cells_wide, named=True) for episode in others[:MAX_OTHER_ALERTS]]
    if len(others) > MAX_OTHER_ALERTS:
        out.append(AlertEntry(None, (((f"and {len(others) - MAX_OTHER_ALERTS} more in the list of models", "dim"),),)))
    return out + _remarks(known, cells_wide)


def _remarks(known: SnapshotIndex, cells_wide: int) -> list[AlertEntry]:
    """What could not be read, with its line, and how this was judged where a person could be surprised."""
    problems = [problem for problem in known.snapshot.history.problems if not problem.fatal]  # those are alerts
    said = [(sanitize(problem, 400), "warning") for problem in problems[:MAX_OTHER_ALERTS]]
    if len(problems) > MAX_OTHER_ALERTS:
        said.append((f"and {len(problems) - MAX_OTHER_ALERTS} more problems: `modeltop check` lists them", "dim"))
    said += [(sanitize(notice, 400), "dim") for notice in known.snapshot.notices]
    return [AlertEntry(None, tuple(wrap(text, cells_wide, role=role, indent="  "))) for text, role in said]


def _alert(episode: Alert, scene: ScreenState, cells_wide: int, *, named: bool) -> AlertEntry:
    pending = episode.state is State.PENDING
    tint = "dim" if pending else TINTS[episode.severity]
    shape = " " if pending else SHAPES[episode.severity]
    owner = f"{sanitize(episode.key.model, 60)}: " if named else ""
    first = wrap(owner + describe_problem(episode), cells_wide, role=tint, indent="  ", lead=((f"{shape} ", tint),))
    span = wrap(f"  {describe_duration(episode, scene)}", cells_wide, indent="  ", lead=(("  ", ""),))
    return AlertEntry(episode, (*first, *span, *handling_lines(episode, scene, cells_wide)))


def with_cursor(entry: AlertEntry) -> AlertEntry:
    """The entry with a cursor on its first line."""
    (*lead, (text, _)), *rest = entry.lines
    return replace(entry, lines=((*lead, (text, "cursor")), *rest))


def entry_index(episode: Alert, found: list[AlertEntry], usual: int) -> int:
    """Where the alert stands among the entries by now; `usual` where it is gone."""
    name = (episode.rule, episode.key)
    places = (at for at, entry in enumerate(found) if entry.alert and (entry.alert.rule, entry.alert.key) == name)
    return next(places, usual)


def describe_problem(episode: Alert) -> str:
    """What is wrong: the value against its limit, or the absence, or the source."""
    evidence = episode.breach
    if episode.condition is Condition.THRESHOLD and evidence is not None:
        return f"{label(episode.key)} {sanitize(evidence.message)}"
    return sanitize(evidence.message if evidence is not None else episode.condition.value, 300)


def describe_duration(episode: Alert, scene: ScreenState) -> str:
    """Since when, for how many periods, and where it stands."""
    assert scene.snapshot is not None
    since = format_period(episode.since, year=episode.since.year != scene.snapshot.clock.year)
    if episode.condition is not Condition.THRESHOLD:
        return f"since {since}"
    text = f"{pluralize(episode.periods, 'period')}, since {since}" if episode.periods else f"since {since}"
    if episode.state is State.PENDING:
        return f"pending: {text}"
    if episode.state is State.RECOVERING:
        return f"recovering: {text}"
    return text


def _stands(standing: RuleStatus, cells_wide: int) -> AlertEntry:
    text = sanitize(standing.sentence, 300)
    if standing.key.segment != "all":
        text = f"[{sanitize(standing.key.segment, 60)}] {text}"
    role = "dim" if standing.skip_reason is not None else ""
    mark = SHAPES[Severity.OK] if standing.skip_reason is None else " "
    return AlertEntry(None, tuple(wrap(text, cells_wide, role=role, indent="  ", lead=((f"{mark} ", "ok"),))))
