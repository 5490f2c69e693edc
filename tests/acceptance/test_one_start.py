"""A change has one start: of the incident, the pattern, the verdict, the chart of the report and that of the app."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.config.load import Config
from modeltop.core.diagnosis import Pattern
from modeltop.core.series import to_datetime
from modeltop.core.text import format_day
from modeltop.diagnosis.diagnose import diagnose_model, outlook
from modeltop.report.svg import series_chart
from modeltop.service.pipeline import Pipeline
from modeltop_tui.view.chart_annotations import chart_annotations
from modeltop_tui.view.state import snapshot_index

START = datetime(2025, 1, 1, tzinfo=UTC)
FALLS = (Pattern.DROP, Pattern.DECLINE, Pattern.RECOVERING)


@pytest.fixture
def snapshot_of(tmp_path):
    """Return a maker of the snapshot of 90 days of accuracy that fell on day 60, at once or more slowly."""

    def make(seed, width, level=0.95, fall=0.12):
        rng = np.random.default_rng(seed)
        age = np.arange(90) - 60
        rate = level - fall * np.clip((age + 1) / width, 0, 1)
        values = rng.binomial(2000, rate + 0.004 * rng.standard_normal(90)) / 2000
        rows = [f"{START + timedelta(days=k):%Y-%m-%d},{value:.4f},2000" for k, value in enumerate(values)]
        path = tmp_path / "churn.csv"
        path.write_text("\n".join(["date,accuracy,count", *rows]) + "\n")
        return Pipeline(Config(), [path]).run(START + timedelta(days=90))

    return make


@pytest.mark.parametrize("width", [1, 3, 12, 30])
@pytest.mark.parametrize("seed", range(6))
def test_incident_pattern_verdict_and_both_charts_have_one_start(snapshot_of, seed, width):
    snapshot = snapshot_of(seed, width)
    (incident,) = (one for one in snapshot.incidents if one.key.metric == "accuracy")
    diagnosis = diagnose_model(snapshot, incident.model)
    series = snapshot.history.series[incident.key]
    chart = series_chart(series, snapshot, diagnosis)
    span = series.times[0].astype("datetime64[s]").astype(float), series.times[-1].astype("datetime64[s]").astype(float)
    marker = chart_annotations(snapshot_index(snapshot), series, outlook(snapshot, incident.key), span).change
    assert diagnosis.series_pattern.pattern in FALLS
    assert diagnosis.series_pattern.started_at == incident.started_at
    assert to_datetime(chart.change[0]) == incident.started_at
    assert marker.time == incident.started_at.timestamp()
    assert format_day(incident.started_at, snapshot.clock) in str(diagnosis.verdict)
    assert abs(incident.started_at - START - timedelta(days=60)) <= timedelta(days=max(1, width // 3))
