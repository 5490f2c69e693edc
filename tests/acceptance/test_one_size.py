"""An incident has one start and one size: every surface takes them from the incident, and words name the newest value.

The table has a row for each surface, each of which says the same of every data set.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from modeltop.config.load import Config
from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Condition, State
from modeltop.core.text import format_day
from modeltop.diagnosis.diagnose import diagnose_model, outlook
from modeltop.report.diagnosis_sections import diagnosis_sections
from modeltop.report.html import html
from modeltop.report.json import as_json
from modeltop.report.phrases import alert_line
from modeltop.report.summary import lead_cells
from modeltop.report.svg import series_chart
from modeltop.service.pipeline import Pipeline
from modeltop_tui.view.alerts import describe_duration
from modeltop_tui.view.chart_annotations import chart_annotations
from modeltop_tui.view.diagnosis import evidence_rows
from modeltop_tui.view.models import describe_state
from modeltop_tui.view.state import ScreenState, Selection, snapshot_index
from modeltop_tui.view.styled_text import plain_text

SAMPLES = Path(__file__).parents[2] / "sample_data"
LEVELS = re.compile(r"(-?\d+(?:\.\d+)?)→(-?\d+(?:\.\d+)?)")
NOW = re.compile(r"(-?\d+(?:\.\d+)?) now")
DELTA = re.compile(r"[+-]\d+(?:\.\d+)?")


def table(path, start, step, columns):
    """Write a table of one model: accuracy, confidence and cases."""
    lines = [
        f"{start + step * number:%Y-%m-%dT%H:%M},{accuracy:.4f},{confidence:.4f},{cases}"
        for number, (accuracy, confidence, cases) in enumerate(zip(*columns, strict=True))
    ]
    path.write_text("\n".join(["timestamp,accuracy,avg_confidence,n", *lines]) + "\n")


def write_hourly(folder):
    """Ten days by the hour: accuracy drops from one hour to the next."""
    rng, rate = np.random.default_rng(4), np.where(np.arange(240) < 231, 0.949, 0.829)
    columns = rng.binomial(900, rate) / 900, 0.9 + rng.normal(0, 0.003, 240), [900] * 240
    table(folder / "hourly.csv", datetime(2025, 11, 20, tzinfo=UTC), timedelta(hours=1), columns)


def write_smooth(folder):
    """The same of values that are steadier than their counts allow."""
    rng, rate = np.random.default_rng(5), np.where(np.arange(240) < 221, 0.949, 0.829)
    columns = rate + rng.normal(0, 0.0025, 240), 0.9 + rng.normal(0, 0.003, 240), [100] * 240
    table(folder / "smooth.csv", datetime(2025, 11, 20, tzinfo=UTC), timedelta(hours=1), columns)


def write_many(folder):
    """Twelve models, of which three drop on one day."""
    for number in range(12):
        rng, rate = np.random.default_rng(number), np.where((np.arange(90) < 80) | (number > 2), 0.94, 0.86)
        columns = rng.binomial(3000, rate) / 3000, 0.92 + rng.normal(0, 0.003, 90), [3000] * 90
        table(folder / f"model-{number:03}.csv", datetime(2025, 8, 1, tzinfo=UTC), timedelta(days=1), columns)


def write_slides(folder):
    """Models that slide over weeks, on few cases and on many."""
    for number, (cases, days, fall) in enumerate([(300, 60, 0.06), (300, 30, 0.03), (4000, 15, 0.1), (1000, 30, 0.1)]):
        rng, rate = np.random.default_rng(number), 0.95 - fall * np.clip((np.arange(150) - 150 + days) / days, 0, 1)
        columns = rng.binomial(cases, rate) / cases, 0.47 + rate / 2 + rng.normal(0, 0.003, 150), [cases] * 150
        table(folder / f"slide-{number}.csv", datetime(2025, 6, 1, tzinfo=UTC), timedelta(days=1), columns)


DATA = {
    "the sample fleet": SAMPLES / "fleet",
    "the table of ten days": SAMPLES / "model_performance_tracking.csv",
    "a step from one hour to the next": write_hourly,
    "values steadier than their counts": write_smooth,
    "many models": write_many,
    "slides": write_slides,
}


@pytest.fixture(scope="module", params=DATA.values(), ids=DATA)
def snapshot(request, tmp_path_factory):
    path = request.param
    if callable(path):
        path = tmp_path_factory.mktemp("data")
        request.param(path)
    return Pipeline(Config(), [path]).run(datetime(2025, 12, 1, tzinfo=UTC))


def levels(text, quantities=("before", "after")):
    found = LEVELS.search(text)
    return [] if found is None else [*zip(quantities, map(float, found.groups()), strict=True)]


def in_verdict(snapshot, incident, diagnosis):
    what, now = diagnosis.verdict.what, NOW.search(diagnosis.verdict.what)
    return [*levels(what), *([("now", float(now[1]))] if now else [])]


def in_questions(snapshot, incident, diagnosis):
    reason = diagnosis.questions[0].reason
    name = incident.key.metric
    return levels(reason) if reason.startswith(name) else []


def in_reports(snapshot, incident, diagnosis):
    first, *_ = diagnosis_sections(diagnosis, snapshot.catalog)["Before and after"]
    assert first in unescape("\n".join(html(snapshot)))
    return [*levels(first), ("change", float(DELTA.search(first.partition(", ")[2])[0]))]


def in_evidence(snapshot, incident, diagnosis):
    state = ScreenState(snapshot, Selection(incident.model, incident.key), diagnosis=diagnosis)
    row = next(row for row in evidence_rows(state, 120) if row.key == incident.key)
    before, after, change = plain_text(row.line)[2:].split()[1:4]
    return [("before", float(before)), ("after", float(after)), ("change", float(change))]


def in_lists(snapshot, incident, diagnosis):
    text = describe_state(snapshot_index(snapshot), incident.model)
    _, value, change, start = lead_cells(incident.model, snapshot.history.series[incident.key], snapshot)
    found = [("until now", float(DELTA.search(text)[0])), ("now", float(value)), ("start", start)]
    return [*found, *([("until now", float(change))] if change else [])]


def in_alerts(snapshot, incident, diagnosis):
    found, index = [], snapshot_index(snapshot)
    for alert in index.alerts_by_key[incident.key]:
        if alert.state is State.FIRING and alert.breach.is_baseline:  # one that recovers names what breached last
            line = alert_line(alert, snapshot)
            now, before = re.search(r"(\d[\d.]*), baseline (\d[\d.]*)", line).groups()
            found += [("now", float(now)), ("before", float(before)), ("start", re.search(r"since ([^,]*)", line)[1])]
            found += [("start", describe_duration(index, alert).partition("since ")[2])]
    return found


def in_json(snapshot, incident, diagnosis):
    (record,) = [one for one in json.loads(as_json(snapshot))["incidents"] if one["id"] == incident.id]
    start = datetime.fromisoformat(record["started_at"])
    return [
        *((name, record[name]) for name in ("before", "now")),
        ("mean", record["after"]),
        ("start", format_day(start, snapshot.taken_at)),
    ]


def in_charts(snapshot, incident, diagnosis):
    series = snapshot.history.series[incident.key]
    span = tuple(float(series.times[end].astype("datetime64[s]").astype(int)) for end in (0, -1))
    text = series_chart(series, snapshot, diagnosis).change[1]
    annotations = chart_annotations(snapshot_index(snapshot), series, outlook(snapshot, incident.key), span)
    return [("start", text.partition("since ")[2]), ("start", annotations.change.caption)]


SURFACES = [in_verdict, in_questions, in_reports, in_evidence, in_lists, in_alerts, in_json, in_charts]


@pytest.mark.parametrize("surface", SURFACES, ids=[surface.__name__ for surface in SURFACES])
def test_every_surface_says_the_start_and_the_size_of_the_incident(snapshot, surface):
    opened = [one for one in snapshot.incidents if one.resolved_at is None and one.condition is Condition.THRESHOLD]
    assert opened
    claims = 0
    for incident in opened:
        diagnosis = diagnose_model(snapshot, incident.model)
        goes_on = incident.last_bad_at == snapshot.history.series[incident.key].newest
        # A slide that goes on has its newest value after, any other change its mean.
        is_slide = goes_on and diagnosis.series_pattern.pattern is Pattern.DECLINE
        after = incident.now if is_slide else incident.after
        sizes = {"before": incident.before, "after": after, "change": after - incident.before, "mean": incident.after}
        sizes |= {"now": incident.now, "until now": incident.now - incident.before}
        for quantity, said in surface(snapshot, incident, diagnosis):
            claims += 1
            if quantity == "start":
                assert said == format_day(incident.started_at, snapshot.taken_at), incident.model
            else:
                assert said == pytest.approx(sizes[quantity], abs=6e-4), (incident.model, quantity)
    assert claims or surface in (in_questions, in_alerts)


def test_a_value_has_the_digits_of_its_metric_in_every_row(tmp_path):
    times = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in range(40)]
    values = zip([0.9] * 35 + [0.77] * 5, [121.0, 120.0] * 19 + [163.0, 160.0], strict=True)
    rows = [f"{time:%Y-%m-%d},{f1},{latency}" for time, (f1, latency) in zip(times, values, strict=True)]
    (tmp_path / "m.csv").write_text("\n".join(["date,f1_score,latency_p95", *rows]) + "\n")
    snapshot = Pipeline(Config(), [tmp_path]).run(times[-1])
    texts = [alert_line(alert, snapshot, with_model=False) for alert in snapshot.alerts]
    texts += [status.sentence for status in snapshot.rule_statuses]
    for series, text in zip(snapshot.history.series.values(), ("0.770", "160.0"), strict=True):
        said = [
            one.partition(f"{series.key.metric} ")[2].split()[0].strip(",:")
            for one in texts
            if series.key.metric in one
        ]
        assert {*said, lead_cells("m", series, snapshot)[1]} == {text}


def test_a_step_between_two_periods_is_no_slide(tmp_path):
    for write in (write_hourly, write_smooth):
        write(tmp_path)
    snapshot = Pipeline(Config(), [tmp_path]).run(datetime(2025, 12, 1, tzinfo=UTC))
    sentences = [diagnose_model(snapshot, status.model).verdict.what for status in snapshot.model_statuses]
    assert all(sentence.startswith("Accuracy dropped suddenly on ") for sentence in sentences), sentences
