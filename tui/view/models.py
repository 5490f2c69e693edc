"""The list of models, worst first: the incident of each with its metric, its size and its age."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from modeltop.alerting.grouping import usual_gap
from modeltop.core.series import ConcernKind, Condition, Severity, State, to_datetime
from modeltop.core.text import display_width, format_age, pad, sanitize, truncate_apart
from modeltop.report.phrases import handling_mark, problem_lines
from modeltop.rules.snapshot import Snapshot
from modeltop_tui.view.metrics import CONDITIONS, short_name
from modeltop_tui.view.news import is_changed
from modeltop_tui.view.state import ScreenState, SnapshotIndex, model_list, snapshot_index, visible_models
from modeltop_tui.view.styled_text import SHAPES, TINTS, Cells

INCIDENT_WIDTH = 14
CONCERNS = {ConcernKind.DECLINING: "ok, declining", ConcernKind.BELOW_BASELINE: "ok, pending"}


def alert_age(snapshot: Snapshot, model: str, condition: Condition, since: datetime) -> str:
    """Return how long an alert has lasted: to the end of the newest period, or to now if data is missing."""
    periods = snapshot.history.periods.get(model)
    if condition is not Condition.THRESHOLD or periods is None or not len(periods):
        return format_age(snapshot.taken_at - since)
    newest = to_datetime(periods[-1])
    return format_age(newest + usual_gap(periods, newest) - since)


def model_cells(state: ScreenState, model: str, width: int) -> Cells:
    """Return the line of one model: severity, acknowledgement, name, and its incident.

    Args:
        state: Has a snapshot with this model.
        model: Name of the model.
        width: Width of the pane's inside in cells.
    """
    assert state.snapshot is not None
    index = snapshot_index(state.snapshot)
    severity, _ = index.model_state(model)
    mark = handling_mark(index.snapshot, index.alerts_by_model[model])
    problem, is_new = describe_state(index, model), is_changed(state, model)
    problem = "ok, resolved" if is_new and problem == "ok" else problem
    new = "new " if is_new and model in index.incidents else ""
    room = width - 3 - len(new) - max(display_width(problem), min(INCIDENT_WIDTH, width // 2))
    shown = truncate_apart(_safe_names(visible_models(state)), room).get(sanitize(model)) or sanitize(model, room)
    name = f"{pad(shown, max(1, room))} "
    return ((SHAPES[severity] + mark, TINTS[severity]), (name, ""), (new, "strong"), (problem, ""))


@lru_cache(maxsize=2)
def _safe_names(models: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(sanitize, models))


def describe_state(index: SnapshotIndex, model: str) -> str:
    """Return what is wrong with a model: `acc -0.105  4d`, `no data    11d`, or that it is ok."""
    severity, word = index.model_state(model)
    incident, status = index.incidents.get(model), index.model_statuses[model]
    if incident is None:
        pending = any(alert.state is State.PENDING for alert in index.alerts_by_model[model])
        concern = next((CONCERNS[one.kind] for one in status.concerns), "ok, pending" if pending else word)
        concern = "ok, incomplete" if model in index.snapshot.missing_values else concern
        return "not evaluated" if severity is Severity.UNKNOWN else concern
    text = CONDITIONS.get(incident.condition, "")
    if not text:
        metric = index.snapshot.catalog.get(incident.key.metric)
        known = incident.before is not None and incident.now is not None
        delta = metric.format_delta((incident.now or 0.0) - (incident.before or 0.0)) if known else ""
        text = f"{short_name(incident.key.metric):<4}{delta}"
    age = alert_age(index.snapshot, model, incident.condition, incident.started_at)
    return f"{text}{age:>{max(len(age) + 1, INCIDENT_WIDTH - display_width(text))}}"


def models_title(state: ScreenState) -> str:
    """Return the title of the list: the filters, and the number of models that are listed."""
    if state.snapshot is None:
        return "Models"
    total, selection = len(snapshot_index(state.snapshot).model_statuses), state.selection
    models, has_match = model_list(state)
    count = f"Models: {len(models)} of {total}" if len(models) < total else "Models"
    words = f"/{sanitize(selection.filter, 40)}" if selection.filter else ""
    missed = ": no match" if words and not has_match else ""
    return " ".join(filter(None, (count, words, "problems" * selection.problems_only))) + missed


def no_match_message(state: ScreenState) -> str:
    """Return that the filter matches no model; an empty string if it does, or if there is none."""
    words = state.selection.filter
    return (
        f'no model matches "{sanitize(words, 40)}" (/ to edit, Esc to clear)'
        if words and not model_list(state).has_match
        else ""
    )


def list_position(state: ScreenState, position: str, in_view: range, room: int) -> str:
    """Return which models are in view, and how many of the worst that are not: `1-6 of 300, 3 more critical below`.

    Args:
        state: The state that is shown.
        position: Which models are in view; empty if all are.
        in_view: Their numbers.
        room: Maximum width in cells; a longer text is shortened.
    """
    models = visible_models(state)
    if state.snapshot is None or not position:
        return position
    index = snapshot_index(state.snapshot)
    hidden = {at: index.model_state(model) for at, model in enumerate(models) if at not in in_view}
    if not hidden:  # the rows are those of a message
        return position
    severity, word = max(hidden.values())
    places = [at for at, (one, _) in hidden.items() if one is severity]
    if severity is Severity.OK:
        return position
    where = "below" if places[0] >= in_view.stop else "above" if places[-1] < in_view.start else "hidden"
    short = f"{SHAPES[severity]}{len(places)} {where}"
    texts = (f"{position}, {len(places)} more {word} {where}", f"{position}, {short}")
    return next((text for text in texts if display_width(text) <= room), short)


def empty_list_message(state: ScreenState) -> str:
    """Return why the list of models is empty; an empty string if it is not."""
    if state.snapshot is None:
        return state.loading
    if visible_models(state):
        return ""
    if not snapshot_index(state.snapshot).model_statuses:
        problems = problem_lines(state.snapshot.history.problems)
        return f"no models: {problems[0]}" if problems else "no models: no rows were found"
    return "no problems (! shows all models)"
