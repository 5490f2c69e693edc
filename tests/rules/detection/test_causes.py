"""Planted causes, and what the default rules say of many histories at once."""

import pytest

from modeltop.core.diagnosis import Cause
from modeltop.core.series import Condition
from modeltop.rules.replay import replay
from modeltop.rules.rule import default_rules, rules_for, skip_reason
from tests.benchmarks.detection.cause_scenarios import CAUSED, UNTOLD, planted
from tests.benchmarks.detection.causes import episodes, moment, told

BY_KIND = {one.kind: one for one in (*CAUSED, *UNTOLD)}


def test_episodes_of_many_models_are_those_of_each_alone():
    cases = [case for _, _, case in planted(BY_KIND["one segment"], 2)]
    together = episodes(cases)
    for case, found in zip(cases, together, strict=True):
        alone = [
            one.id
            for series in case.history.series.values()
            for rule in rules_for(default_rules(), series.key)
            if not skip_reason(rule, series)
            for one in replay([series], rule)[0]
        ]
        assert sorted(map(str, alone)) == sorted(str(one.id) for one in found)
        assert alone


def test_where_rows_stopped_it_is_looked_at_late_enough_to_say_so():
    (_, _, case) = next(planted(BY_KIND["stopped"], 1))
    assert any(one.condition is Condition.NO_DATA for one in episodes([case])[0])
    (_, _, case) = next(planted(BY_KIND["concept"], 1))
    assert not any(one.condition is Condition.NO_DATA for one in episodes([case])[0])
    assert moment(case) > case.fallen.times[-1].item().replace(tzinfo=moment(case).tzinfo)


def test_what_chance_made_ends_in_a_period_under_the_floor():
    for _, _, case in planted(BY_KIND["chance"], 4):
        assert case.truth.cause is Cause.NOISE
        assert case.fallen.values[-1] < 0.9 < case.truth.mean


@pytest.mark.parametrize("kind", ["concept", "concept, accuracy alone"])
def test_a_diagnosis_is_counted_beside_the_truth(kind):
    (found,) = told(BY_KIND[kind], 1)
    assert found.answer.truth == BY_KIND[kind].cause.value
    assert found.second or not found.answer.right
    assert dict(found.answer.traits)["SE"] == "5"
