"""The results of one run are committed together; the previous ones can be restored, once."""

from datetime import UTC, datetime

import numpy as np
import pytest

from modeltop.core.errors import StoreError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader
from modeltop.history.store import durable
from modeltop.history.store.computed import read_computed, staged_run
from modeltop.history.store.generation import RUN_LOCK_FOLDER, undo
from modeltop.history.store.row_format import PeriodRow
from modeltop.history.store.writer import Store

CATALOG = MetricRegistry()
NAN = float("nan")


def needs_labels(metric):
    return metric != "positive_rate"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def commit(folder):
    """Commit a run of these histories, of these columns of segments, with these distributions by model."""

    def stage_and_commit(*histories, segment_columns=("all",), distributions=()):
        with staged_run(folder, CATALOG, needs_labels) as run:
            for history in histories:
                run.stage(history, segment_columns)
            for model, data in distributions:
                run.stage_distributions(model, data)
            return run.commit()

    return stage_and_commit


def csv_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.csv*") if path.is_file()}


def values(folder, metric="accuracy", model="churn"):
    history = read_computed(folder, model)
    return dict(zip((str(time)[8:10] for time in history.times), history.columns[metric].tolist(), strict=True))


def test_new_periods_are_added_and_replace_the_old(commit, folder, computed_history):
    commit(computed_history([1, 2, 3], accuracy=[0.1, 0.2, 0.3]))
    commit(computed_history([3, 4], accuracy=[0.33, 0.4]))
    assert values(folder) == {"01": 0.1, "02": 0.2, "03": 0.33, "04": 0.4}


def test_an_undefined_value_replaces_the_old_one_and_a_metric_that_was_not_computed_stays(
    commit, folder, computed_history
):
    commit(computed_history([1, 2], accuracy=[0.1, 0.2], rmse=[5, 6], recall=[1, 1]))
    commit(computed_history([2], accuracy=[0.9], recall=[NAN]))
    assert values(folder) == {"01": 0.1, "02": 0.9}
    assert values(folder, "rmse") == {"01": 5, "02": 6}
    assert np.isnan(values(folder, "recall")["02"])


def test_a_run_leaves_periods_that_it_does_not_have_also_within_its_span(commit, folder, computed_history):
    commit(computed_history([1, 2, 3, 4, 5], accuracy=[1, 2, 3, 4, 5]))
    commit(computed_history([2, 4], accuracy=[20, 40]))
    assert values(folder) == {"01": 1, "02": 20, "03": 3, "04": 40, "05": 5}


def test_segments_of_columns_that_a_run_did_not_compute_stay(commit, folder, computed_history):
    for segment in ("EU=1", "EU=2", "feature=age"):
        commit(computed_history([1], segment=segment, accuracy=[0.5]), segment_columns=("new",))
    commit(computed_history([1], segment="EU=1", accuracy=[0.7]), segment_columns=("all", "EU"))
    history = read_computed(folder, "churn")
    assert dict(zip(history.segments, history.columns["accuracy"], strict=True)) == {"EU=1": 0.7, "feature=age": 0.5}


def test_the_results_of_one_model_may_be_staged_in_two_batches(commit, folder, computed_history):
    first, second = (
        computed_history([1, 2], accuracy=[0.1, 0.2]),
        computed_history([2], segment="feature=age", psi=[0.3]),
    )
    with staged_run(folder, CATALOG, needs_labels) as run:
        assert run.stage(first, ("all",))
        assert run.stage(second, ("feature",))
        assert run.commit().models == 1
    assert read_computed(folder, "churn").segments.tolist() == ["all", "all", "feature=age"]
    with staged_run(folder, CATALOG, needs_labels) as run:
        assert not run.stage(first, ("all",))
        assert not run.stage(second, ("feature",))


