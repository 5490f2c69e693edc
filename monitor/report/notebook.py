"""What `check` found, for Python: lines of text, a table of HTML for a notebook, and a DataFrame."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modeltop.alerting.messages.sparkline import MAX_POINTS
from modeltop.core.series import SeriesKey, Severity
from modeltop.core.text import block_characters, sanitize
from modeltop.report.phrases import MARKS
from modeltop.report.svg import escape_text
from modeltop.rules.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

COLORS = {"critical": "#b3261e", "warning": "#8a5a00", "unknown": "#6b4fa0", "ok": "#2c6e3f"}
"""Background of a status in white letters, readable on a light and on a dark page (WCAG 2.2, AA)."""
CELL = "text-align:left;vertical-align:top"
NOT_EVALUATED = "not evaluated"
"""Status of a series about which no rule could say anything."""
EARLIER = {"previous": "previous", "7d": "7_days_ago", "30d": "30_days_ago", "reference": "baseline", "first": "first"}
"""What the newest value is compared with → the column of the table."""


def text_lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line per model, worst first, sanitized."""
    for model in record["models"]:
        mark = MARKS[Severity[model["status"].upper()]][0]
        yield f"{mark} {model['status']:8}  {sanitize(model['model'], 60)}: {_sentences(model)}"


def html_lines(snapshot: Snapshot, record: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table of the models, worst first, in which no text of the data is markup."""
    leads = {incident.model: incident.key for incident in reversed(snapshot.incidents)}
    heads = "".join(f'<th style="{CELL}">{name}</th>' for name in ("status", "model", "verdict", "history"))
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    for model in record["models"]:
        status, color = model["status"], COLORS[model["status"]]
        chip = f'<span style="background:{color};color:#fff;padding:.1em .5em;border-radius:.3em">{status}</span>'
        texts = (escape_text(model["model"], 60), escape_text(_sentences(model), 400))
        cells = "".join(f'<td style="{CELL}">{cell}</td>' for cell in (chip, *texts))
        history = f'<td style="{CELL};white-space:nowrap;font-family:monospace">{_history(model, leads, snapshot)}</td>'
        yield f"<tr>{cells}{history}</tr>"
    yield "</tbody></table>"


def _sentences(model: Mapping[str, Any]) -> str:
    return " ".join(filter(None, model["verdict"].values())).removeprefix("ok: ")  # the state is beside it


def _history(model: Mapping[str, Any], leads: Mapping[str, SeriesKey], snapshot: Snapshot) -> str:
    series = snapshot.history.series.get(leads[model["model"]]) if model["model"] in leads else None
    series = series or next(iter(snapshot.history.for_model(model["model"])), None)
    values = [] if series is None else [value for value in series.values.tolist() if math.isfinite(value)][-MAX_POINTS:]
    if series is None or not values:
        return ""
    metric = snapshot.catalog.get(series.key.metric)
    levels = (metric.format(values[0]), block_characters(values, min(values), max(values)), metric.format(values[-1]))
    return f"{escape_text(series.key.metric, 40)}<br/>{escape_text(' '.join(levels))}"


def status_frame(snapshot: Snapshot, models: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return a table of one row a series, of the worst model first.

    Returns:
        Columns `model`, `metric`, `segment`, `status`, `date` (UTC),
        `value`, `low` and `high` (95 % interval), `count`, the earlier values, and `alert`, the worst one's message.
    """
    import pandas as pd

    statuses = _series_statuses(snapshot)
    rows = []
    for model in models:
        for latest in model["latest"]:
            key = SeriesKey(model["model"], latest["metric"], latest["segment"])
            status, alert = statuses.get(key, (NOT_EVALUATED, None))
            names = {"model": key.model, "metric": key.metric, "segment": key.segment, "status": status}
            values = {name: latest[name] for name in ("date", "value", "low", "high", "count")}
            rows.append({**names, **values, **_earlier_values(model, latest), "alert": alert})
    table = pd.DataFrame(rows)
    return table.assign(date=pd.to_datetime(table["date"], utc=True)) if rows else table


def _series_statuses(snapshot: Snapshot) -> dict[SeriesKey, tuple[str, str | None]]:
    """Return the status of each series that was evaluated, with the message of its worst active alert.

    An alert about all of a model, such as missing data, is that of each of its series.
    """
    statuses: dict[SeriesKey, tuple[str, str | None]] = {
        status.key: ("ok", None) for status in snapshot.rule_statuses if status.is_evaluated
    }
    # The worst one last, and of equals the first of the order of priority.
    active = [alert for alert in reversed(snapshot.alerts) if alert.is_active]
    for alert in sorted(active, key=lambda alert: alert.severity):
        message = alert.breach.message if alert.breach else None
        of_model = [series.key for series in snapshot.history.for_model(alert.key.model)]
        for key in of_model if alert.is_model_wide else [alert.key]:
            statuses[key] = (alert.severity.name.lower(), message)
    return statuses


def _earlier_values(model: Mapping[str, Any], latest: Mapping[str, Any]) -> dict[str, float | None]:
    of_series = {
        change["against"]: change["from"]
        for change in model["changes"]
        if (change["metric"], change["segment"]) == (latest["metric"], latest["segment"])
    }
    return {column: of_series.get(against) for against, column in EARLIER.items()}
