"""What is counted of healthy models, and of models to which something happens."""

import numpy as np
import pytest

from tests.benchmarks.detection.alerts import KINDS, drawn, said, watched
from tests.benchmarks.detection.detectors import DEFAULTS, LASTING, ORACLE, usually
from tests.benchmarks.detection.false_alerts import HEALTHY, Calls, quiet
from tests.benchmarks.detection.sampling import INDEPENDENT
from tests.benchmarks.detection.simulation import Frame, history

BY_KIND = {one.kind: one for one in KINDS}


def test_alerts_that_crowd_on_few_models_widen_the_interval():
    apart = Calls(3652.5, [1] * 10 + [0] * 10)
    together = Calls(3652.5, [10] + [0] * 19)
    assert apart.crowding == 1
    assert together.crowding == pytest.approx(np.var([10] + [0] * 19) / 0.5)
    assert apart.finding("", 2.0).value == together.finding("", 2.0).value == 1.0
    assert "95 % 0.479 to 1.839" in apart.finding("", None).note
    assert "95 % 0.012 to 5.286" in together.finding("", None).note


def test_a_healthy_model_is_watched_by_all_and_of_few_cases_only_what_is_judged():
    many = quiet(HEALTHY[0], Frame(before=60, after=0, rows=1000), 2)
    few = quiet(HEALTHY[0], Frame(before=60, after=0, rows=50), 2)
    assert {ORACLE, LASTING, DEFAULTS, "trend", "spike"} <= set(many)
    assert many[LASTING].periods > few[LASTING].periods
    assert many[LASTING].periods > many[ORACLE].periods  # which knows nothing of the area under a curve
    assert len(many[LASTING].by_model) == 2


def test_what_is_usual_is_known_of_ratios_and_read_off_the_past_of_others():
    frame = Frame(before=50, after=50, rows=5000, size=8.0)
    case = history(BY_KIND["one segment only"], frame, 1, 0)
    segment = case.fallen
    assert usually(KINDS[0].classifier, segment, frame).mean == pytest.approx(segment.values[:50].mean())
    whole = next(one for one in watched(case) if (one.key.metric, one.key.segment) == ("accuracy", "all"))
    found = usually(KINDS[0].classifier, whole, frame)
    assert found.mean == pytest.approx(whole.values[:50].mean(), abs=2 * found.deviation)


def test_a_fall_is_found_in_its_metric_and_in_the_model():
    scenario = BY_KIND["covariate"]
    own, whole = said(scenario, drawn(scenario, INDEPENDENT, 1))[LASTING]
    assert own.found == whole.found == 1
    assert own.median <= 6


def test_an_alert_about_confidence_that_leads_is_not_false():
    scenario = BY_KIND["confidence first"]
    own, whole = said(scenario, drawn(scenario, INDEPENDENT, 1))[LASTING]
    assert whole.median < 7 < 7 + own.median
    assert whole.years < own.years


def test_the_default_asks_of_all_rows_and_a_check_of_a_segment_where_it_is_told_to():
    found = said(BY_KIND["one segment only"], drawn(BY_KIND["one segment only"], INDEPENDENT, 1))
    assert found[LASTING][0].found == 0
    assert found["shift, slack 0.5"][0].found > 0
