"""What fewer cases add to metrics that they bias."""

from __future__ import annotations

import numpy as np

from modeltop.core.series import Floats
from modeltop.core.stats.robust import past_median

BIASED = ("expected_calibration_error", "maximum_calibration_error")
"""Means of absolute gaps, which few cases make larger: of a calibrated model by 1 / √cases (Roelofs 2022, AISTATS)."""
PERIODS, MIN_PERIODS = 60, 8
"""Earlier periods whose median is normal, at most and at least."""
FULL = 0.5
"""Ratio to the normal cases from which a period has about as many."""


def without_bias(values: Floats, cases: Floats) -> Floats:
    """Return the values without what fewer cases than normal may have added to them, never below what is normal.

    Normal are the most cases that the median of earlier periods ever was, and the median of the periods with about as
    many: few cases that stay do not become normal, with a rise on the day on which they would.

    Args:
        values: Of a metric of `BIASED`, in order of time.
        cases: The cases that each rests on; where unknown, or no more than normal, the value stays.
    """
    if not (cases > 0).all():
        return values
    normal = np.maximum.accumulate(np.nan_to_num(past_median(cases, PERIODS, MIN_PERIODS)))
    is_full = cases >= FULL * normal
    levels = past_median(np.append(values[is_full], 0.0), PERIODS, MIN_PERIODS)
    level = np.nan_to_num(levels[np.cumsum(is_full) - is_full])
    scale = np.sqrt(np.minimum(cases / np.where(normal > 0, normal, cases), 1.0))
    return np.maximum(values * scale, np.minimum(level, values))
