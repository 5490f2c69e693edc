"""What is exported is history again, and a spreadsheet runs nothing of it."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.export import to_csv_bytes, to_frame
from modeltop.history.reader import Reader


def history(path: Path):
    return Reader([str(path)], catalog=MetricRegistry()).read()


def test_the_first_periods_are_shown_in_order(run, ten_days):
    outcome = run("export", ten_days, "--head", "2")
    assert outcome.code == 0
    header, first, second = outcome.lines
    assert header.split() == ["date", "model", "accuracy", "precision", "recall", "f1_score", "avg_confidence"]
    assert first.split()[2:] == ["0.960", "0.950", "0.940", "0.945", "0.940"]
    assert second.startswith("2025-01-02")


def test_what_was_saved_is_read_back_and_previewed_equal(run, ten_days, tmp_path):
    outcome = run("export", ten_days, "--csv", "out.csv")
    assert outcome.code == 0
    assert "10 periods saved to out.csv" in outcome.err
    shown = run("export", ten_days, "--head", "5").lines
    assert [line.split()[2:] for line in outcome.lines] == [line.split()[2:] for line in shown]
    before, after = history(ten_days).series, history(tmp_path / "out.csv").series
    assert {key.metric: series.values.tolist() for key, series in before.items()} == {
        key.metric: series.values.tolist() for key, series in after.items()
    }


def test_a_file_without_a_column_of_models_is_saved_byte_for_byte(run, ten_days, tmp_path):
    run("export", ten_days, "--csv", "out.csv")
    assert (tmp_path / "out.csv").read_bytes() == ten_days.read_bytes()


def test_a_column_of_models_stays_where_a_file_has_one(run, tmp_path):
    (tmp_path / "m.csv").write_text("date,model,accuracy\n2025-01-01,churn,0.9\n")
    assert run("export", "m.csv", "--csv", "-").lines[0] == "date,model,accuracy"


def test_counts_and_supports_survive_an_export(run, fleet, tmp_path):
    run("export", fleet, "--csv", "out.csv")
    before, after = history(fleet).series, history(tmp_path / "out.csv").series
    assert before.keys() == after.keys()
    for key, series in before.items():
        for column in ("times", "values", "support", "rows"):
            left, right = getattr(series, column), getattr(after[key], column)
            assert (left is None) == (right is None), (key, column)
            assert left is None or left.tolist() == right.tolist()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
    st.text(min_size=1, max_size=12).filter(lambda text: text.strip() and "\x00" not in text and text.isprintable()),
)
def test_an_exported_table_is_the_same_history(tmp_path_factory, values, model):
    folder = tmp_path_factory.mktemp("t")
    source, target = folder / "a.csv", folder / "b.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "model", "accuracy"])
        writer.writerows([f"2025-01-{day:02}", model, repr(value)] for day, value in enumerate(values, 1))
    first = history(source)
    target.write_bytes(to_csv_bytes(to_frame(first)))
    second = history(target)
    assert {key: series.values.tolist() for key, series in first.series.items()} == {
        key: series.values.tolist() for key, series in second.series.items()
    }


@pytest.mark.parametrize("evil", ["=cmd|'/C calc'!A0", "+1+1", "@SUM(A1)", "-rf", "\t=1"])
def test_a_spreadsheet_gets_an_apostrophe_before_formulas_and_never_before_numbers(run, tmp_path, evil):
    (tmp_path / "m.csv").write_text(f'date,model,my_kpi\n2025-01-01,"{evil}",-0.5\n')
    rows = list(csv.reader(run("export", "m.csv", "--spreadsheet").lines))
    assert rows[1][1] == f"'{evil}"
    assert rows[1][2] == "-0.5"
    assert list(csv.reader(run("export", "m.csv", "--csv", "-").lines))[1][1] == evil


def test_a_metric_named_as_a_formula_is_disarmed_in_the_header_too(run, tmp_path):
    (tmp_path / "m.csv").write_text("date,=1+1\n2025-01-01,1\n")
    assert run("export", "m.csv", "--spreadsheet").lines[0] == "date,'=1+1"


@pytest.mark.parametrize("words", [["--head", "0"], ["--head", "x"], ["--csv", "."], ["--csv", "absent/out.csv"]])
def test_what_cannot_be_done_is_one_line_and_changes_nothing(run, ten_days, tmp_path, words):
    before = sorted(tmp_path.rglob("*"))
    outcome = run("export", ten_days, *words)
    assert outcome.code == 2
    assert len(outcome.err.splitlines()) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_without_a_row_there_is_nothing_to_export(run, tmp_path):
    (tmp_path / "m.csv").write_text("date,accuracy\n")
    outcome = run("export", "m.csv")
    assert (outcome.code, outcome.out, "no rows yet: append one" in outcome.err) == (2, "", True)


def test_an_export_reads_back_the_same_in_a_configured_zone(run, tmp_path):
    (tmp_path / "modeltop.toml").write_text('timezone = "Europe/Berlin"\n')
    (tmp_path / "m.csv").write_text("date,accuracy\n2025-01-01,0.9\n2025-01-02T00:00:00Z,0.8\n")
    first = run("export", "m.csv", "--csv", "out.csv")
    again = run("export", "out.csv").lines[1:]
    assert again == first.lines[1:]
    assert [line.replace("  out  ", "  m    ") for line in again] == run("export", "m.csv").lines[1:]
    assert (tmp_path / "out.csv").read_text().splitlines()[1:] == [
        "2024-12-31T23:00:00Z,0.9",
        "2025-01-02T00:00:00Z,0.8",
    ]