def test_an_unchanged_run_writes_nothing(commit, folder, computed_history):
    commit(computed_history([1, 2], accuracy=[0.1, NAN], pending=[2]), distributions=[("churn", b"a,b\n")])
    written = [path for path in folder.rglob("*") if path.name != RUN_LOCK_FOLDER]
    before = {path: path.stat().st_mtime_ns for path in (folder, *written)}
    jitter = computed_history([1, 2], accuracy=[0.1 * (1 + 1e-15), NAN], pending=[2])
    assert commit(jitter, distributions=[("churn", b"a,b\n")]).models == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert {*folder.rglob("*")} == {*written, folder / RUN_LOCK_FOLDER}


@pytest.mark.parametrize(
    "change", [{"accuracy": [0.1 + 1e-9]}, {"accuracy": [0.1], "pending": [1]}, {"accuracy": [NAN]}]
)
def test_any_real_change_is_written(commit, computed_history, change):
    commit(computed_history([1], accuracy=[0.1], positive_rate=[0.5]))
    assert commit(computed_history([1], positive_rate=[0.5], **change)).models == 1


def test_undo_restores_the_previous_files_and_deletes_new_ones(commit, folder, computed_history):
    commit(computed_history([1], accuracy=[0.1]), distributions=[("churn", b"old\n")])
    before = csv_files(folder)
    commit(
        computed_history([1], accuracy=[0.2]),
        computed_history([1], model="new", accuracy=[0.3]),
        distributions=[("churn", b"new\n")],
    )
    assert undo(folder).files == 3
    assert csv_files(folder) == {name: data for name, data in before.items() if "previous" not in name}


def test_a_second_undo_reports_that_there_is_nothing_to_undo(commit, folder, computed_history):
    commit(computed_history([1], accuracy=[0.1]))
    undo(folder)
    with pytest.raises(StoreError, match=r"nothing to undo.*compute again"):
        undo(folder)


def test_undo_restores_one_run_alone(commit, folder, computed_history):
    commit(computed_history([1], accuracy=[0.1]), computed_history([1], model="other", accuracy=[0.5]))
    commit(computed_history([1], accuracy=[0.2]))
    undo(folder)
    assert (values(folder), values(folder, model="other")) == ({"01": 0.1}, {"01": 0.5})


def test_recorded_values_win_over_computed_ones(commit, folder, computed_history):
    Store(folder).append([PeriodRow("churn", datetime(2025, 1, 2, tzinfo=UTC), {"accuracy": 0.99})])
    commit(computed_history([1, 2], accuracy=[0.1, 0.2]))
    [series] = Reader([folder], catalog=CATALOG).read().series.values()
    assert series.values.tolist() == [0.1, 0.99]


def test_a_file_that_compute_did_not_write_is_never_overwritten(commit, folder, computed_history):
    commit(computed_history([1], accuracy=[0.1]))
    [path] = folder.glob("*.computed.csv")
    path.write_bytes(b"mine\n")
    with pytest.raises(StoreError, match="move it away"):
        commit(computed_history([1], accuracy=[0.2]))
    assert path.read_bytes() == b"mine\n"


def test_a_run_that_fails_leaves_everything_as_it_was(commit, folder, computed_history, monkeypatch):
    commit(computed_history([1], accuracy=[0.1]))
    before = csv_files(folder)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "_write", full)
    with pytest.raises(StoreError, match="disk is full"):
        commit(computed_history([1], accuracy=[0.2]))
    assert csv_files(folder) == before


def test_staged_files_of_a_crashed_run_are_deleted_by_the_next(commit, folder, computed_history):
    commit(computed_history([1], accuracy=[0.1]))
    [path] = folder.glob("*.computed.csv")
    (folder / f"{path.name}.staged").write_bytes(b"half")
    (folder / "mine.staged").write_bytes(b"not ours")
    commit(computed_history([1], accuracy=[0.1]))
    assert {path.name for path in folder.glob("*.staged")} == {"mine.staged"}


def test_distributions_in_a_shared_store_are_readable_by_the_group(commit, folder, computed_history):
    folder.mkdir()
    folder.chmod(0o2770)
    commit(computed_history([1], accuracy=[0.1]), distributions=[("churn", b"a\n")])
    assert (folder / "evidence").stat().st_mode & 0o7777 == 0o2770
    assert all(path.stat().st_mode & 0o777 == 0o660 for path in folder.rglob("churn*.csv"))
