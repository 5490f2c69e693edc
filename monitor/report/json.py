"""A snapshot as JSON: ASCII-escaped, numbers exact, undefined is null, strings as written in the data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from modeltop.alerting.messages.diagnosis_json import finite_or_none, questions_record, verdict_record
from modeltop.alerting.messages.explanation import ExplanationCache
from modeltop.core.diagnosis import Verdict
from modeltop.core.incident import Acknowledgement, Incident, Suppression
from modeltop.core.series import Alert, ModelStatus, Series, Severity
from modeltop.diagnosis.phrases import advice_lines
from modeltop.report.text_report import ReportIndex, describe_rules
from modeltop.rules.change_summary import change_summary, latest_interval
from modeltop.rules.snapshot import Snapshot

Record = dict[str, object]
VERSION = 1
"""Version of the JSON, incremented when a field changes its meaning or is removed."""


def as_json(snapshot: Snapshot, *, explained: Iterable[str] = ()) -> str:
    """Return models, their verdicts, incidents, open alerts and errors of reading as one JSON object."""
    return json.dumps(as_record(snapshot, explained=explained), allow_nan=False, indent=1)


def as_record(snapshot: Snapshot, *, explained: Iterable[str] = (), model: str | None = None) -> Record:
    """Return what `as_json` writes.

    Args:
        snapshot: The snapshot.
        explained: Models whose questions are answered although they do not alert.
        model: The only model that it is about; None for all.
    """
    index, explanations = ReportIndex(snapshot), ExplanationCache(snapshot, explained)
    statuses = [status for status in snapshot.model_statuses if model in (None, status.model)]
    severity = snapshot.severity if model is None else statuses[0].severity
    return {
        "version": VERSION,
        "status": severity.name.lower(),
        "taken_at": _iso(snapshot.taken_at),
        "models": [_model_record(index, status, explanations) for status in statuses],
        "shared_starts": [
            {
                "condition": shared.condition.value,
                "models": list(shared.models),
                "started_at": _iso(shared.started_at),
                "sentence": shared.sentence,
            }
            for shared in snapshot.shared_starts
            if model is None or model in shared.models
        ],
        "incidents": [
            _incident_record(incident, snapshot, explanations)
            for incident in snapshot.incidents
            if model in (None, incident.model)
        ],
        "alerts": [
            alert_record(alert, snapshot)
            for alert in snapshot.alerts
            if alert.resolved is None and model in (None, alert.key.model)
        ],
        "errors": [
            {"source": problem.source, "line": problem.line, "message": problem.message, "fatal": problem.fatal}
            for problem in snapshot.history.problems
        ],
        "notices": list(snapshot.notices),
    }


def _model_record(index: ReportIndex, status: ModelStatus, explanations: ExplanationCache) -> Record:
    snapshot, diagnosis = index.snapshot, explanations.diagnosis_for(status.model)
    is_ok = status.severity is Severity.OK and diagnosis is None
    verdict = Verdict(describe_rules(status, index)) if is_ok else explanations.verdict_for(status.model)
    history, coverage = snapshot.history.for_model(status.model), snapshot.label_coverage.get(status.model)
    incident = snapshot.incident_of(status.model)
    return {
        "model": status.model,
        "status": status.severity.name.lower(),
        "incident": None if incident is None else incident.id,
        "verdict": verdict_record(verdict),
        "labels": None if coverage is None else coverage.sentence,
        "missing": snapshot.missing_values.get(status.model),
        **questions_record(diagnosis),
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


def _incident_record(incident: Incident, snapshot: Snapshot, explanations: ExplanationCache) -> Record:
    """Return an incident; the cause of one that is over long ago is null."""
    active = {alert.id for alert in snapshot.alerts if alert.is_active} & {*incident.alerts}
    is_suppressed = bool(active) and active <= snapshot.suppressions.keys()
    diagnosis = explanations.diagnosis_of(incident)
    hypotheses = () if diagnosis is None else diagnosis.hypotheses
    worst: Record = {"value": finite_or_none(incident.worst_value), "date": _iso(incident.worst_at)}
    return {
        "id": incident.id,
        "model": incident.model,
        "status": incident.status.value,
        "severity": incident.severity.name.lower(),
        "suppressed_by": _suppression_record(snapshot.suppressions.get(incident.lead)) if is_suppressed else None,
        "acknowledged_by": _ack_record(snapshot.acknowledgements.get(incident.lead)),
        "lead": incident.lead,
        "started_at": _iso(incident.started_at),
        "resolved_at": _iso(incident.resolved_at),
        "before": finite_or_none(incident.before),
        "after": finite_or_none(incident.after),
        "worst": None if incident.worst_value is None else worst,
        "now": finite_or_none(incident.now),
        "cause": hypotheses[0].cause.value if hypotheses else None,
        "certainty": diagnosis.certainty.value if diagnosis is not None and hypotheses else None,
        "steps": [] if diagnosis is None else advice_lines(diagnosis),
        "alerts": list(incident.alerts),
    }


def _suppression_record(suppression: Suppression | None) -> Record | None:
    if suppression is None:
        return None
    return {"kind": suppression.kind, "reason": suppression.reason, "until": _iso(suppression.until)}


def _ack_record(ack: Acknowledgement | None) -> Record | None:
    if ack is None:
        return None
    return {"by": ack.by, "why": ack.reason, "at": _iso(ack.at), "until": _iso(ack.until)}


def alert_record(alert: Alert, snapshot: Snapshot) -> Record:
    """Return one alert with its acknowledgement and its suppression; times are ISO 8601 in UTC."""
    breach, id_ = alert.breach, alert.id or ""
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
        "suppressed_by": _suppression_record(snapshot.suppressions.get(id_)),
        "acknowledged": _ack_record(snapshot.acknowledgements.get(id_)),
        "message": breach.message if breach else None,
    }


def _count(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
