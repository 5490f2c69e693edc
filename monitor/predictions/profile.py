"""One pass over a log: how much it is, and what of it cannot be what it was taken for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from modeltop.core.errors import SourceError
from modeltop.core.text import pluralize, sanitize
from modeltop.predictions import loading as ours
from modeltop.predictions.engines.base import Engine, Expression, fetch
from modeltop.predictions.loading import load_log
from modeltop.predictions.schema import Schema
from modeltop.predictions.spec import DEFAULT_THRESHOLD, ResolvedLog, Task
from modeltop.predictions.windowing import dictionary_encode

ProfileValues = Mapping[str, Any]
PLAIN_STATISTICS = frozenset(("rows", "models", "first", "last", "at", "ats", "prediction", "predictions"))
"""Facts that often are plain counts, or ends, of columns as they stand."""


def with_profile(reading: ResolvedLog, engine: Engine) -> ResolvedLog:
    """The reading with its size, and what of it is left out, said.

    Raises:
        SourceError: A column holds nothing of the kind that its part needs.
    """
    log = load_log(reading.spec, engine)
    reading = replace(reading, clean_columns=frozenset(_zero_or_one(log, reading, engine)))
    table = ours.canonical_rows(log, reading, engine)
    facts = _query_values(engine, table, _profile_queries(table) | _decisions(table, reading))
    if not facts.get("rows"):
        raise SourceError("the log has no rows")
    _check(facts, reading)
    return replace(
        reading,
        first_row_at=_naive(facts.get("first")),
        last_row_at=_naive(facts.get("last")),
        row_count=facts["rows"],
        score_decides=facts.get("decided") == facts["rows"],
        models=() if reading.model is None else dictionary_encode(table, engine),
        clean_columns=reading.clean_columns | set(_without_nan(facts, reading, log.schema)),
        notes=(*reading.notes, *_exclusion_notes(facts, reading)),
    )


def _query_values(engine: Engine, table: Expression, asked: dict[str, Expression]) -> ProfileValues:
    """What was asked for: what a file's statistics may tell by itself, since beside the rest it would be counted."""
    known = {name: one for name, one in asked.items() if name in PLAIN_STATISTICS or name.endswith(ours.RAW)}
    if not engine.has_file_statistics or len(known) == len(asked):
        return _row(engine, table.aggregate(**asked))
    rest = {name: one for name, one in asked.items() if name not in known}
    return {**_row(engine, table.aggregate(**known)), **_row(engine, table.aggregate(**rest))}


def _naive(moment: datetime | None) -> datetime | None:
    """Some engines say that it is UTC, which it is anyway."""
    return None if moment is None else moment.replace(tzinfo=None)


def _row(engine: Engine, expression: Expression) -> ProfileValues:
    found = fetch(engine, expression)
    return {name: found[name][0].as_py() for name in found.column_names}


def _zero_or_one(log: ours.LoadedLog, reading: ResolvedLog, engine: Engine) -> Iterator[str]:
    """Labels and predictions that are 0 and 1 throughout; of Parquet, its statistics tell that at once."""
    names = [name for name in (reading.label, reading.prediction) if name is not None and log.schema[name].is_integer]
    if reading.classes != ("0", "1") or log.source.parses_each_read or not names:
        return
    table = log.source.table
    asked = {f"{end} {name}": getattr(table[name], end)() for name in names for end in ("min", "max")}
    facts = _row(engine, table.aggregate(**asked))
    for name in names:
        low, high = facts[f"min {name}"], facts[f"max {name}"]
        if low is not None and low >= 0 and high <= 1:
            yield name


def _without_nan(facts: ProfileValues, reading: ResolvedLog, columns: Schema) -> Iterator[str]:
    """Numbers that can be taken as they stand. Statistics of a file leave NaN out, so they are counted."""
    parts = [(next(iter(reading.scores.values())), ours.SCORE)] if len(reading.scores) == 1 else []
    if reading.task is Task.REGRESSION:
        parts += [
            (name, part) for name, part in ((reading.label, ours.LABEL), (reading.prediction, ours.PREDICTION)) if name
        ]
    for name, part in parts:
        if columns[name].is_float64 and facts[part + ours.RAW] == facts[part]:
            yield name


def _decisions(table: Expression, reading: ResolvedLog) -> dict[str, Expression]:
    """Rows whose prediction is what their score says; not asked where the threshold is no edge of a bin for sure."""
    if reading.task is not Task.BINARY or not reading.scores or reading.threshold != DEFAULT_THRESHOLD:
        return {}
    yes = table[ours.SCORE] >= DEFAULT_THRESHOLD
    agrees = yes.notnull() if reading.prediction is None else yes == (table[ours.PREDICTION] == 1)
    return {"decided": table.count(where=agrees)}


def _profile_queries(table: Expression) -> dict[str, Expression]:
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


def _check(facts: ProfileValues, reading: ResolvedLog) -> None:
    for part, readable, given in (("timestamp", "at", "ats"), ("score", "score", "scores")):
        if facts.get(given, 0) > facts.get(readable, 0):
            name = reading.timestamp if part == "timestamp" else next(iter(reading.scores.values()))
            wrong = pluralize(facts[given] - facts[readable], "value")
            kind = "no ISO dates" if part == "timestamp" else "no numbers"
            raise SourceError(
                f"--{part} {sanitize(name, 60)} has {wrong} that are {kind}: correct them, or name another"
            )
    if reading.task is not Task.REGRESSION:
        _check_range(facts, reading)
    elif facts["labels"] > facts["label"]:
        wrong = pluralize(facts["labels"] - facts["label"], "value")
        raise SourceError(f"--label {sanitize(reading.label, 60)} has {wrong} that are no numbers: correct them")


def _check_range(facts: ProfileValues, reading: ResolvedLog) -> None:
    names = (
        list(reading.scores.values())
        if len(reading.scores) == 1
        else [reading.scores[c] for c in reading.classes if reading.scores]
    )
    for place, name in enumerate(names):
        key = ours.SCORE if len(names) == 1 else ours.score_column(place)
        low, high = facts[f"{key} low"], facts[f"{key} high"]
        if low is not None and (low < 0 or high > 1):
            worst = low if low < 0 else high
            raise SourceError(
                f"--score {sanitize(name, 60)} holds {worst:g}, and a score lies within 0 and 1: give probabilities, "
                "or leave the score out"
            )


def _exclusion_notes(facts: ProfileValues, reading: ResolvedLog) -> Iterator[str]:
    rows = facts["rows"]
    if reading.task is not Task.REGRESSION and (strange := facts["labels"] - facts["label"]):
        kinds = "neither value" if reading.task is Task.BINARY else "none of the classes"
        yield f"{pluralize(strange, 'row')} with a label that is {kinds} count as unlabelled, such as ties"
    if "prediction" in facts and (missing := rows - facts["prediction"]):
        yield f"{pluralize(missing, 'row')} without a prediction that can be read are left out"
    if reading.prediction is None and "score" in facts and (missing := rows - facts["score"]):
        yield f"{pluralize(missing, 'row')} without a score are left out"
    if "at" in facts and (missing := rows - facts["at"]):
        yield f"{pluralize(missing, 'row')} without a time are left out"
    if missing := rows - facts["models"]:
        yield f"{pluralize(missing, 'row')} without a model's name are left out"
