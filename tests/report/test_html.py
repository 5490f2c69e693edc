"""The report as one HTML file: what stands in it, and that no foreign text is markup."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.cli import main
from modeltop.core.incident import Acknowledgement, AlertingState, Matchers, Note, Silence
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import (
    DATETIME_DTYPE,
    Alert,
    Breach,
    Condition,
    Direction,
    History,
    ModelStatus,
    ReadProblem,
    Series,
    SeriesKey,
    Severity,
    State,
)
from modeltop.core.stats.intervals import wilson
from modeltop.core.text import sanitize
from modeltop.diagnosis.diagnose import diagnose_model
from modeltop.report.html import html
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.threshold import Threshold
from modeltop.rules.rule import Rule
from modeltop.rules.snapshot import Snapshot

NOW = datetime(2025, 1, 20, 12, tzinfo=UTC)


def make_snapshot(name: str = "churn") -> Snapshot:
    """Return a snapshot of one model that alerts since its 18th day; every foreign string in it is `name`."""
    key = SeriesKey(name, "accuracy")
    times = np.arange("2025-01-01", "2025-01-21", dtype="datetime64[D]").astype(DATETIME_DTYPE)
    values = np.where(np.arange(20) < 17, 0.95, 0.85)
    series = Series(key, Direction.HIGHER, times, values, support=np.full(20, 1000.0))
    start = datetime(2025, 1, 18, tzinfo=UTC)
    alert = Alert(
        "ab12cd34", "floor", key, Condition.THRESHOLD, State.FIRING, Severity.CRITICAL, start, start,
        breach=Breach(Severity.CRITICAL, 0.85, 0.9, "0.85 < 0.90"), periods=3,
    )  # fmt: skip
    silence = Silence("1", Matchers(model=name), NOW, NOW + timedelta(hours=1), name, name, NOW)
    note = Note("*", name, name, datetime(2025, 1, 17, tzinfo=UTC))
    ack = Acknowledgement("ab12cd34", name, Severity.CRITICAL, name, name, NOW, NOW, NOW, NOW)
    return Snapshot(
        NOW, NOW, History({key: series}, {name: times}, (ReadProblem(name, name, 3),)), MetricRegistry(),
        (Rule("floor", Threshold(critical=Limit(below=0.9)), "accuracy"),), (alert,), (),
        (ModelStatus(name, Severity.CRITICAL, f"accuracy of {name} 0.85: critical"),), notices=(name,),
        alerting_state=AlertingState(silences=(silence,), notes=(note,)), acknowledgements={"ab12cd34": ack},
    )  # fmt: skip


def text_of(snapshot: Snapshot) -> str:
    return "\n".join(html(snapshot))


def tree(snapshot: Snapshot) -> ET.Element:
    return ET.fromstring(text_of(snapshot))


def by_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if name in element.get("class", "").split()]


def test_it_has_the_verdict_the_alert_the_change_and_what_people_did():
    snapshot = make_snapshot()
    text = " ".join(tree(snapshot).itertext())
    assert "CRITICAL: churn accuracy 0.85 < 0.90" in text
    verdict = diagnose_model(snapshot, "churn").verdict
    assert verdict.what.startswith("Accuracy dropped")
    assert text.count(str(verdict)) == 2  # at the top, and with the model
    assert "accuracy 0.95→0.85, -0.100: fell" in text  # what it rests on
    assert "acked by churn" in text
    assert "model churn: until 13:00, churn: churn" in text  # the silence
    assert "Jan 17 00:00 churn: churn" in text  # the note
    low, high = wilson(0.85, 1000)
    assert f"{low:.3f} to {high:.3f}" in text
    assert "accuracy below 0.90 is critical" in text


def test_the_chart_has_its_limit_its_alert_its_note_the_usual_band_and_the_start_of_the_change():
    root = tree(make_snapshot())
    names = ("line", "limit", "span", "mark", "usual", "begin")
    assert [len(by_class(root, name)) for name in names] == [1] * len(names)
    (start,) = by_class(root, "begin")
    assert start[0].text == "sudden drop since 2025-01-18"
    (note,) = by_class(root, "mark")
    assert note[0].text == "Jan 17 00:00 churn: churn"


def test_nothing_is_fetched_and_nothing_runs():
    text = text_of(make_snapshot())
    assert not re.search(r"<script|\son\w+=|https?:|url\(|@import|src=|href=|javascript:", text)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text


def vocabulary(root: ET.Element) -> tuple[set[str], set[str]]:
    return {element.tag for element in root.iter()}, {name for element in root.iter() for name in element.attrib}


HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onload='x", "</title></style><b>", "&lt;&#60;",
    "<!--", "]]>", "\x1b]52;c;ZWNobw==\x07", "\u202egpj", "\ud800", "宽" * 200, "a\0b\r\nc", "{v} %s [bold]",
    "W" * 9999,
]  # fmt: skip


@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_foreign_text_is_no_markup_wherever_it_stands(evil):
    text = text_of(make_snapshot(evil))
    assert text.isascii()
    assert all(char.isprintable() or char == "\n" for char in text)
    root = ET.fromstring(text)
    tags, attributes = vocabulary(root)
    plain_tags, plain_attributes = vocabulary(tree(make_snapshot()))
    assert tags <= plain_tags
    assert attributes <= plain_attributes
    assert sanitize(evil, 60) in " ".join(root.itertext())


def test_without_any_model_it_is_still_a_page():
    empty = replace(
        make_snapshot(),
        history=History({}, {}),
        alerts=(),
        model_statuses=(),
        alerting_state=AlertingState(),
        acknowledgements={},
    )
    assert "UNKNOWN: no model found: name a folder with metric CSV files" in " ".join(tree(empty).itertext())


def report(path, capsys) -> str:
    assert main.main(["report", str(path), "--format", "html"]) == 0
    return capsys.readouterr().out


def test_the_command_writes_it_whatever_the_streams_encoding(capsys, tmp_path):
    (tmp_path / "m.csv").write_text("date,model,accuracy\n2025-01-01,宽,0.5\n", encoding="utf-8")
    out = report(tmp_path / "m.csv", capsys)
    assert out.isascii()
    assert "宽" in " ".join(ET.fromstring(out).itertext())


def test_a_large_model_says_how_many_charts_are_left_out(capsys, tmp_path):
    rows = "".join(f"2025-01-0{day},m,s{segment},0.9\n" for day in (1, 2) for segment in range(40))
    (tmp_path / "m.csv").write_text("date,model,segment,accuracy\n" + rows)
    out = report(tmp_path / "m.csv", capsys)
    assert out.count("<svg") == 12
    assert "28 more charts in the app" in out
