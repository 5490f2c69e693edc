"""Models without an alert, in few lines: the healthy together, what could not be judged one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.records import Severity, Standing, Verdict
from monitor.report.board import Board, named
from monitor.report.lines import HANG, wrapped
from monitor.report.text import mark_of, too_new
from monitor.text import plural, safe

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
