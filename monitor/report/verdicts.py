"""A model that alerts, in a few lines: the verdict, its alerts, what else of it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from monitor.checks.shift import Shift
from monitor.findings import Diagnosis
from monitor.records import Better, Condition, Episode, SeriesKey, Severity, State, Verdict, to_stamp
from monitor.report.board import Board, named
from monitor.report.calm import unjudged
from monitor.report.lines import HANG, wrapped
from monitor.report.people import handled
from monitor.report.text import MARKS, alert_line, mark_of, series_name
from monitor.text import day, plural, safe

NEAR = 3
"""Periods within which alerts of one model began together."""
SENTENCE = 400
WENT = {frozenset({Better.HIGHER}): "fell", frozenset({Better.LOWER}): "rose"}
"""How metrics got worse, by their directions."""


def block(verdict: Verdict, known: Board, why: Diagnosis | None = None) -> Iterator[str]:
    """The verdict in one sentence, then a line an alert, and what else of the model holds, or could not be judged.

    Args:
        verdict: Of a model that alerts, or has a pending alert.
        known: The snapshot.
        why: What was found out; None: how its worst rule stands is said instead.
    """
    model, alerts = verdict.model, known.alerts[verdict.model]
    yield from verdict_lines(verdict, why)
    for text in (*alert_lines(known, model), *_beside(known, model, alerts)):
        yield from wrapped(" " * HANG + text, HANG + 2)


def verdict_lines(verdict: Verdict, why: Diagnosis | None = None) -> Iterator[str]:
    """How bad, which model, and what was found out, or how it stands."""
    said = verdict.sentence if why is None else why.sentence
    yield from wrapped(f"{mark_of(verdict.severity)}{safe(verdict.model, 60)} {safe(said, SENTENCE)}", HANG)


def alert_lines(known: Board, model: str) -> Iterator[str]:
    """A line an alert, without the model's name, the worst first; lasting falls are folded into what is told already.

    Of a series that alerts by a limit, a fall only adds when it began; falls that began together are one line.
    """
    alerts = known.alerts.get(model, [])
    limits = {one.key: one for one in reversed(alerts) if one.stands and not known.falls(one)}
    folded = {one.key: one for one in alerts if known.falls(one) and _says_less(one, limits, known)}
    shown = [one for one in alerts if folded.get(one.key) is not one]
    groups = _together([one for one in shown[1:] if known.falls(one)], known)
    rest = {id(one) for some in groups for one in some[1:]}
    by_first = {id(some[0]): some for some in groups}
    for one in shown:
        if id(one) in rest:
            continue
        some = by_first.get(id(one), [one])
        if len(some) > 1:
            yield _group(some, shown[0], known)
        else:
            yield alert_line(one, known.snapshot, whole=False) + _began(one, folded.get(one.key), known)


def _says_less(fall: Episode, limits: Mapping[SeriesKey, Episode], known: Board) -> bool:
    """Whether another alert says as much of its series; what people did about the one must stay seen."""
    other = limits.get(fall.key)
    return other is not None and other.severity >= fall.severity and not handled(fall, known.snapshot)


def _began(shown: Episode, fall: Episode | None, known: Board) -> str:
    if fall is None or known.falls(shown) or shown.condition is not Condition.THRESHOLD or _near(shown, fall, known):
        return ""
    return f"; lastingly {_word(fall, known)} since {day(fall.since)}"


def _together(falls: Sequence[Episode], known: Board) -> list[list[Episode]]:
    """Groups of what is equally bad and began within a few periods, in the order given."""
    groups: list[list[Episode]] = []
    for one in falls:
        group = next((some for some in groups if _alike(one, some[0], known) and _near(one, some[0], known)), None)
        if group is None:
            groups.append([one])
        else:
            group.append(one)
    return groups


def _alike(one: Episode, other: Episode, known: Board) -> bool:
    first, second = (
        (each.severity, each.state, handled(each, known.snapshot), _word(each, known)) for each in (one, other)
    )
    return first == second


def _near(one: Episode, other: Episode, known: Board) -> bool:
    periods = known.snapshot.history.periods[one.key.model]
    first, second = (int(periods.searchsorted(to_stamp(each.since))) for each in (one, other))
    return abs(first - second) <= NEAR


def _word(fall: Episode, known: Board) -> str:
    check = known.rules[fall.rule].check
    return "changed" if isinstance(check, Shift) and check.outside else "worse"


def _group(some: Sequence[Episode], worst: Episode, known: Board) -> str:
    """Several falls in one line; where they began with the model's first alert, that is all there is to say of when."""
    shape, word = ("·", "pend") if some[0].state is State.PENDING else MARKS[some[0].severity]
    names = named([series_name(one.key) for one in some])
    if worst.condition is Condition.THRESHOLD and _near(some[0], worst, known):
        line = f"{shape} {word} and {plural(len(some), 'more metric')} {_went(some, known)} with it: {names}"
    else:
        line = f"{shape} {word} {plural(len(some), 'metric')} lastingly {_word(some[0], known)}: {names}"
        line += f", since {day(min(one.since for one in some))}"
    return "; ".join((line, *handled(some[0], known.snapshot)))


def _went(some: Sequence[Episode], known: Board) -> str:
    if _word(some[0], known) == "changed":
        return "changed"
    series = known.snapshot.history.series
    return WENT.get(frozenset(series[one.key].better for one in some), "got worse")


def _beside(known: Board, model: str, alerts: Sequence[Episode]) -> Iterator[str]:
    """What holds, and what could not be judged."""
    quiet = known.quiet.get(model, [])
    if all(one.condition is Condition.THRESHOLD for one in alerts):
        wrong = {one.key for one in alerts}
        fine = dict.fromkeys(series_name(one.key) for one in quiet if one.key not in wrong and known.healthy(one))
        if fine:
            yield f"{mark_of(Severity.OK).strip()} {named(list(fine))}: healthy"
    yield from (f"{mark_of(Severity.UNKNOWN).strip()} {text}" for text in unjudged(known, quiet))
    if model in known.snapshot.labels:
        yield f"{mark_of(Severity.UNKNOWN).strip()} {known.snapshot.labels[model].sentence}"
