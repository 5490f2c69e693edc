"""Checks that compare, as a configuration says them; every mistake names its key and a remedy."""

from datetime import UTC, datetime

import pytest

from modeltop.config.load import Config, load
from modeltop.core.errors import ConfigError
from modeltop.rules.baselines.other_series import OtherSeriesBaseline
from modeltop.rules.baselines.past import ROLLING, DateRange, FirstPeriods, Rolling, SameWeekday
from modeltop.rules.detectors.band import Band
from modeltop.rules.detectors.base import detectors
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.detectors.difference import Difference
from modeltop.rules.detectors.drop import Drop, DropThreshold
from modeltop.rules.detectors.limit import Limit
from modeltop.rules.detectors.outlier import Outlier
from modeltop.rules.detectors.trend import Trend

RULE = '[[rules]]\nname = "a"\nmetric = "accuracy"\n'


@pytest.fixture
def rule(load_config):
    def make(text):
        (parsed,) = load_config(RULE + text).rules
        return parsed

    return make


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ('check = "shift"', LastingShift()),
        (
            'check = "shift"\nwarn = 5\ncritical = 12.5\nback = 2\noutside = true',
            LastingShift(5, 12.5, back=2, outside=True),
        ),
        ('check = "drop"\nwarn = { absolute = 0.02, p = 0.01 }', Drop(warn=DropThreshold(absolute=0.02, p=0.01))),
        ('check = "drop"\ncritical = { relative = 0.1 }', Drop(critical=DropThreshold(relative=0.1))),
        ('check = "band"\nwarn = 3.5\ncritical = 6', Band(3.5, 6)),
        ('check = "trend"', Trend()),
        ('check = "trend"\nwarn = 0.02\ncritical = 0.05\nperiods = 42\np = 0.001', Trend(0.02, 0.05, 42, 0.001)),
        ('check = "spike"', Outlier()),
        ('check = "spike"\nwarn = 4\nperiods = 28\nleast = 7\noutside = true', Outlier(4, None, 28, 7, outside=True)),
        ('check = "difference"\nwarn = { above = 0.05 }', Difference(warn=Limit(above=0.05))),
    ],
)
def test_the_fields_of_a_check_are_the_keys_of_its_rule(rule, text, check):
    assert rule(text).detector == check


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", ROLLING),
        ("reference = { rolling = 30 }", Rolling(30)),
        ("reference = { rolling = 5 }", Rolling(5, 5)),
        ("reference = { first = 20 }", FirstPeriods(20)),
        ("reference = { weekday = 8 }", SameWeekday(8)),
        (
            "reference = { from = 2025-01-01, to = 2025-02-01T12:00:00+02:00 }",
            DateRange(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 2, 1, 10, tzinfo=UTC)),
        ),
        ('reference = { from = "2025-01-01", to = "2025-01-08" }', None),
        ('reference = { metric = "F1" }', OtherSeriesBaseline(metric="f1_score")),
        (
            'reference = { model = "champion", segment = "country=de" }',
            OtherSeriesBaseline("champion", segment="country=de"),
        ),
    ],
)
def test_what_a_rule_compares_with_is_one_of_few_kinds(rule, text, kind):
    expected = kind or DateRange(datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 8, tzinfo=UTC))
    assert rule(f'check = "drop"\nwarn = {{ absolute = 0.02 }}\n{text}\n').baseline == expected


def test_enough_of_the_last_points_may_be_asked_for(rule):
    parsed = rule('check = "band"\nwarn = 3\nconfirm = 4\nof = 6')
    assert (parsed.confirm, parsed.window) == ((4, 4), 6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('check = "drop"', "rules[1]: a drop needs"),
        ('check = "drop"\nwarn = {}', "rules[1].warn: empty"),
        ('check = "drop"\nwarn = { absolut = 0.1 }', "absolut: unknown key; did you mean absolute"),
        ('check = "drop"\nwarn = { p = 0.9 }', "rules[1].warn: p = 0.9"),
        ('check = "drop"\nwarn = 0.1', "rules[1].warn: a number where a table"),
        ('check = "band"\nwarn = { below = 1 }', "rules[1].warn: a table where a number"),
        ('check = "shift"\nback = 1.5', "rules[1].back: a number where a whole number"),
        ('check = "shift"\noutside = 1', "rules[1].outside: a number where true or false"),
        ('check = "shift"\nslack = -1', "rules[1]: warn, critical and slack"),
        ('check = "trend"\np = 0.7', "rules[1]: p = 0.7: give a chance between 0 and 0.5"),
        ('check = "trend"\nperiod = 5', "period: unknown key; did you mean periods"),
        ('check = "trend"\nwarn = { below = 0.9 }', "rules[1].warn: a table where a number"),
        ('check = "spike"\nwarn = -4', "rules[1]: give `warn`, `critical` or both: numbers of deviations"),
        ('check = "spike"\nleast = 90', "rules[1]: periods and least are numbers of periods"),
        ('check = "spike"\nreference = { weekday = 8 }', "rules[1].reference: this check uses no reference"),
        ('check = "shfit"', "did you mean shift"),
        ('check = "shift"\nreference = { first = 3 }', "rules[1].reference: this check uses no reference"),
        ('check = "band"\nwarn = 3\nreference = { model = "b" }', "rules[1].reference: a band needs"),
        ('check = "band"\nwarn = 3\nreference = { frist = 3 }', "rules[1].reference: empty; write one of"),
        ('check = "band"\nwarn = 3\nreference = { first = 3, rolling = 4 }', "several in one"),
        ('check = "band"\nwarn = 3\nreference = { first = 1 }', "rules[1].reference.first: 1 is too small"),
        ('check = "band"\nwarn = 3\nreference = { from = 2025-01-01 }', "rules[1].reference.to: missing"),
        ('check = "band"\nwarn = 3\nreference = { from = 2025-01-02, to = 2025-01-01 }', "is not before"),
        ('check = "band"\nwarn = 3\nreference = { from = "soon", to = 2025-01-01 }', "'soon' is not a date"),
        ('check = "band"\nwarn = 3\nconfirm = 3\nof = 2', "rules[1].of: 2 is fewer than confirm = 3"),
    ],
)
def test_a_mistake_is_named_with_its_key(rule, text, message):
    with pytest.raises(ConfigError) as error:
        rule(text)
    assert message in str(error.value)


def test_every_check_is_known_without_having_been_imported():
    assert {"threshold", "drop", "band", "shift", "trend", "spike", "difference"} <= detectors().keys()


def test_the_change_summary_has_a_reference_of_its_own(tmp_path):
    path = tmp_path / "modeltop.toml"
    path.write_text("reference = { first = 20 }\n", encoding="utf-8")
    assert load(path).baseline == FirstPeriods(20)
    assert Config().baseline == ROLLING


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{ model = "champion" }', "reference: changes are summed up against the past of each series"),
        ("{ first = 0 }", "first"),
        ("{ frist = 9 }", "did you mean first"),
        ("7", "table"),
    ],
)
def test_it_is_the_past_of_each_series(tmp_path, text, message):
    path = tmp_path / "modeltop.toml"
    path.write_text(f"reference = {text}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load(path)
