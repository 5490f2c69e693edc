"""A model that alerts, in a few lines: the verdict, its alerts, what else of it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from modeltop.alerting.messages.explanation import Reasons
from modeltop.core.diagnosis import Diagnosis
from modeltop.core.series import (
    Better,
    Condition,
    Episode,
    Series,
    SeriesKey,
    Severity,
    Standing,
    State,
    Verdict,
    to_stamp,
)
from modeltop.core.text import day, plain, plural, safe
from modeltop.report.diagnosis_sections import sections
from modeltop.report.index import Board, board, explained, named
from modeltop.report.phrases import (
    HANG,
    MARKS,
    alert_line,
    handled,
    headline,
    left_out,
    mark_of,
    series_name,
    too_new,
    wrapped,
)
from modeltop.rules.change_summary import latest_interval, sentence
from modeltop.rules.change_summary import summary as changes_of
from modeltop.rules.detectors.cusum import Shift
from modeltop.rules.rule import sentence as rule_sentence
from modeltop.rules.snapshot import Snapshot

SHOWN = 20
"""Models that are told one by one."""
SENTENCE = 400
TOGETHER = {
    "healthy": ("● ok    ", "healthy"),
    "waiting": ("● ok    ", "healthy before the newest period, which is not judged"),
    "new": ("●       ", "too little history to judge"),
    "unasked": ("●       ", "no rule judges them"),
}
"""Kinds of models that share a line: how it is marked, and what is said of them."""


def calm(verdicts: Sequence[Verdict], known: Board) -> Iterator[str]:
    """What is said of models without an alert.

    Args:
        verdicts: Of those models, in order.
        known: The snapshot.
    """
    kinds: dict[str, list[Verdict]] = {}
    for one in verdicts:
        kinds.setdefault(_kind(one, known), []).append(one)
    alone = kinds.pop("alone", [])
    alone += [one for some in kinds.values() if len(some) == 1 for one in some]
    for one in alone[:SHOWN]:
        yield from wrapped(calm_line(one, known), HANG)
    if len(alone) > SHOWN:
        yield f"{'':{HANG}}and {len(alone) - SHOWN:,} more models without an alert"
    for kind, (mark, said) in TOGETHER.items():
        some = kinds.get(kind, [])
        if len(some) > 1:
            names = named([safe(one.model, 60) for one in some], "model")
            yield from wrapped(f"{mark}{names}: {said}{_held(some, known)}", HANG)


def _kind(verdict: Verdict, known: Board) -> str:
    """What of a model that can share a line; `alone` for one that has something of its own to say."""
    quiet = known.quiet.get(verdict.model, [])
    if verdict.severity is not Severity.OK or verdict.model in known.snapshot.labels:
        return "alone"
    if not quiet:
        return "unasked"
    unseen = [one for one in quiet if not known.healthy(one)]
    if not all(map(too_new, unseen)):
        return "alone"
    if len(unseen) == len(quiet):
        return "new"
    return "waiting" if any(map(known.waits, quiet)) else "healthy"


def _held(some: Sequence[Verdict], known: Board) -> str:
    held = sum(known.healthy(one) for verdict in some for one in known.quiet.get(verdict.model, []))
    return f", {_hold(held)}" if held else ""


def calm_line(verdict: Verdict, known: Board) -> str:
    """One model without an alert: how its first rule stands, and what else holds or could not be judged."""
    said = "; ".join((safe(verdict.sentence, SENTENCE), *_rest(known, verdict.model)))
    return f"{_mark(verdict, known)}{safe(verdict.model, 60)} {said}"


def _mark(verdict: Verdict, known: Board) -> str:
    """What was never judged is not said to be ok."""
    quiet = known.quiet.get(verdict.model, [])
    series = known.snapshot.history.series
    if verdict.severity is Severity.OK:
        if not quiet:
            return TOGETHER["unasked"][0]
        if not any(series[one.key].judged().any() for one in quiet):
            return mark_of(Severity.UNKNOWN)
    return mark_of(verdict.severity)


def _rest(known: Board, model: str) -> Iterator[str]:
    """What holds beside the rule that the verdict speaks of."""
    quiet = known.quiet.get(model, [])
    others = [one for one in quiet[1:] if known.healthy(one)]
    falls = {one.key for one in others if known.watches(one)}
    if more := sum(not known.watches(one) for one in others):
        yield f"{more:,} more rule{'s hold' if more > 1 else ' holds'}"
    if falls and known.watches(quiet[0]):
        yield f"nor {'is' if len(falls) == 1 else 'are'} {plural(len(falls), 'more metric')}"
    elif falls:
        yield f"{plural(len(falls), 'metric')}, none lastingly worse" if len(falls) > 1 else "nor lastingly worse"
    yield from unjudged(known, quiet[1:])


def unjudged(known: Board, quiet: Sequence[Standing]) -> Iterator[str]:
    """How many rules could say nothing of the newest period, and why."""
    unseen = [one for one in quiet if not known.healthy(one)]
    young = [one for one in unseen if too_new(one)]
    if young:
        yield f"{plural(len(young), 'metric')} with {young[0].sentence.rpartition(': ')[2]}"
    if more := len(unseen) - len(young):
        yield f"{plural(more, 'rule')} could not judge the newest period"


def _hold(rules: int) -> str:
    return f"{rules:,} rule{'s hold' if rules > 1 else ' holds'}"


NEAR = 3
"""Periods within which alerts of one model began together."""
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


DETAILED = 50
"""Models whose alerts are listed one by one, the worst; of the others the verdict is told."""
NOTE = 4
"""Cells in front of what goes on from one line at the foot to the next."""


def summary(snapshot: Snapshot) -> Iterator[str]:
    """What `check` prints: the headline, what alerts, the worst first, what does not, and how it was judged."""
    yield headline(snapshot)
    known, why = board(snapshot), explained(snapshot)
    wrong = [one for one in snapshot.verdicts if one.model in known.alerts]
    for verdict in wrong[:DETAILED]:
        yield from block(verdict, known, why.of(verdict.model))
    for verdict in wrong[DETAILED:]:
        yield from verdict_lines(verdict, why.of(verdict.model))
    yield from calm([one for one in snapshot.verdicts if one.model not in known.alerts], known)
    yield from _foot(snapshot, why)


def _foot(snapshot: Snapshot, why: Reasons) -> Iterator[str]:
    """How it was judged."""
    for line in (*left_out(snapshot.standings), *(f"  {safe(one, 300)}" for one in snapshot.notices)):
        yield from wrapped(line, NOTE)
    for line in why.failed:
        yield from wrapped(f"  {line}", NOTE)
    for rule in snapshot.rules:
        name = "default rule" if rule.default else f"rule {safe(rule.name, 60)}"
        said = safe(rule_sentence(rule, snapshot.catalog.of(rule.metric)), 300)
        yield from wrapped(f"  {name}: {said}", NOTE)


def pages(snapshot: Snapshot) -> Iterator[str]:
    """The text report: the headline, a page a model, and how it was judged."""
    yield headline(snapshot)
    known, why = board(snapshot), explained(snapshot)
    for verdict in snapshot.verdicts:
        yield ""
        yield from _page(verdict.model, known, why)
    yield ""
    yield from _foot(snapshot, why)


def _page(model: str, known: Board, why: Reasons) -> Iterator[str]:
    """A model: the verdict, what it rests on, every metric as it stands and has changed."""
    snapshot, found = known.snapshot, why.of(model)
    verdict = next(one for one in snapshot.verdicts if one.model == model)
    if model in known.alerts:
        yield from block(verdict, known, found)
    else:
        yield from wrapped(calm_line(verdict, known), HANG)
    for section in sections(found, snapshot.catalog) if found is not None else ():
        yield f"  {section.title}"
        for line in section.lines:
            yield from wrapped(f"    {line}", 6)
    for series in snapshot.history.of_model(model):
        yield f"  {_latest(series, snapshot)}"
        metric = snapshot.catalog.of(series.key.metric)
        for change in changes_of(series, metric, snapshot.reference):
            yield f"    {safe(sentence(change, metric))}"


def _latest(series: Series, snapshot: Snapshot) -> str:
    metric = snapshot.catalog.of(series.key.metric)
    interval = latest_interval(series, metric)
    bounds = "" if interval is None else f" (95 % {metric.show(interval[0])} to {metric.show(interval[1])})"
    support = series.latest_support
    count = "n unknown" if support is None else f"n {plain(support)}"
    return f"{series_name(series.key)} {metric.show(series.latest)}{bounds} on {day(series.newest)}, {count}"
