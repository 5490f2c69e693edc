"""`modeltop compute` from end to end on small logs: what is stored, reported and refused."""

import csv
import os
import random
from datetime import UTC, datetime

import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from modeltop.core.series import SeriesKey
from modeltop.history.store.paths import COMPUTE_POINTER

DAYS = [f"2025-01-{day:02d}" for day in range(1, 11)]
NOW = ("--now", "2025-01-11")


@pytest.fixture
def log(tmp_path):
    """Ten days of 60 rows; the labels of the last two days have not come."""
    rng = random.Random(5)
    with (tmp_path / "churn.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "timestamp", "score", "label", "plan", "fruit", "guess"])
        for number in range(600):
            day, score = DAYS[number // 60], rng.random()
            label = "" if number >= 480 else int(rng.random() < score)
            fruit = rng.choice(["apple", "pear", "fig"])
            guess = fruit if rng.random() < 0.8 else "fig"
            rows.writerow(
                [number, f"{day}T{number % 24:02d}:00", round(score, 4), label, "ab"[number % 2], fruit, guess]
            )
    return "churn.csv"


@pytest.fixture
def stored(tmp_path, history_of):
    """Read the series in the store."""
    return lambda: history_of(tmp_path / "s").series


def test_a_plain_log_needs_no_flags_and_what_was_inferred_is_reported(run, log, stored):
    outcome = run("compute", log, "--store", "s", *NOW)
    assert outcome.code == 0, outcome.err
    assert "10 periods of churn, 1 Jan to 10 Jan 2025, from 600 rows" in outcome.err
    assert "120 of 600 rows (20 %) have no label" in outcome.err
    assert "labels are pending for 2 periods" in outcome.err
    assert len(stored()[SeriesKey("churn", "accuracy")]) == 8
    assert stored()[SeriesKey("churn", "positive_rate")].evaluable().all()


def test_check_says_that_labels_are_pending(run, log):
    run("compute", log, "--store", "s", *NOW)
    status = " ".join(run("check", "--store", "s", *NOW).out.split())
    assert "churn: accuracy 0.683: needs 8 earlier periods, has 7" in status
    assert "; LABELS PENDING since 9 Jan: 2 days wait, 0 % of the labels have come" in status


def test_labels_that_arrive_later_in_another_file_complete_the_periods(run, log, stored, tmp_path):
    run("compute", log, "--store", "s", *NOW)
    before = stored()[SeriesKey("churn", "accuracy")].values.tolist()
    rows = csv.DictReader((tmp_path / log).read_text().splitlines())
    labels = "".join(f"{row['id']},{row['label'] or 1}\n" for row in rows)
    (tmp_path / "late.csv").write_text(f"id,label\n{labels}")
    outcome = run("compute", log, "--id", "id", "--labels", "late.csv", "--store", "s", *NOW)
    assert "still to come" not in outcome.err, outcome.err
    accuracy = stored()[SeriesKey("churn", "accuracy")]
    assert accuracy.values[:8].tolist() == before
    assert accuracy.evaluable().tolist() == [True] * 10


def test_a_day_that_is_not_over_is_provisional(run, log, stored):
    outcome = run("compute", log, "--store", "s", "--now", "2025-01-10T12:00")
    assert "1 period not over yet" in outcome.err
    assert stored()[SeriesKey("churn", "positive_rate")].evaluable().tolist() == [True] * 9 + [False]


def test_segments_and_cost_are_metrics_like_any_other(run, log, stored):
    assert run("compute", log, "--segment", "plan", "--cost", "fp=1,fn=20", "--store", "s", *NOW).code == 0
    assert {key.segment for key in stored()} == {"all", "plan=a", "plan=b"}
    assert stored()[SeriesKey("churn", "cost_per_1000_rows", "plan=a")].values.min() > 0


def test_areas_are_those_of_scikit_learn_over_all_rows_and_by_segment(run, log, stored, tmp_path):
    outcome = run("compute", log, "--segment", "plan", "--store", "s", *NOW)
    assert "computed from bins" not in outcome.err
    rows = [row for row in csv.DictReader((tmp_path / log).read_text().splitlines()) if row["label"]]
    for segment, plans in (("all", "ab"), ("plan=a", "a"), ("plan=b", "b")):
        for metric, area in (("roc_auc", roc_auc_score), ("average_precision", average_precision_score)):
            values = stored()[SeriesKey("churn", metric, segment)].values.tolist()
            for day, value in zip(DAYS, values, strict=False):
                own = [row for row in rows if row["timestamp"].startswith(day) and row["plan"] in plans]
                expected = area([int(row["label"]) for row in own], [float(row["score"]) for row in own])
                assert value == pytest.approx(expected, abs=1e-12), (metric, segment, day)


def test_of_a_log_of_too_many_rows_the_summary_says_how_far_bins_may_be_off(run, log, monkeypatch):
    monkeypatch.setattr("modeltop.predictions.queries.aggregate.MAX_SCORES", 599)
    outcome = run("compute", log, "--store", "s", *NOW)
    assert "computed from bins of the score, at most so far from the exact value: roc_auc ±0.0" in outcome.err


def test_classes_are_segments_on_demand(run, log, stored):
    words = ["compute", log, "--label", "fruit", "--prediction", "guess", "--task", "multiclass", "--store", "s", *NOW]
    assert run(*words, "--per-class").code == 0
    assert {key.segment for key in stored()} == {"all", "class=apple", "class=fig", "class=pear"}
    assert stored()[SeriesKey("churn", "recall", "class=fig")].values.min() == 1


def test_a_range_of_dates_is_a_reference_and_is_in_the_history_too(run, log, stored):
    words = ["--reference", "2025-01-01..2025-01-05", "--feature", "plan", "--feature", "fruit", "--store", "s", *NOW]
    outcome = run("compute", log, *words)
    assert outcome.code == 0, outcome.err
    assert len(stored()[SeriesKey("churn", "estimated_accuracy")]) == 10
    assert len(stored()[SeriesKey("churn", "psi", "feature=fruit")]) == 10
    assert stored()[SeriesKey("churn", "drifted_share")].evaluable().all()


def test_only_recent_periods_are_computed_again(run, log, stored):
    run("compute", log, "--store", "s", *NOW)
    outcome = run("compute", log, "--store", "s", "--since", "3d", "--label-delay", "1d", *NOW)
    assert "3 periods of churn" in outcome.err
    assert len(stored()[SeriesKey("churn", "positive_rate")]) == 10


@pytest.fixture
def part(tmp_path, log):
    """Write a log of the rows of some days, each up to some time, and return its name."""

    def write(name, *ends):
        header, *rows = (tmp_path / log).read_text().splitlines()
        kept = [row for row in rows for end in ends if end[:10] <= row.split(",")[1] < end]
        (tmp_path / name).write_text("\n".join([header, *kept]) + "\n")
        return name

    return write


def test_what_a_part_of_the_log_lacks_stays_and_is_reported_unless_it_is_to_be_replaced(run, log, stored, part):
    rate = SeriesKey("churn", "positive_rate")
    run("compute", log, "--store", "s", *NOW)
    before = stored()[rate]
    words = ["compute", part("part.csv", "2025-01-02T24", "2025-01-04T24", "2025-01-06T12"), "--model", "churn"]
    outcome = run(*words, "--store", "s", *NOW)
    assert outcome.code == 0, outcome.err
    assert "kept 3 periods, 3 Jan to 6 Jan 2025, as stored: this log has fewer of their rows" in outcome.err
    assert outcome.err.endswith("; kept 3 periods as stored\n")  # the line that a watcher logs
    assert stored()[rate].values.tolist() == before.values.tolist()
    assert run(*words, "--replace", "--store", "s", *NOW).code == 0
    after = stored()[rate]
    assert (len(after), after.rows[3], after.rows[-1]) == (8, 24, 60)


def test_a_part_of_which_nothing_is_new_writes_nothing(run, log, part, tmp_path):
    run("compute", log, "--store", "s", *NOW)
    before = {path: path.read_bytes() for path in tmp_path.glob("s/**/*.csv*")}
    outcome = run(
        "compute", part("part.csv", "2025-01-02T24", "2025-01-04T12"), "--model", "churn", "--store", "s", *NOW
    )
    assert outcome.err.endswith("nothing has changed: nothing was written in s; kept 2 periods as stored\n")
    assert {path: path.read_bytes() for path in tmp_path.glob("s/**/*.csv*")} == before


def test_periods_in_another_zone_replace_those_in_the_first_and_undo_restores_them(run, log, stored, tmp_path):
    run("compute", log, "--store", "s", *NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("s/**/*.csv")}
    outcome = run("compute", log, "--timezone", "Asia/Tokyo", "--store", "s", *NOW)
    assert (
        "replaced 10 periods, 1 Jan to 10 Jan 2025, of D in UTC by those of D in Asia/Tokyo; `compute --undo`"
        in outcome.err
    )
    assert {str(time)[11:13] for time in stored()[SeriesKey("churn", "positive_rate")].times} == {"15"}
    run("compute", "--undo", "--store", "s")
    assert {path.name: path.read_bytes() for path in tmp_path.glob("s/**/*.csv")} == before


def test_a_store_of_an_older_version_learns_how_its_periods_were_cut(run, log, tmp_path):
    run("compute", log, "--store", "s", *NOW)
    [path] = tmp_path.glob("s/evidence/*.csv")
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("windowing")))
    assert "replaced" not in run("compute", log, "--store", "s", *NOW).err
    assert path.read_text() == "".join(lines)
    assert "replaced 10 periods" in run("compute", log, "--period", "W", "--store", "s", *NOW).err


