"""Many models that get worse together are one line, for their cause is likely shared."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.alerting.fleet import shared_starts
from modeltop.core.incident import Incident, IncidentStatus
from modeltop.core.series import Condition, History, SeriesKey, Severity

DAY = timedelta(days=1)
NOW = datetime(2025, 4, 10, tzinfo=UTC)
TIMES = np.arange("2025-01-01", "2025-04-10", dtype="datetime64[D]").astype("datetime64[us]")


def history(models=10):
    return History({}, {f"m{number}": TIMES for number in range(models)})


def incident(number, start, condition=Condition.THRESHOLD, status=IncidentStatus.OPEN):
    model, metric = f"m{number}", "*" if condition is Condition.NO_DATA else "accuracy"
    about = model, status, Severity.CRITICAL, ("a",), "a", SeriesKey(model, metric), condition
    return Incident(f"id{number}", *about, datetime(2025, 3, start, tzinfo=UTC))


def test_models_that_got_worse_within_one_period_are_one_line():
    found = [incident(0, 26), incident(1, 27), incident(2, 26), incident(3, 1)]
    (shared,) = shared_starts(found, history(), NOW)
    assert shared.models == ("m0", "m1", "m2")
    assert shared.sentence == "3 models dropped on 26 Mar: look for a shared cause"


def test_models_of_which_a_metric_rose_got_worse():
    lost = replace(incident(0, 26), before=0.3, after=0.7)
    (shared,) = shared_starts([lost, incident(1, 26), incident(2, 26)], history(), NOW)
    assert shared.sentence.startswith("3 models got worse on 26 Mar:")


@pytest.mark.parametrize("others", [0, 9])
def test_five_models_of_a_large_fleet_that_are_half_of_its_incidents_are_one_line(others):
    found = [incident(number, 26) for number in range(9)]
    found += [incident(number, 1 + 2 * (number - 9)) for number in range(9, 9 + others)]
    (shared,) = shared_starts(found, history(300), NOW)
    assert shared.sentence == "9 models dropped on 26 Mar: look for a shared cause"


@pytest.mark.parametrize(("together", "others"), [(4, 0), (9, 10)], ids=["four", "less than half of the incidents"])
def test_fewer_of_a_large_fleet_are_chance(together, others):
    found = [incident(number, 26) for number in range(together)]
    found += [incident(number, 1 + 2 * (number - together)) for number in range(together, together + others)]
    assert shared_starts(found, history(300), NOW) == ()


@pytest.mark.parametrize(
    ("starts", "models"),
    [([26, 26], 10), ([26, 27, 28], 10), ([26, 26, 26], 31)],
    ids=["two are chance", "further apart than a period", "fewer than a tenth of those that report"],
)
def test_fewer_or_further_apart_are_none(starts, models):
    found = [incident(number, start) for number, start in enumerate(starts)]
    assert shared_starts(found, history(models), NOW) == ()


def test_no_data_is_apart_from_performance_and_what_is_over_does_not_count():
    found = [incident(number, 26) for number in range(3)]
    found += [incident(number, 26, Condition.NO_DATA) for number in range(3, 7)]
    found += [incident(number, 26, status=IncidentStatus.RESOLVED) for number in range(7, 10)]
    assert [(shared.condition, len(shared.models)) for shared in shared_starts(found, history(), NOW)] == [
        (Condition.NO_DATA, 4),
        (Condition.THRESHOLD, 3),
    ]
    first, _ = shared_starts(found, history(), NOW)
    assert first.sentence == "4 models have no data since 26 Mar: look for a shared cause"
