"""A snapshot as JSON: ASCII-escaped, numbers exact, undefined is null, strings as written in the data."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import datetime

from modeltop.alerting.messages.diagnosis_json import diagnosis_record
from modeltop.alerting.messages.explanation import verdict_sentence as sentence
from modeltop.core.diagnosis import Diagnosis
from modeltop.core.incident import Acknowledgement, Suppression
from modeltop.core.series import Alert, ModelStatus, Series
from modeltop.report.index import explain_alerting_models
from modeltop.report.phrases import overall_severity
from modeltop.rules.change_summary import change_summary as changes_of
from modeltop.rules.change_summary import latest_interval
from modeltop.rules.snapshot import Snapshot


def as_json(snapshot: Snapshot) -> str:
    """Everything as JSON: ASCII-escaped, numbers exact, undefined is null."""
    why = explain_alerting_models(snapshot)
    record = {
        "status": overall_severity(snapshot).name.lower(),
        "taken_at": _iso(snapshot.taken_at),
        "models": [
            _model_record(snapshot, verdict, why.diagnosis_for(verdict.model)) for verdict in snapshot.model_statuses
        ],
        "alerts": [alert_record(episode, snapshot) for episode in snapshot.alerts if episode.resolved is None],
        "errors": [
            {"source": problem.source, "line": problem.line, "message": problem.message, "fatal": problem.fatal}
            for problem in snapshot.history.problems
        ],
    }
    return json.dumps(record, allow_nan=False, indent=1)


def _model_record(snapshot: Snapshot, verdict: ModelStatus, found: Diagnosis | None) -> dict[str, object]:
    series = snapshot.history.for_model(verdict.model)
    return {
        "model": verdict.model,
        "status": verdict.severity.name.lower(),
        "summary": verdict.sentence if found is None else sentence(snapshot, verdict.model, found),
        "diagnosis": None if found is None else diagnosis_record(found),
        "latest": [_latest_record(one, snapshot) for one in series],
        "changes": [record for one in series for record in _change_records(one, snapshot)],
    }


def _latest_record(series: Series, snapshot: Snapshot) -> dict[str, object]:
    low, high = latest_interval(series, snapshot.catalog.get(series.key.metric)) or (None, None)
    return {
        "metric": series.key.metric,
        "segment": series.key.segment,
        "date": _iso(series.newest),
        "value": json_number(series.latest),
        "low": json_number(low),
        "high": json_number(high),
        "count": json_count(series.latest_support),
        "provisional": bool(series.provisional is not None and series.provisional[-1]),
    }


def _change_records(series: Series, snapshot: Snapshot) -> Iterator[dict[str, object]]:
    for change in changes_of(series, snapshot.catalog.get(series.key.metric), snapshot.baseline):
        yield {
            "metric": series.key.metric,
            "segment": series.key.segment,
            "against": change.against,
            "from": json_number(change.before),
            "to": json_number(change.after),
            "delta": json_number(change.delta),
            "low": json_number(change.low),
            "high": json_number(change.high),
        }


def alert_record(episode: Alert, snapshot: Snapshot) -> dict[str, object]:
    """One alert as JSON has it, with what people did about it."""
    evidence = episode.breach
    name = episode.id or ""
    return {
        "id": episode.id,
        "rule": episode.rule,
        "condition": episode.condition.value,
        "model": episode.key.model,
        "metric": episode.key.metric,
        "segment": episode.key.segment,
        "severity": episode.severity.name.lower(),
        "state": episode.state.value,
        "value": json_number(evidence.value if evidence else None),
        "limit": json_number(evidence.limit if evidence else None),
        "count": json_count(episode.count),
        "since": _iso(episode.since),
        "fired": _iso(episode.fired),
        "resolved": _iso(episode.resolved),
        "suppressed_by": _suppression_record(snapshot.suppressions.get(name)),
        "acknowledged": _ack_record(snapshot.acknowledgements.get(name)),
        "message": evidence.message if evidence else None,
    }


def _suppression_record(found: Suppression | None) -> dict[str, object] | None:
    """Why nobody is told: silenced, inhibited or muted."""
    if found is None:
        return None
    return {"kind": found.kind, "reason": found.reason, "until": _iso(found.until)}


def _ack_record(found: Acknowledgement | None) -> dict[str, object] | None:
    """Who has it."""
    if found is None:
        return None
    return {"by": found.by, "why": found.reason, "at": _iso(found.at), "until": _iso(found.until)}


def json_number(value: float | None) -> float | None:
    """A number as JSON has it: what is not finite is null."""
    return None if value is None or not math.isfinite(value) else value


def json_count(value: float | None) -> float | int | None:
    """A count, without a fraction where it has none."""
    return int(value) if value is not None and value.is_integer() else value


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
