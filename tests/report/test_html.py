"""The report as one HTML file: what stands in it, and that no foreign text is markup."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.cli import demo, main
from modeltop.core.incident import Acknowledgement, AlertingState, Matchers, Note, Silence, Suppression
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
from modeltop.report.html import STYLE, html
from modeltop.report.markdown import markdown
from modeltop.report.svg import WIDTH
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
        breach=Breach(Severity.CRITICAL, 0.85, 0.9, "0.850 < 0.90"), periods=3,
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
    assert "CRITICAL: churn accuracy 0.850 < 0.90" in text
    verdict = diagnose_model(snapshot, "churn").verdict
    assert verdict.what.startswith("Accuracy dropped")
    assert all(sentence in text for sentence in (verdict.what, verdict.why, verdict.do))
    assert "accuracy 0.950→0.850, -0.100: fell" in text  # what it rests on
    assert "acked by churn" in text
    assert "model churn: until 13:00, churn: churn" in text  # the silence
    assert "17 Jan 00:00 churn: churn" in text  # the note
    low, high = wilson(0.85, 1000)
    assert f"{low:.3f} to {high:.3f}" in text
    assert "accuracy below 0.90 is critical" in text


def test_the_chart_has_its_limit_its_alert_its_note_and_the_start_of_the_change():
    root = tree(make_snapshot())
    names = ("line", "limit", "span", "mark", "begin")
    assert [len(by_class(root, name)) for name in names] == [1] * len(names)
    (start,) = by_class(root, "begin")
    assert start[0].text == "sudden drop since 18 Jan"
    (note,) = by_class(root, "mark")
    assert note[0].text == "17 Jan 00:00 churn: churn"


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


def luminance(color: str) -> float:
    """Return the relative luminance of `#rrggbb` by WCAG 2.2."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_is_computed_as_published():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)  # the lightest gray that passes on white


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_text_has_the_contrast_of_level_aa_in_both_themes(theme):
    colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", STYLE.split(":root {")[theme + 1].split("}")[0]))
    texts = ("fg", "dim", "critical", "warning", "unknown", "ok", "pending", "line")
    assert {
        name: round(contrast(colors[name], colors["bg"]), 1)
        for name in texts
        if contrast(colors[name], colors["bg"]) < 4.5
    } == {}


def test_the_labels_of_a_chart_are_readable_on_a_phone():
    (size,) = re.findall(r"\.axis \{[^}]*font-size: (\d+)px", STYLE)
    margin = 16
    assert int(size) * (390 - 2 * margin) / WIDTH >= 10


def test_a_printed_report_has_all_its_details_open():
    assert "details::details-content { content-visibility: visible" in STYLE.split("@media print")[1]


def fleet_rows(root: ET.Element) -> list[list[str]]:
    (table,) = by_class(root, "fleet")
    return [["".join(cell.itertext()) for cell in row][:5] for row in table.iter("tr")]


def test_a_fleet_begins_with_a_table_of_the_models_worst_first(capsys, fleet):
    root = ET.fromstring(report(fleet, capsys))
    assert fleet_rows(root)[:7] == [
        ["model", "metric", "now", "vs baseline", "since"],
        ["▲ triage", "accuracy", "0.846", "-0.105", "26 Jun"],
        ["▲ churn", "accuracy", "0.756", "-0.084", "20 Jun"],
        ["▲ fraud-detector", "accuracy", "0.857", "-0.101", "23 Apr"],
        ["▲ credit", "recall", "0.472", "-0.247", "9 Apr"],
        ["○ search", "no data", "", "", "18 Jun"],
        ["● ranker", "ndcg_at_10", "0.629", "+0.015", ""],
    ]
    assert len(by_class(root, "spark")) == 8


def test_every_model_of_the_table_is_linked_to_its_section(capsys, fleet):
    root = ET.fromstring(report(fleet, capsys))
    targets = [link.get("href") for link in root.iter("a")]
    ids = {element.get("id"): "".join(element.itertext()) for element in root.iter() if element.get("id")}
    assert targets == [f"#m{number}" for number in range(8)]
    assert set(ids) == {target[1:] for target in targets}
    assert "Accuracy dropped overnight on 26 Jun" in ids["m0"]


def test_models_that_are_ok_are_folded_and_those_that_alert_are_not(capsys, fleet):
    root = ET.fromstring(report(fleet, capsys))
    sections = [section[0] for section in root.iter("section")][:8]
    assert [section.tag for section in sections] == ["h2"] * 5 + ["details"] * 3


