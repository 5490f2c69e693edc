"""One pass over a log: how much it is, and what of it cannot be what it was taken for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from monitor.errors import SourceError
from monitor.logs import rows as ours
from monitor.logs.columns import Columns, Kind
from monitor.logs.engine import Engine, Expression, fetch
from monitor.logs.log import Reading, Task
from monitor.logs.opening import opened
from monitor.text import plural, safe

Facts = Mapping[str, Any]


def profiled(reading: Reading, engine: Engine) -> Reading:
    """The reading with its size, and what of it is left out, said.

    Raises:
        SourceError: A column holds nothing of the kind that its part needs.
    """
    log = opened(reading.log, engine)
    table = ours.rows(log, reading, engine)
    found = fetch(engine, table.aggregate(**_asked(table)))
    facts = {name: found[name][0].as_py() for name in found.column_names}
    if not facts.get("rows"):
        raise SourceError("the log has no rows")
    _check(facts, reading)
    return replace(
        reading,
        first=_naive(facts.get("first")),
        last=_naive(facts.get("last")),
        total=facts["rows"],
        plain=frozenset(_plain(facts, reading, log.columns)),
        said=(*reading.said, *_left_out(facts, reading)),
    )


def _naive(moment: datetime | None) -> datetime | None:
    """Some engines say that it is UTC, which it is anyway."""
    return None if moment is None else moment.replace(tzinfo=None)


def _plain(facts: Facts, reading: Reading, columns: Columns) -> Iterator[str]:
    """Columns whose every value can be taken as it stands: numbers without NaN, and labels of 0 and 1."""
    parts = [(reading.label, "label", "labels"), (reading.prediction, "prediction", "predictions")]
    scores = list(reading.scores.values())
    parts += [(scores[0], "score", "scores")] if len(scores) == 1 else []
    for name, readable, given in parts:
        column = columns.get(name or "")
        if column is None or column.stored is not Kind.NUMBER or facts[readable] != facts[given]:
            continue
        if readable != "score" and reading.task is not Task.REGRESSION:
            if reading.classes == ("0", "1") and column.whole:
                yield column.name
        elif column.double and facts[readable + ours.RAW] == facts[readable]:
            yield column.name


def _asked(table: Expression) -> dict[str, Expression]:
    asked = {"rows": table.count(), "label": table[ours.LABEL].count(), "labels": table[ours.LABEL_GIVEN].count()}
    asked["models"] = table[ours.MODEL].count()
    if ours.AT in table.columns:
        at = table[ours.AT]
        asked |= {"first": at.min(), "last": at.max(), "at": at.count(), "ats": table[ours.AT_GIVEN].count()}
    if ours.PREDICTION in table.columns:
        asked |= {"prediction": table[ours.PREDICTION].count(), "predictions": table[ours.PREDICTION_GIVEN].count()}
    if ours.SCORE in table.columns:
        asked |= {"score": table[ours.SCORE].count(), "scores": table[ours.SCORE_GIVEN].count()}
    asked |= {name: table[name].count() for name in table.columns if name.endswith(ours.RAW)}
    for name in table.columns:
        if name.startswith("score") and not name.endswith(("_given", ours.RAW)):
            asked |= {f"{name} low": table[name].min(), f"{name} high": table[name].max()}
    return asked


def _check(facts: Facts, reading: Reading) -> None:
    for part, readable, given in (("timestamp", "at", "ats"), ("score", "score", "scores")):
        if facts.get(given, 0) > facts.get(readable, 0):
            name = reading.timestamp if part == "timestamp" else next(iter(reading.scores.values()))
            wrong = plural(facts[given] - facts[readable], "value")
            kind = "no ISO dates" if part == "timestamp" else "no numbers"
            raise SourceError(f"--{part} {safe(name, 60)} has {wrong} that are {kind}: correct them, or name another")
    if reading.task is not Task.REGRESSION:
        _check_range(facts, reading)
    elif facts["labels"] > facts["label"]:
        wrong = plural(facts["labels"] - facts["label"], "value")
        raise SourceError(f"--label {safe(reading.label, 60)} has {wrong} that are no numbers: correct them")


def _check_range(facts: Facts, reading: Reading) -> None:
    names = (
        list(reading.scores.values())
        if len(reading.scores) == 1
        else [reading.scores[c] for c in reading.classes if reading.scores]
    )
    for place, name in enumerate(names):
        key = ours.SCORE if len(names) == 1 else ours.score_of(place)
        low, high = facts[f"{key} low"], facts[f"{key} high"]
        if low is not None and (low < 0 or high > 1):
            worst = low if low < 0 else high
            raise SourceError(
                f"--score {safe(name, 60)} holds {worst:g}, and a score lies within 0 and 1: give probabilities, "
                "or leave the score out"
            )


def _left_out(facts: Facts, reading: Reading) -> Iterator[str]:
    rows = facts["rows"]
    if reading.task is not Task.REGRESSION and (strange := facts["labels"] - facts["label"]):
        kinds = "neither value" if reading.task is Task.BINARY else "none of the classes"
        yield f"{plural(strange, 'row')} with a label that is {kinds} count as unlabelled, such as ties"
    if "prediction" in facts and (missing := rows - facts["prediction"]):
        yield f"{plural(missing, 'row')} without a prediction that can be read are left out"
    if reading.prediction is None and "score" in facts and (missing := rows - facts["score"]):
        yield f"{plural(missing, 'row')} without a score are left out"
    if "at" in facts and (missing := rows - facts["at"]):
        yield f"{plural(missing, 'row')} without a time are left out"
    if missing := rows - facts["models"]:
        yield f"{plural(missing, 'row')} without a model's name are left out"
