"""A snapshot as JSON: ASCII-escaped, numbers exact, undefined is null, strings as written in the data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from modeltop.alerting.messages.diagnosis_json import finite_or_none, questions_record, verdict_record
from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.core.series import Alert, ModelStatus, Series
from modeltop.rules.change_summary import change_summary, latest_interval
from modeltop.rules.snapshot import Snapshot

Record = dict[str, object]


def as_json(snapshot: Snapshot, *, explained: Iterable[str] = ()) -> str:
    """Return models, their verdicts, open alerts and errors of reading as one JSON object.

    Args:
        snapshot: The snapshot.
        explained: Models whose questions are answered although they do not alert.
    """
    explanations = ExplanationCache(snapshot, explained)
    record = {
        "status": snapshot.severity.name.lower(),
        "taken_at": _iso(snapshot.taken_at),
        "models": [_model_record(snapshot, status, explanations) for status in snapshot.model_statuses],
        "alerts": [alert_record(alert, snapshot) for alert in snapshot.alerts if alert.resolved is None],
        "errors": [
            {"source": problem.source, "line": problem.line, "message": problem.message, "fatal": problem.fatal}
            for problem in snapshot.history.problems
        ],
        "notices": list(snapshot.notices),
    }
    return json.dumps(record, allow_nan=False, indent=1)


def _model_record(snapshot: Snapshot, status: ModelStatus, explanations: ExplanationCache) -> Record:
    history, coverage = snapshot.history.for_model(status.model), snapshot.label_coverage.get(status.model)
    return {
        "model": status.model,
        "status": status.severity.name.lower(),
        "verdict": verdict_record(explanations.verdict_for(status.model)),
        "labels": None if coverage is None else coverage.sentence,
        **questions_record(explanations.diagnosis_for(status.model)),
        "latest": [_latest_record(series, snapshot) for series in history],
        "changes": [record for series in history for record in _change_records(series, snapshot)],
    }


def _latest_record(series: Series, snapshot: Snapshot) -> Record:
    low, high = latest_interval(series, snapshot.catalog.get(series.key.metric)) or (None, None)
    return {
        "metric": series.key.metric,
        "segment": series.key.segment,
        "date": _iso(series.newest),
        "value": finite_or_none(series.latest),
        "low": finite_or_none(low),
        "high": finite_or_none(high),
        "count": _count(series.latest_support),
        "provisional": bool(series.provisional is not None and series.provisional[-1]),
    }


def _change_records(series: Series, snapshot: Snapshot) -> Iterator[Record]:
    for change in change_summary(series, snapshot.catalog.get(series.key.metric), snapshot.baseline):
        yield {
            "metric": series.key.metric,
            "segment": series.key.segment,
            "against": change.against,
            "from": finite_or_none(change.before),
            "to": finite_or_none(change.after),
            "delta": finite_or_none(change.delta),
            "low": finite_or_none(change.low),
            "high": finite_or_none(change.high),
        }


def alert_record(alert: Alert, snapshot: Snapshot) -> Record:
    """Return one alert with its acknowledgement and its suppression; times are ISO 8601 in UTC."""
    breach, id_ = alert.breach, alert.id or ""
    suppression, ack = snapshot.suppressions.get(id_), snapshot.acknowledgements.get(id_)
    return {
        "id": alert.id,
        "rule": alert.rule,
        "condition": alert.condition.value,
        "model": alert.key.model,
        "metric": alert.key.metric,
        "segment": alert.key.segment,
        "severity": alert.severity.name.lower(),
        "state": alert.state.value,
        "value": finite_or_none(breach.value if breach else None),
        "limit": finite_or_none(breach.limit if breach else None),
        "count": _count(alert.count),
        "since": _iso(alert.since),
        "fired": _iso(alert.fired),
        "resolved": _iso(alert.resolved),
        "suppressed_by": None
        if suppression is None
        else {"kind": suppression.kind, "reason": suppression.reason, "until": _iso(suppression.until)},
        "acknowledged": None
        if ack is None
        else {"by": ack.by, "why": ack.reason, "at": _iso(ack.at), "until": _iso(ack.until)},
        "message": breach.message if breach else None,
    }


def _count(value: float | None) -> float | int | None:
    """Return a count without a fraction if it has none."""
    return int(value) if value is not None and value.is_integer() else value


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
