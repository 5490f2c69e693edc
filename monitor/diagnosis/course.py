"""How a metric has gone: a stand-in for `monitor.patterns`, which takes its place here alone."""

from __future__ import annotations

import math

import numpy as np

from monitor.findings import Course, Pattern
from monitor.records import Better, Series, to_datetime

LATE = 10


def course(series: Series) -> Course:
    """One step, where it is surest; a direction that is neither is a drop when it falls."""
    judged = np.flatnonzero(series.judged())[-180:]
    values = series.values[judged]
    if len(values) < LATE:
        return Course(series.key, Pattern.TOO_LITTLE, None, None, 0.0)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    cut = np.arange(5, len(values))
    before, after = sums[cut] / cut, (sums[-1] - sums[cut]) / (len(values) - cut)
    noise = float(np.std(np.diff(values))) / math.sqrt(2) or 1e-12
    surest = np.abs(after - before) / (noise * np.sqrt(1 / cut + 1 / (len(values) - cut)))
    best = int(np.argmax(surest))
    if surest[best] < 5:
        return Course(series.key, Pattern.STEADY, None, None, 0.9)
    size = float(after[best] - before[best])
    worse = size > 0 if series.better is Better.LOWER else size < 0
    pattern = Pattern.DROP if worse else Pattern.IMPROVING
    return Course(series.key, pattern, to_datetime(series.times[judged[cut[best]]]), size, 0.9)
