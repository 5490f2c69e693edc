"""`modeltop prune` deletes files of which every period is old, says first what, and never a row of another file."""

import os
from datetime import UTC, datetime

import pytest

from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader


@pytest.fixture
def store(run, tmp_path):
    folder = tmp_path / "metrics"
    for model, dates in (("old", ("2022-01-01", "2023-05-01")), ("churn", ("2022-01-01", "2025-06-01"))):
        for date in dates:
            assert run("record", model, "accuracy=0.9", "--date", date, "--store", folder).code == 0
    return folder


def prune(run, store, before="2024-01-01", *options):
    return run("prune", "--before", before, "--store", store, *options)


def periods(store):
    history = Reader([str(store)], catalog=MetricRegistry()).read()
    return {key.model: [str(time)[:10] for time in series.times] for key, series in history.series.items()}


def test_without_apply_nothing_changes(run, store):
    names = sorted(store.iterdir())
    outcome = prune(run, store)
    assert "would delete old-" in outcome.out
    assert "2022" in outcome.out
    assert "nothing was changed: repeat with --apply" in outcome.err
    assert sorted(store.iterdir()) == names


def test_a_model_without_newer_periods_goes_whole_and_others_keep_every_row(run, store):
    assert prune(run, store, "2024-01-01", "--apply").code == 0
    assert periods(store) == {"churn": ["2022-01-01", "2025-06-01"]}


def test_a_part_goes_once_all_of_it_is_old_and_later_rows_are_elsewhere(run, store):
    assert "goes on in a new file" in prune(run, store, "2024-01-01", "--apply").out
    run("record", "churn", "accuracy=0.91", "--date", "2026-01-01", "--store", store)
    assert prune(run, store, "2024-01-01").out == ""
    prune(run, store, "2025-12-01", "--apply")
    assert periods(store) == {"churn": ["2026-01-01"]}


def test_the_new_file_is_no_problem_while_it_is_empty(run, store):
    prune(run, store, "2024-01-01", "--apply")
    assert "no rows yet" not in run("check", "--store", store).err


def test_what_compute_left_goes_with_its_model(run, store):
    (part,) = store.glob("old-*.csv")
    extra = [part.with_suffix(".computed.csv.previous"), store / "evidence" / part.name]
    extra[1].parent.mkdir()
    for path in extra:
        path.write_text("x")
    prune(run, store, "2024-01-01", "--apply")
    assert not any(path.exists() for path in (part, *extra))


def test_a_model_of_which_not_all_can_be_read_stays(run, store):
    (part,) = store.glob("old-*.csv")
    with part.open("a") as file:
        file.write("2023-99-99,old,all,,0.9\n")
    outcome = prune(run, store, "2024-01-01", "--apply")
    assert "not all of it can be read" in outcome.err
    assert part.exists()


def test_old_files_of_the_event_log_go_but_never_the_newest(run, store):
    state = store / "state"
    state.mkdir()
    paths = [state / f"journal.00000{number}.jsonl" for number in (1, 2)]
    for path in paths:
        path.write_text("{}\n")
        os.utime(path, 2 * (datetime(2022, 1, 1, tzinfo=UTC).timestamp(),))
    prune(run, store, "2024-01-01", "--apply")
    assert [path.exists() for path in paths] == [False, True]


def test_files_of_others_are_left_alone(run, store):
    own = store / "README.csv"
    own.write_text("date,accuracy\n2020-01-01,0.5\n")
    prune(run, store, "2024-01-01", "--apply")
    assert own.exists()


@pytest.mark.parametrize("before", ["soon", "", "2024-13-01"])
def test_a_wrong_date_is_one_line(run, store, before):
    outcome = prune(run, store, before)
    assert (outcome.code, "write a date such as" in outcome.err) == (2, True)


def test_without_a_store_it_says_so(run, tmp_path):
    outcome = prune(run, tmp_path / "none")
    assert (outcome.code, "there is no store here" in outcome.err) == (2, True)
    assert not (tmp_path / "none").exists()


def test_a_date_in_the_future_deletes_nothing(run, store):
    outcome = prune(run, store, "2999-01-01", "--apply")
    assert outcome.code == 2
    assert "--before 2999-01-01 is in the future: it would delete all periods" in outcome.err
    assert len(periods(store)) == 2


def test_a_date_with_a_zone_is_named_in_utc(run, store):
    assert prune(run, store, "2020-01-01T03:00+05:00").err.rstrip().endswith("is older than 31 Dec 2019 22:00")