def test_two_logs_that_cut_one_model_differently_are_refused(run, log, tmp_path):
    (tmp_path / "modeltop.toml").write_text(
        '[store]\npath = "s"\n[logs.one]\nsource = "churn.csv"\n[logs.two]\nsource = "churn.csv"\nperiod = "W"\n'
    )
    outcome = run("compute", *NOW)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "two logs have churn, by D in UTC and by W in UTC: give one of them another model name" in outcome.err


def test_distributions_of_the_newest_periods_come_from_every_run(run, part, tmp_path):
    newest = part("newest.csv", *(f"{day}T24" for day in DAYS[4::2]))
    for name in (newest, part("older.csv", *(f"{day}T24" for day in DAYS[:9:2]), f"{DAYS[5]}T24")):
        assert run("compute", name, "--model", "churn", "--store", "s", *NOW).code == 0
    [path] = tmp_path.glob("s/evidence/*.csv")
    lines = list(csv.DictReader(path.read_text().splitlines()))
    assert {line["period"] for line in lines if line["kind"] == "reliability"} == {DAYS[i] for i in (0, 2, 4, 5, 6)}
    assert {line["period"] for line in lines if line["kind"] == "segment"} == {DAYS[i] for i in (0, 2, 4, 5, 6, 8)}


def test_each_configured_log_is_computed_and_named(run, log, tmp_path):
    (tmp_path / "modeltop.toml").write_text(
        '[store]\npath = "s"\n[logs.one]\nsource = "churn.csv"\n[logs.two]\nsource = "churn.csv"\nmodel = "other"\n'
    )
    outcome = run("compute", *NOW)
    assert outcome.code == 0, outcome.err
    assert "one: 10 periods of churn" in outcome.err
    assert "two: 10 periods of other" in outcome.err
    assert "wrote the periods of 2 models in s" in outcome.err


