"""What has changed: from which period, by how much, and how sure that is."""

import csv
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from modeltop.cli import demo
from modeltop.rules import change_summary
from modeltop.rules.baselines.past import FirstPeriods


def by_name(series, metric):
    return {change.against: change for change in change_summary.change_summary(series, metric)}


def date(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def ten_days(series_of):
    with (demo.samples_folder() / "model_performance_tracking.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    return lambda metric: series_of([float(row[metric]) for row in table], metric=metric)


@pytest.mark.parametrize(
    ("metric", "first", "previous", "week"),
    [
        ("accuracy", -0.09, -0.02, -0.08),
        ("precision", -0.1, -0.02, -0.09),
        ("recall", -0.1, -0.02, -0.09),
        ("f1_score", -0.1, -0.02, -0.09),
        ("avg_confidence", -0.1, -0.02, -0.09),
    ],
)
def test_the_ten_day_table_changes_without_binary_dust(ten_days, catalog, metric, first, previous, week):
    changes = by_name(ten_days(metric), catalog.get(metric))
    assert {name: change.delta for name, change in changes.items()} == {
        "previous": previous,
        "7d": week,
        "first": first,
    }
    assert (changes["first"].before_at, changes["7d"].before_at) == (date("2025-01-01"), date("2025-01-03"))
    assert {(change.low, change.high, change.count) for change in changes.values()} == {(None, None, None)}


@given(st.decimals(-1000, 1000, places=4), st.decimals(-1000, 1000, places=4))
def test_a_difference_is_the_one_a_person_would_write_down(series_of, catalog, before, after):
    series = series_of([float(before), float(after)], metric="bias")
    (previous, first) = change_summary.change_summary(series, catalog.get("bias"))
    assert previous.delta == first.delta == float(after - before)


@pytest.mark.parametrize(
    ("dates", "week", "month"),
    [
        pytest.param(["2025-06-01", "2025-06-07"], None, None, id="six days are not seven"),
        pytest.param(["2025-06-01", "2025-06-08"], "2025-06-01", None, id="seven are"),
        pytest.param(["2025-05-30", "2025-06-02", "2025-06-08"], "2025-05-30", None, id="else the newest before that"),
        pytest.param(["2025-05-09", "2025-06-08"], "2025-05-09", "2025-05-09", id="by date, not by rows"),
        pytest.param(["2024-01-01", "2024-02-01", "2025-06-08"], "2024-02-01", "2024-02-01", id="however old it is"),
    ],
)
def test_days_back_are_counted_from_the_newest_period(series_of, catalog, dates, week, month):
    changes = by_name(series_of([0.5] * len(dates), dates=dates), catalog.get("accuracy"))
    when = {name: f"{change.before_at:%Y-%m-%d}" for name, change in changes.items()}
    assert (when.get("7d"), when.get("30d")) == (week, month)


def test_comparisons_come_from_the_nearest_to_the_widest(series_of, catalog):
    summary = change_summary.change_summary(series_of([0.9] * 40), catalog.get("accuracy"))
    assert [change.against for change in summary] == ["previous", "7d", "30d", "first", "reference"]


@pytest.mark.parametrize("values", [[], [0.9], [math.inf, 0.9], [0.9, math.inf], [0.9, 0.8, -math.inf]])
def test_without_two_finite_values_nothing_has_changed(series_of, catalog, values):
    assert change_summary.change_summary(series_of(values, metric="rmse"), catalog.get("rmse")) == ()


def test_infinite_periods_are_passed_over(series_of, catalog):
    changes = by_name(series_of([math.inf, 3.0, 2.0, math.inf, 5.0], metric="rmse"), catalog.get("rmse"))
    assert (changes["first"].before, changes["previous"].before) == (3.0, 2.0)


def test_a_difference_of_shares_has_the_interval_of_statsmodels(series_of, catalog):
    changes = by_name(series_of([0.96, 0.9, 0.87], support=[1000, 50, 1200]), catalog.get("accuracy"))
    for name, (hits, cases) in {"first": (960, 1000), "previous": (45, 50)}.items():
        expected = confint_proportions_2indep(1044, 1200, hits, cases, method="newcomb", compare="diff")
        assert (changes[name].low, changes[name].high) == pytest.approx(expected)
        assert changes[name].count == 1200


@pytest.mark.parametrize(
    ("metric", "support"),
    [
        pytest.param("log_loss", [500, 500], id="a mean is no share"),
        pytest.param("accuracy", [500, math.nan], id="the newest support is unknown"),
        pytest.param("accuracy", [math.nan, 500], id="the earlier support is unknown"),
        pytest.param("recall", None, id="no support at all"),
    ],
)
def test_no_interval_without_a_share_and_both_supports(series_of, catalog, metric, support):
    columns = {} if support is None else {"support": support}
    series = series_of([0.9, 0.8], metric=metric, rows=[900, 900], **columns)
    for change in change_summary.change_summary(series, catalog.get(metric)):
        assert (change.low, change.high) == (None, None)
        is_known = support is not None and not math.isnan(support[-1])
        assert change.count == (support[-1] if is_known else None)


def test_the_reference_is_weighted_by_support_and_rests_on_all_of_it(series_of, catalog):
    series = series_of([0.9] * 9 + [0.5, 0.8], support=[100] * 9 + [1100, 200])
    reference = by_name(series, catalog.get("accuracy"))["reference"]
    assert reference.before == pytest.approx((9 * 90 + 550) / 2000)
    expected = confint_proportions_2indep(160, 200, 1360, 2000, method="newcomb", compare="diff")
    assert (reference.low, reference.high) == pytest.approx(expected)
    assert reference.before_at == date("2025-01-01")


@pytest.mark.parametrize("support", [[math.nan] + [100] * 9, [math.inf] + [100] * 9])
def test_the_reference_is_a_plain_mean_where_a_support_says_nothing(series_of, catalog, support):
    series = series_of([0.9] * 9 + [0.5, 0.8], support=[*support, 100])
    reference = by_name(series, catalog.get("accuracy"))["reference"]
    assert reference.before == pytest.approx(0.86)
    assert (reference.low, reference.high, reference.count) == (None, None, 100)


@pytest.mark.parametrize(
    ("periods", "note"),
    [
        (1, "needs 10 earlier periods, has 0"),
        (8, "needs 10 earlier periods, has 7"),
        (10, "needs 10 earlier periods, has 9"),
        (11, None),
        (200, None),
    ],
)
def test_a_note_stands_where_the_reference_is_missing(series_of, catalog, periods, note):
    series = series_of([0.9] * periods)
    assert change_summary.baseline_note(series) == note
    assert ("reference" in by_name(series, catalog.get("accuracy"))) == (note is None)


def test_another_reference_is_compared_with_where_one_is_asked_for(series_of, catalog):
    series = series_of([0.9, 0.8] + [0.7] * 20)
    metric = catalog.get("accuracy")
    changes = {change.against: change for change in change_summary.change_summary(series, metric, FirstPeriods(2))}
    assert changes["reference"].before == pytest.approx(0.85)
    assert change_summary.baseline_note(series, FirstPeriods(2)) is None
    assert change_summary.baseline_note(series, FirstPeriods(30)) == "not enough periods for its first 30 periods"


def test_provisional_periods_are_compared_but_are_no_reference(series_of, catalog):
    series = series_of([0.9] * 10 + [0.1, 0.2], provisional=[False] * 10 + [True, True])
    changes = by_name(series, catalog.get("accuracy"))
    assert (changes["previous"].before, changes["previous"].after) == (0.1, 0.2)
    assert changes["reference"].before == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("metric", "columns", "expected"),
    [
        pytest.param("roc_auc", {"low": [0.7], "high": [0.9]}, (0.7, 0.9), id="the data's own"),
        pytest.param(
            "accuracy", {"low": [0.7], "high": [0.9], "support": [10]}, (0.7, 0.9), id="the data's own comes first"
        ),
        pytest.param(
            "accuracy",
            {"low": [0.7], "high": [math.nan], "support": [10]},
            proportion_confint(8, 10, method="wilson"),
            id="half of one is none",
        ),
        pytest.param("accuracy", {"support": [10]}, proportion_confint(8, 10, method="wilson"), id="Wilson's"),
        pytest.param("log_loss", {"support": [10]}, None, id="a mean has none"),
        pytest.param("recall", {"rows": [10]}, None, id="rows are no support"),
    ],
)
def test_the_newest_value_has_an_interval_where_one_is_known(series_of, catalog, metric, columns, expected):
    interval = change_summary.latest_interval(series_of([0.8], metric=metric, **columns), catalog.get(metric))
    assert interval == (None if expected is None else pytest.approx(expected))


def test_an_empty_series_has_no_interval(series_of, catalog):
    assert change_summary.latest_interval(series_of([]), catalog.get("accuracy")) is None


def test_a_third_less_on_six_games_may_be_chance(series_of, catalog, reference_data):
    with reference_data("forecast_history.csv").open(newline="") as file:
        table = [row for row in csv.DictReader(file) if row["model"] == "nba-games"]
    values, games = ([float(row[name]) for row in table] for name in ("accuracy", "count"))
    series = series_of(values, dates=[row["date"] for row in table], support=games)
    reference = by_name(series, catalog.get("accuracy"))["reference"]
    pool = sum(games[-61:-1])
    hits = sum(value * n for value, n in zip(values[-61:-1], games[-61:-1], strict=True))
    expected = confint_proportions_2indep(2, 6, round(hits), pool, method="newcomb", compare="diff")
    assert (reference.low, reference.high) == pytest.approx(expected, abs=1e-5)
