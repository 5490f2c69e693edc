"""One run's results are put in place together; what stood there can be had back, once."""

import numpy as np
import pytest

from modeltop.core.errors import StoreError
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.history.reader import Reader
from modeltop.history.store import durable
from modeltop.history.store.computed import read_computed, restore_previous, staged_run
from modeltop.history.store.row_format import PeriodRow
from modeltop.history.store.writer import Store

CATALOG = MetricRegistry()
NAN = float("nan")


def rests(metric):
    return metric != "positive_rate"


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def keep(store):
    def kept(*sheets, cuts=("all",), evidence=()):
        with staged_run(store, CATALOG, rests) as run:
            for one in sheets:
                run.stage(one, cuts)
            for model, data in evidence:
                run.stage_distributions(model, data)
            return run.commit()

    return kept


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.csv*") if path.is_file()}


def values(folder, metric="accuracy", model="churn"):
    found = read_computed(folder, model)
    return dict(zip((str(time)[8:10] for time in found.times), found.columns[metric].tolist(), strict=True))


def test_new_periods_stand_beside_the_old_and_over_them(keep, store, history):
    keep(history([1, 2, 3], accuracy=[0.1, 0.2, 0.3]))
    keep(history([3, 4], accuracy=[0.33, 0.4]))
    assert values(store) == {"01": 0.1, "02": 0.2, "03": 0.33, "04": 0.4}


def test_what_is_undefined_now_does_not_keep_its_old_value_but_what_was_not_looked_at_does(keep, store, history):
    keep(history([1, 2], accuracy=[0.1, 0.2], rmse=[5, 6], recall=[1, 1]))
    keep(history([2], accuracy=[0.9], recall=[NAN]))
    assert values(store) == {"01": 0.1, "02": 0.9}
    assert values(store, "rmse") == {"01": 5, "02": 6}
    assert np.isnan(values(store, "recall")["02"])


def test_within_its_span_a_run_decides_which_periods_there_are(keep, store, history):
    keep(history([1, 2, 3, 4, 5], accuracy=[1, 2, 3, 4, 5]))
    keep(history([2, 4], accuracy=[20, 40]))
    assert values(store) == {"01": 1, "02": 20, "04": 40, "05": 5}


def test_segments_that_a_run_does_not_cut_stay(keep, store, history):
    for segment in ("EU=1", "EU=2", "feature=age"):
        keep(history([1], segment=segment, accuracy=[0.5]), cuts=("new",))
    keep(history([1], segment="EU=1", accuracy=[0.7]), cuts=("all", "EU"))
    found = read_computed(store, "churn")
    assert dict(zip(found.segments, found.columns["accuracy"], strict=True)) == {"EU=1": 0.7, "feature=age": 0.5}


def test_what_a_run_knows_of_a_model_may_come_in_two_parts(keep, store, history):
    one, other = history([1, 2], accuracy=[0.1, 0.2]), history([2], segment="feature=age", psi=[0.3])
    with staged_run(store, CATALOG, rests) as work:
        assert work.stage(one, ("all",))
        assert work.stage(other, ("feature",))
        assert work.commit().models == 1
    assert read_computed(store, "churn").segments.tolist() == ["all", "all", "feature=age"]
    with staged_run(store, CATALOG, rests) as work:
        assert not work.stage(one, ("all",))
        assert not work.stage(other, ("feature",))


def test_an_unchanged_run_writes_nothing(keep, store, history):
    keep(history([1, 2], accuracy=[0.1, NAN], pending=[2]), evidence=[("churn", b"a,b\n")])
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*")}
    jitter = history([1, 2], accuracy=[0.1 * (1 + 1e-15), NAN], pending=[2])
    assert keep(jitter, evidence=[("churn", b"a,b\n")]).models == 0
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*")} == before


@pytest.mark.parametrize(
    "change", [{"accuracy": [0.1 + 1e-9]}, {"accuracy": [0.1], "pending": [1]}, {"accuracy": [NAN]}]
)
def test_any_real_change_is_written(keep, history, change):
    keep(history([1], accuracy=[0.1], positive_rate=[0.5]))
    assert keep(history([1], positive_rate=[0.5], **change)).models == 1


def test_undo_brings_back_what_stood_before_and_takes_away_what_was_new(keep, store, history):
    keep(history([1], accuracy=[0.1]), evidence=[("churn", b"old\n")])
    before = files(store)
    keep(history([1], accuracy=[0.2]), history([1], model="new", accuracy=[0.3]), evidence=[("churn", b"new\n")])
    assert restore_previous(store) == 3
    assert files(store) == {name: data for name, data in before.items() if "previous" not in name}


def test_a_second_undo_says_that_there_is_nothing_left(keep, store, history):
    keep(history([1], accuracy=[0.1]))
    restore_previous(store)
    with pytest.raises(StoreError, match=r"nothing to undo.*compute again"):
        restore_previous(store)


def test_undo_takes_back_one_run_alone(keep, store, history):
    keep(history([1], accuracy=[0.1]), history([1], model="other", accuracy=[0.5]))
    keep(history([1], accuracy=[0.2]))
    restore_previous(store)
    assert (values(store), values(store, model="other")) == ({"01": 0.1}, {"01": 0.5})


def test_recorded_values_win_over_computed_ones(keep, store, history):
    Store(store).append([PeriodRow("churn", sheet_day(2), {"accuracy": 0.99})])
    keep(history([1, 2], accuracy=[0.1, 0.2]))
    [series] = Reader([store], catalog=CATALOG).read().series.values()
    assert series.values.tolist() == [0.1, 0.99]


def sheet_day(day):
    from datetime import UTC, datetime

    return datetime(2025, 1, day, tzinfo=UTC)


def test_a_file_that_is_not_computes_own_is_never_written_over(keep, store, history):
    keep(history([1], accuracy=[0.1]))
    [path] = store.glob("*.computed.csv")
    path.write_bytes(b"mine\n")
    with pytest.raises(StoreError, match="move it away"):
        keep(history([1], accuracy=[0.2]))
    assert path.read_bytes() == b"mine\n"


def test_a_run_that_fails_leaves_everything_as_it_was(keep, store, history, monkeypatch):
    keep(history([1], accuracy=[0.1]))
    before = files(store)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "_write", full)
    with pytest.raises(StoreError, match="disk is full"):
        keep(history([1], accuracy=[0.2]))
    assert files(store) == before


def test_what_a_crashed_run_has_staged_is_swept_away_by_the_next(keep, store, history):
    keep(history([1], accuracy=[0.1]))
    [path] = store.glob("*.computed.csv")
    (store / f"{path.name}.staged").write_bytes(b"half")
    (store / "mine.staged").write_bytes(b"not ours")
    keep(history([1], accuracy=[0.1]))
    assert {path.name for path in store.glob("*.staged")} == {"mine.staged"}


def test_a_store_that_a_team_shares_has_evidence_that_it_can_read(keep, store, history):
    store.mkdir()
    store.chmod(0o2770)
    keep(history([1], accuracy=[0.1]), evidence=[("churn", b"a\n")])
    assert (store / "evidence").stat().st_mode & 0o7777 == 0o2770
    assert all(path.stat().st_mode & 0o777 == 0o660 for path in store.rglob("churn*.csv"))