def test_the_chart_shows_the_incident_and_its_limit_in_the_last_28_days(capsys, fleet):
    root = ET.fromstring(report(fleet, capsys))
    figure = next(root.iter("figure"))
    labels = ["".join(text.itertext()) for text in figure.iter("text")]
    assert figure[0].text == "accuracy, last 28 of 180 days"
    assert {"2 Jun", "29 Jun", "sudden drop since 26 Jun", "< 0.90"} <= set(labels)


def test_a_report_of_one_model_shows_all_of_its_charts(capsys):
    root = ET.fromstring(report(demo.samples_folder() / "model_performance_tracking.csv", capsys))
    (charts,) = [details for details in root.iter("details") if details.get("open") is not None]
    captions = [caption.text for caption in charts.iter("figcaption")]
    assert captions == [f"{name}, 10 days" for name in ("precision", "recall", "f1_score", "avg_confidence")]


def test_in_a_large_fleet_all_but_the_worst_twenty_rows_unfold(capsys, tmp_path):
    rows = [f"2025-01-0{day},m{model:03},0.9\n" for model in range(50) for day in (1, 2)]
    (tmp_path / "m.csv").write_text("date,model,accuracy\n" + "".join(rows))
    first, more = by_class(ET.fromstring(report(tmp_path / "m.csv", capsys)), "fleet")
    assert (len(list(first.iter("a"))), len(list(more.iter("a")))) == (20, 30)


def test_segments_are_folded_unless_they_alert(capsys, tmp_path):
    lines = [
        f"2025-01-{day:02},m,{segment},{0.5 if segment == 's3' and day > 25 else 0.95}\n"
        for day in range(1, 29)
        for segment in ("all", *(f"s{number}" for number in range(20)))
    ]
    (tmp_path / "m.csv").write_text("date,model,segment,accuracy\n" + "".join(lines))
    root = ET.fromstring(report(tmp_path / "m.csv", capsys))
    first, more = (table for table in root.iter("table"))
    assert [row[0].text for row in first.iter("tr")] == ["metric", "accuracy", "▲\xa0accuracy [s3]"]
    assert len(list(more.iter("tr"))) == 20


def test_a_file_that_cannot_be_read_is_named_unfolded(capsys, tmp_path):
    (tmp_path / "good.csv").write_text("date,model,accuracy\n2025-01-01,m,0.9\n")
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    root = ET.fromstring(report(tmp_path, capsys))
    (section,) = [one for one in root.iter("section") if one[0].text == "Problems of the input"]
    assert "bad.csv: no date column in the header" in " ".join(section.itertext())


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


def test_what_alerts_has_its_chart_before_the_segments_that_are_ok(capsys, tmp_path):
    days = [f"2025-01-{day:02}" for day in range(1, 31)]
    segments = [f"s{number:02}" for number in range(20)]
    rows = [f"{day},m,{name},{0.6 if name == 's19' and day > days[24] else 0.95}" for day in days for name in segments]
    rows += [f"{day},m,all,{0.93 if day > days[24] else 0.95}" for day in days]
    (tmp_path / "m.csv").write_text("date,model,segment,accuracy\n" + "\n".join(rows) + "\n")
    out = report(tmp_path / "m.csv", capsys)
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", out)
    assert {caption.split(",")[0] for caption in captions[:2]} == {"accuracy [s19]", "accuracy"}
    unfolded, folded = (one for one in ET.fromstring(out).iter("details") if "more chart" in (one[0].text or ""))
    assert (unfolded[0].text, unfolded.get("open")) == ("1 more chart", "")
    assert (folded[0].text, folded.get("open")) == ("10 more charts: segments", None)


@pytest.mark.parametrize(("acknowledged", "silenced", "mark"), [(True, False, "▲✓"), (False, True, "▲×"), (0, 0, "▲")])
def test_the_table_of_a_fleet_marks_what_is_acknowledged_or_silenced(acknowledged, silenced, mark):
    snapshot = make_snapshot()
    statuses = (
        *snapshot.model_statuses,
        ModelStatus("other", Severity.OK, "accuracy of other 0.95: ok, not below 0.90"),
    )
    suppression = Suppression("silenced", "silenced by ana", NOW)
    snapshot = replace(
        snapshot,
        model_statuses=statuses,
        acknowledgements=snapshot.acknowledgements if acknowledged else {},
        suppressions={"ab12cd34": suppression} if silenced else {},
    )
    (table,) = by_class(tree(snapshot), "fleet")
    assert [link.text for link in table.iter("a")] == [f"{mark} churn", "● other"]
    assert f"| {mark} `churn` |" in "\n".join(markdown(snapshot))
