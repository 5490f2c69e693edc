"""What fewer cases add to the calibration error: that of simulated, calibrated models, computed by its definition."""

import numpy as np
import pytest

from modeltop.core.stats.few_cases import without_bias


def calibration_errors(cases, *, shift=0.0, seed=1):
    """Return the ECE in ten bins of equal width, per period, of events with the score's probability plus `shift`."""
    rng, errors = np.random.default_rng(seed), []
    for n in cases:
        scores = rng.uniform(size=n)
        events = rng.uniform(size=n) < np.clip(scores + shift, 0, 1)
        places = (10 * scores).astype(int)
        gaps = [abs(np.sum(events[places == place]) - np.sum(scores[places == place])) for place in range(10)]
        errors.append(sum(gaps) / n)
    return np.array(errors)


@pytest.mark.parametrize("few", [30, 100, 400])
def test_few_cases_leave_a_calibrated_model_as_it_was_however_long(few):
    cases = np.repeat([1000, few], [60, 200])
    raw = calibration_errors(cases)
    corrected = without_bias(raw, cases.astype(float))
    normal = np.median(raw[:60])
    assert np.median(raw[60:]) > 1.3 * normal
    assert np.median(corrected[60:]) == pytest.approx(normal, rel=0.15)
    assert np.median(corrected[-30:]) == pytest.approx(normal, rel=0.15)


def test_a_model_that_is_worse_is_worse_by_few_cases_as_well():
    cases = np.repeat([1000, 100], [60, 30])
    raw = np.concatenate([calibration_errors(cases[:60]), calibration_errors(cases[60:], shift=0.3)])
    assert np.median(without_bias(raw, cases.astype(float))[60:]) > 2 * np.median(raw[:60])


def test_values_stay_where_cases_are_as_many_or_unknown_and_never_depend_on_later_ones():
    errors, cases = calibration_errors([200] * 40), np.repeat([200.0, 2000.0], [20, 20])
    assert without_bias(errors, cases).tolist() == errors.tolist()
    assert without_bias(errors, np.full(40, np.nan)).tolist() == errors.tolist()
    fewer = cases[::-1]
    assert without_bias(errors, fewer)[:30].tolist() == without_bias(errors[:30], fewer[:30]).tolist()
