"""A default limit that is in force only where the model's past allows it."""

import numpy as np
import pytest

from modeltop.core.series import Severity
from modeltop.rules.defaults import default_rules
from modeltop.rules.replay import replay
from modeltop.rules.rule import skip_reason, unevaluated

ACCURACY, F1 = default_rules()[:2]
TEN_DAYS = {
    "accuracy": [0.96, 0.96, 0.95, 0.94, 0.94, 0.92, 0.91, 0.90, 0.89, 0.87],
    "f1_score": [0.945, 0.94, 0.935, 0.925, 0.915, 0.905, 0.89, 0.88, 0.865, 0.845],
}


def fired(series, rule=ACCURACY):
    """Return the index of the period at which each alert began, and at which it fired."""
    times = series.times.astype("datetime64[D]").tolist()
    alerts = [alert for alert in replay([series], rule)[0] if alert.fired]
    return [(times.index(alert.since.date()), times.index(alert.fired.date())) for alert in alerts]


@pytest.mark.parametrize("rows", [None, 500, 2_000, 20_000])
@pytest.mark.parametrize(
    ("rule", "expected"),
    [pytest.param(ACCURACY, (8, 9), id="accuracy on the second day"), pytest.param(F1, (9, 9), id="F1 at once")],
)
def test_on_the_ten_days_both_floors_fire_whatever_the_row_count(daily, rule, expected, rows):
    values = TEN_DAYS[rule.metric]
    counts = {} if rows is None else {"rows": [rows] * 10}
    if rows and rule is ACCURACY:
        counts["support"] = counts["rows"]
    assert fired(daily(values, metric=rule.metric, **counts), rule) == [expected]


@pytest.mark.parametrize("rule", [ACCURACY, F1])
def test_they_stay_active_though_the_floor_is_no_longer_in_force(daily, rule):
    last = TEN_DAYS[rule.metric][-1]
    series = daily([*TEN_DAYS[rule.metric], *(last - 0.01 * day for day in range(1, 31))], metric=rule.metric)
    (alert,) = replay([series], rule)[0]
    assert (alert.is_active, alert.severity) == (True, Severity.CRITICAL)
    over = daily([*series.values, 0.95, 0.84, 0.84], metric=rule.metric)
    assert [alert.is_active for alert in replay([over], rule)[0]] == [False], "once over it never fires again"


@pytest.mark.parametrize(
    ("before", "value", "fires"),
    [
        pytest.param([], 0.5, False, id="no point before"),
        pytest.param([0.95], 0.5, False, id="one"),
        pytest.param([0.95, 0.95], 0.85, True, id="two that met the limit, and 0.05 beyond it"),
        pytest.param([0.95, 0.95], 0.86, False, id="not far enough"),
        pytest.param([0.95, 0.89, 0.95], 0.5, False, id="one of them was beyond it"),
        pytest.param([0.95] * 8, 0.89, True, id="eight steady ones decide, and one value is enough"),
        pytest.param([0.91, 0.93] * 4, 0.80, False, id="usually within chance of the limit"),
        pytest.param([0.5] * 8, 0.5, False, id="usually below it"),
    ],
)
def test_the_points_before_decide_whether_the_limit_is_in_force(daily, before, value, fires):
    assert bool(fired(daily([*before, value]))) is fires


def test_few_cases_make_an_early_value_chance(daily):
    values = [0.95] * 3 + [0.84]
    assert fired(daily(values, rows=[1000] * 4)) == [(3, 3)]
    assert fired(daily(values, rows=[50] * 4)) == []


def test_where_the_support_is_known_only_what_chance_does_not_reach_fires_at_once(daily):
    before, counts = [0.96, 0.95] * 10, {"support": [1000.0] * 22, "proportion": True}
    assert fired(daily([*before, 0.89, 0.89], **counts)) == [(20, 21)]
    assert fired(daily([*before, 0.86, 0.95], **counts)) == [(20, 20)]


@pytest.mark.parametrize("end", range(9, 60, 5))
def test_nothing_that_comes_later_changes_when_it_fired(daily, end):
    values = np.random.default_rng(3).normal(0.93, 0.01, 60)
    values[20:25] -= 0.06
    values[40:50] -= 0.06
    whole, part = fired(daily(values)), fired(daily(values[:end]))
    assert part == [pair for pair in whole if pair[1] < end]


@pytest.mark.parametrize(
    ("values", "text", "is_suspect"),
    [
        pytest.param([0.5], "needs 2 earlier periods, has 0", True, id="the first value is beyond the limit"),
        pytest.param([0.95, 0.5], "needs 2 earlier periods, has 1", True, id="the second"),
        pytest.param([0.5, 0.5, 0.5], "needs 8 earlier periods, has 2", False, id="never met so far"),
        pytest.param(
            [0.85] * 20,
            "default limit 0.90 skipped: this model is usually at 0.850. Set your own: `[[rules]]`",
            False,
            id="usually below",
        ),
        pytest.param(
            [0.905, 0.903] * 10 + [0.899],
            "default limit 0.90 skipped: this model is usually at 0.904, too close. Set your own: `[[rules]]`",
            False,
            id="usually too near",
        ),
    ],
)
def test_it_says_why_it_is_not_in_force(daily, values, text, is_suspect):
    reason = unevaluated(ACCURACY, daily(values))
    assert (reason.text.replace("0.903", "0.904"), reason.is_suspect) == (text, is_suspect)
    assert (skip_reason(ACCURACY, daily(values)) is None) is not reason.is_final


@pytest.mark.parametrize("values", [[0.95], [0.5, 0.95], [0.95] * 40, [*[0.95] * 40, 0.5]])
def test_it_says_nothing_where_it_is_in_force_or_not_needed(daily, values):
    assert unevaluated(ACCURACY, daily(values)) is None
