"""Histories are what was asked for: seeded, of the right size, and read as any other history is."""

from dataclasses import replace

import numpy as np
import pytest

from modeltop.core.diagnosis import Pattern
from modeltop.core.series import Direction, SeriesKey
from tests.benchmarks.detection.alerts import KINDS
from tests.benchmarks.detection.cause_scenarios import CAUSED, UNTOLD
from tests.benchmarks.detection.columns import COLUMNS, NO_SHIFT
from tests.benchmarks.detection.drops import KNOWN, RARE, UNKNOWN
from tests.benchmarks.detection.false_alerts import HEALTHY
from tests.benchmarks.detection.ground_truth import MODEL
from tests.benchmarks.detection.populations import missed, unsure
from tests.benchmarks.detection.sampling import Noise
from tests.benchmarks.detection.simulation import Frame, Scenario, course, history

FALLS = (*KNOWN, *UNKNOWN)
SUDDEN = FALLS[0]
LOGGED = replace(SUDDEN, cuts=True, shift=NO_SHIFT)


def values(case):
    return {key: series.values.tolist() for key, series in case.history.series.items()}


def test_equal_seeds_give_equal_histories_and_others_do_not():
    assert values(history(LOGGED, Frame(), 1, 2)) == values(history(LOGGED, Frame(), 1, 2))
    other = history(LOGGED, Frame(), 1, 3).fallen.values
    assert not np.array_equal(history(LOGGED, Frame(), 1, 2).fallen.values, other)


@pytest.mark.parametrize("scenario", [*FALLS, *HEALTHY, *KINDS, *CAUSED, *UNTOLD], ids=lambda one: one.kind)
def test_every_scenario_can_be_made_and_holds_what_its_truth_names(scenario):
    case = history(scenario, Frame(rows=2000), 1, 0)
    assert case.fallen.key == SeriesKey(MODEL, case.truth.metric, case.truth.segment)
    assert case.fallen.better is not Direction.NEITHER
    if scenario.logged is not None:
        assert {key.metric for key in case.history.series} == set(scenario.logged)
    if case.truth.begin is not None:
        assert 0 < case.truth.begin < len(case.history.periods[MODEL])


@pytest.mark.parametrize("scenario", FALLS, ids=lambda one: one.kind)
@pytest.mark.parametrize("noise", [Noise(), Noise(stay=0.6), Noise(copies=2)], ids=lambda one: one.name)
@pytest.mark.parametrize("size", [3.0, 8.0])
def test_a_fall_has_the_asked_size_in_deviations_of_the_healthy_period(scenario, noise, size):
    frame = Frame(before=100, after=100, rows=5000, size=size, noise=noise)
    cases = [history(scenario, frame, 11, index) for index in range(12)]
    z = np.array([(one.fallen.values - one.truth.mean) / one.truth.deviation for one in cases])
    assert z[:, :100].mean() == pytest.approx(0.0, abs=0.15)
    assert z[:, :100].std() == pytest.approx(1.0, abs=0.06)
    bad = 1 if scenario.metric == "brier_score" else -1
    assert z[:, 135:].mean() == pytest.approx(bad * size, abs=0.25)


def test_supports_are_those_that_a_metric_rests_on():
    found = {
        key.metric: one
        for key, one in history(LOGGED, Frame(rows=1000), 1, 0).history.series.items()
        if key.segment == "all"
    }
    assert found["accuracy"].support.tolist() == found["accuracy"].rows.tolist()
    assert found["recall"].support.mean() == pytest.approx(500, rel=0.05)
    assert found["f1_score"].support is None
    assert found["recall"].proportion


def test_segments_and_columns_are_logged_where_asked_and_add_up():
    case = history(LOGGED, Frame(rows=1000), 1, 0)
    cuts = [one for key, one in case.history.series.items() if key.metric == "accuracy" and key.segment != "all"]
    assert sum(one.rows for one in cuts).tolist() == case.fallen.rows.tolist()
    features = {key.segment for key in case.history.series if key.segment.startswith("feature=")}
    assert features == {f"feature={name}" for name in COLUMNS}


def test_only_the_planted_segment_falls():
    scenario = next(one for one in CAUSED if one.kind == "one segment")
    case = history(scenario, Frame(rows=20_000, size=10.0), 1, 0)
    for segment, falls in (("country=fr", True), ("country=de", False), ("country=us", False)):
        one = case.history.series[SeriesKey(MODEL, "accuracy", segment)].values
        moved = (one[90:].mean() - one[:90].mean()) / (one[:90].std() / 36**0.5)
        assert (moved < -8) == falls, segment


def test_confidence_falls_before_accuracy_does():
    scenario = Scenario("first", Pattern.DROP, lead=unsure, ahead=7)
    case = history(scenario, Frame(rows=5000, size=8.0), 1, 0)
    told = case.history.series[SeriesKey(MODEL, "avg_confidence")].values
    assert told[83:90].max() < told[:83].min()
    assert case.fallen.values[83:90].mean() == pytest.approx(case.truth.mean, abs=2 * case.truth.deviation)


def test_a_fall_of_recall_hides_under_accuracy():
    scenario = Scenario("hidden", Pattern.DROP, classifier=RARE, change=missed, metric="recall")
    case = history(scenario, Frame(rows=2000, size=4.0), 1, 0)
    accuracy = case.history.series[SeriesKey(MODEL, "accuracy")].values
    assert (accuracy[:90].mean() - accuracy[90:].mean()) / accuracy[:90].std() < 2.5


@pytest.mark.parametrize(
    ("shape", "drawn"),
    [
        ("steady", "000000"),
        ("sudden", "000999"),
        ("spike", "000900"),
        ("fading", "000369"),
        ("improving", "999000"),
    ],
)
def test_shapes_are_drawn_as_named(shape, drawn):
    found = course(shape, Frame(before=3, after=3, fade=3))
    assert "".join(str(round(9 * part)) for part in found) == drawn


def test_weekends_are_saturday_and_sunday():
    case = history(replace(SUDDEN, shape="weekends"), Frame(before=14, after=0, size=8.0), 1, 0)
    worst = np.sort(np.argsort(case.fallen.values)[:4])
    assert [case.fallen.times[place].item().weekday() for place in worst] == [5, 6, 5, 6]


def test_more_than_can_fall_is_refused():
    with pytest.raises(ValueError, match="accuracy falls by"):
        history(SUDDEN, Frame(rows=10, size=8.0), 1, 0)
