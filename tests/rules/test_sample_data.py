"""The sample data is as documented."""

import csv
import gzip
import runpy
import tomllib
from datetime import date
from itertools import groupby
from pathlib import Path

import pytest

from modeltop.cli import demo

FLEET = demo.samples_folder() / "fleet"
PLANTED = tomllib.loads((FLEET / "incidents.toml").read_text())["incident"]
FLOORS = {"accuracy": 0.90, "f1_score": 0.85}


def rows(name):
    with (FLEET / name).open(newline="") as file:
        return list(csv.DictReader(file))


def wide_rows():
    for name in ("fraud-detector.csv", "triage.csv", "spam-filter.csv", "risk.csv"):
        for row in rows(name):
            yield row.get("model") or name.removesuffix(".csv"), row


def planted(model, kind):
    (event,) = [entry for entry in PLANTED if (entry["model"], entry["kind"]) == (model, kind)]
    return event


def mean(numbers):
    numbers = list(numbers)
    return sum(numbers) / len(numbers)


def test_the_ten_day_table_is_the_one_the_product_starts_from():
    with (demo.samples_folder() / "model_performance_tracking.csv").open(newline="") as file:
        header, *table = csv.reader(file)
    assert header == ["date", "accuracy", "precision", "recall", "f1_score", "avg_confidence"]
    dates, *columns = zip(*table, strict=True)
    assert dates == tuple(f"2025-01-{day:02}" for day in range(1, 11))
    assert [[float(cell) for cell in column] for column in columns] == [
        [0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87],
        [0.95, 0.95, 0.94, 0.93, 0.92, 0.91, 0.90, 0.89, 0.87, 0.85],
        [0.94, 0.93, 0.93, 0.92, 0.91, 0.90, 0.88, 0.87, 0.86, 0.84],
        [0.945, 0.94, 0.935, 0.925, 0.915, 0.905, 0.89, 0.88, 0.865, 0.845],
        [0.94, 0.94, 0.93, 0.92, 0.91, 0.90, 0.89, 0.88, 0.86, 0.84],
    ]


def test_the_script_writes_the_fleet_byte_for_byte_again(tmp_path):
    script = runpy.run_path(str(demo.samples_folder() / "make_fleet.py"))
    script["main"](tmp_path)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in FLEET.iterdir()}


def test_every_share_agrees_with_one_confusion_matrix():
    for _, row in wide_rows():
        n, flagged, positives = (int(row[name]) for name in ("count", "precision_count", "recall_count"))
        true_positives = round(float(row["recall"]) * positives)
        right = n - flagged - positives + 2 * true_positives
        expected = {
            "accuracy": right / n,
            "precision": true_positives / flagged,
            "recall": true_positives / positives,
            "f1_score": 2 * true_positives / (flagged + positives),
        }
        assert {name: float(row[name]) for name in expected} == pytest.approx(expected, abs=6e-5)


def test_floors_are_crossed_once_and_only_where_an_alert_is_planted():
    starts = {entry["model"]: entry["alert"] for entry in PLANTED if "alert" in entry}
    for model, group in groupby(sorted(wide_rows(), key=lambda pair: pair[0]), key=lambda pair: pair[0]):
        table = [row for _, row in group]
        for metric, floor in FLOORS.items():
            is_reached = sum(float(row[metric]) >= floor for row in table[:8]) >= 2
            below = [date.fromisoformat(row["date"]) for row in table if float(row[metric]) < floor]
            if is_reached and model in starts:
                assert below == [d for row in table if (d := date.fromisoformat(row["date"])) >= starts[model]]
            elif is_reached:
                assert below == []


@pytest.mark.parametrize("model", ["credit", "churn"])
def test_floors_make_no_sense_where_f1_never_reached_them(model):
    assert all(float(row["f1_score"]) < 0.85 for name, row in wide_rows() if name == model)


def test_accuracy_of_credit_holds_while_its_recall_decays():
    table = [row for name, row in wide_rows() if name == "credit"]
    start = str(planted("credit", "decay")["start"])
    before = [row for row in table if row["date"] < start]
    fall = {
        metric: mean(float(row[metric]) for row in before) - mean(float(row[metric]) for row in table[-14:])
        for metric in ("accuracy", "recall")
    }
    assert fall["recall"] > 0.2
    assert fall["accuracy"] < 0.01
    assert all(float(row["accuracy"]) >= FLOORS["accuracy"] for row in table)


def test_confidence_of_churn_falls_a_week_before_its_accuracy():
    first, then = planted("churn", "early-warning")["start"], planted("churn", "failure")["start"]
    assert (then - first).days == 7
    table = {date.fromisoformat(row["date"]): row for name, row in wide_rows() if name == "churn"}
    between = [row for day, row in table.items() if first < day < then]
    before = [row for day, row in table.items() if day < first]
    assert max(float(row["avg_confidence"]) for row in between) < min(float(row["avg_confidence"]) for row in before)
    assert mean(float(row["accuracy"]) for row in between) == pytest.approx(
        mean(float(row["accuracy"]) for row in before), abs=0.01
    )
    assert max(float(row["accuracy"]) for day, row in table.items() if day > then) < 0.80


def test_the_spike_of_the_ranker_lasts_one_day():
    spike = str(planted("ranker", "spike")["start"])
    losses = {row["date"]: float(row["value"]) for row in rows("ranker-long.csv") if row["metric"] == "log_loss"}
    assert losses.pop(spike) > 1.5 * max(losses.values())


def test_the_recommender_has_a_weekly_season_and_a_gap_of_two_days():
    table = {date.fromisoformat(row["date"]): float(row["click_through_rate"]) for row in rows("recommender.csv")}
    weekend = [value for day, value in table.items() if day.weekday() >= 5]
    weekdays = [value for day, value in table.items() if day.weekday() < 5]
    assert mean(weekend) < 0.8 * mean(weekdays)
    gap = planted("recommender", "gap")
    missing = set(map(date.fromordinal, range(min(table).toordinal(), max(table).toordinal()))) - table.keys()
    assert missing == {gap["start"], gap["end"]}


def test_all_report_to_the_same_day_but_the_silent_one():
    last_dates = {path.name: rows(path.name)[-1]["date"] for path in FLEET.glob("*.csv")}
    silent = last_dates.pop("search.csv")
    assert set(last_dates.values()) == {"2025-06-29"}
    assert planted("search", "silence")["start"].toordinal() == date.fromisoformat(silent).toordinal() + 1
    assert silent <= "2025-06-22"


def test_samples_lie_in_the_wheel_or_in_the_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "monitor" / "cli" / "demo.py"))
    with pytest.raises(demo.SourceError, match="reinstall modeltop"):
        demo.samples_folder()
    for folder in (tmp_path / "sample_data", tmp_path / "monitor" / "_samples"):
        folder.mkdir(parents=True)
        assert demo.samples_folder() == Path(folder)


def test_the_prediction_log_is_what_its_script_writes():
    written = runpy.run_path(str(demo.samples_folder() / "make_predictions.py"))["archive"]()
    saved = (demo.samples_folder() / "predictions.csv.gz").read_bytes()
    assert gzip.decompress(saved) == gzip.decompress(written)


def test_labels_of_the_last_days_have_not_all_arrived():
    lines = gzip.decompress((demo.samples_folder() / "predictions.csv.gz").read_bytes()).decode().splitlines()[1:]
    days = ("27", "28", "29", "30")
    missing = {day: sum(line.endswith(",") for line in lines if f",2025-06-{day}T" in line) for day in days}
    assert missing["27"] == 0
    assert 0 < missing["28"] < missing["29"] < missing["30"] == 200