def test_undo_says_which_run_it_undoes_and_that_a_killed_one_changed_nothing(run, log, tmp_path):
    assert run("compute", log, *NOW, "--store", "s").code == 0
    [written] = tmp_path.glob("s/*.computed.csv")
    for path in tmp_path.glob("s/**/*.csv"):
        os.utime(path, (0, datetime(2025, 1, 10, 14, 3, tzinfo=UTC).timestamp()))
    (tmp_path / "s" / COMPUTE_POINTER).touch()  # as a run that is killed leaves it
    first, second = (run("compute", "--undo", "--store", "s") for _ in range(2))
    assert "killed before it changed s: nothing to undo; to undo the run of 10 Jan" in first.err
    assert "undid the run of 10 Jan" in second.err
    assert (first.code, second.code, written.exists()) == (0, 0, False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.csv"], "nothing.csv"),
        (["churn.csv", "--label", "lable"], "label"),
        (["churn.csv", "--positive", "maybe"], "maybe"),
        (["churn.csv", "--period", "fortnight"], "--period fortnight is invalid"),
        (["churn.csv", "--score", "id"], "within 0 and 1"),
        (["churn.csv", "--label", "fruit", "--prediction", "guess", "--cost", "fp=1"], "needs a binary task"),
        (["churn.csv", "--per-class"], "--per-class needs several classes"),
        (["churn.csv", "--engine", "sparc"], "no engine sparc"),
        (["churn.csv", "--undo"], "--undo restores the store"),
        (["--undo", "--store", "nowhere"], "nowhere was not found"),
    ],
)
def test_an_impossible_request_is_reported_in_one_line_and_nothing_is_stored(run, log, tmp_path, words, message):
    outcome = run("compute", *words, *([] if "--store" in words else ["--store", "s"]))
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1, outcome.err
    assert not list(tmp_path.glob("s/*.csv"))


def test_rows_in_the_future_are_left_out_and_reported(run, log, stored, tmp_path):
    with (tmp_path / log).open("a", newline="") as file:
        for number in range(12):
            file.write(f"{900 + number},2062-01-08T10:00,0.5,{number % 2},a,fig,fig\r\n")
    outcome = run("compute", log, "--store", "s", *NOW)
    assert outcome.code == 0, outcome.err
    assert "12 rows of 1 period from 8 Jan 2062 on are in the future: skipped; check their dates" in outcome.err
    assert "10 periods of churn, 1 Jan to 10 Jan 2025, from 600 rows" in outcome.err
    assert len(stored()[SeriesKey("churn", "positive_rate")]) == 10


@pytest.fixture
def reference_log(tmp_path):
    """Ten days of 40 rows: scores of three classes, none of the last two days is labeled; a number and its label."""
    rng = random.Random(6)
    with (tmp_path / "fruit.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "guess", "fruit", "apple", "pear", "fig", "number", "truth"])
        for number in range(400):
            scores = [rng.random() for _ in range(3)]
            scores = [round(score / sum(scores), 4) for score in scores]
            names = ["apple", "pear", "fig"]
            label = "" if number >= 320 else rng.choices(names, scores)[0]
            values = [names[scores.index(max(scores))], label, *scores, number / 7, number / 7 + rng.random()]
            rows.writerow([DAYS[number // 40], *values])
    return ("fruit.csv", "--timestamp", "timestamp", "--reference", "2025-01-01..2025-01-05", "--store", "s", *NOW)


def test_several_classes_with_a_score_each_are_estimated_without_labels(run, reference_log, stored):
    scores = [f"--score={name}={name}" for name in ("apple", "pear", "fig")]
    outcome = run("compute", *reference_log, "--prediction", "guess", "--label", "fruit", *scores, "--per-class")
    assert outcome.code == 0, outcome.err
    assert len(stored()[SeriesKey("fruit", "accuracy")]) == 8
    for metric in ("accuracy", "precision_macro", "recall_macro", "f1_score_macro", "roc_auc_macro"):
        assert len(stored()[SeriesKey("fruit", f"estimated_{metric}")]) == 10, metric
    assert len(stored()[SeriesKey("fruit", "estimated_recall", "class=pear")]) == 10


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        (("--prediction", "number", "--label", "truth"), "needs the probabilities of classes, not of a regression"),
        (("--prediction", "guess", "--label", "fruit"), "needs a score, see --score"),
    ],
)
def test_a_log_whose_metrics_cannot_be_estimated_without_labels_says_why(run, reference_log, roles, reason):
    outcome = run("compute", *reference_log, *roles)
    assert outcome.code == 0, outcome.err
    assert f"no metric is estimated without labels: that {reason}" in outcome.err
