"""Metrics of the service around a model: how fast it answers, and how often not at all."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

UNITS = (("", 3), ("_ms", 1))

register(
    # With and without the unit in the name: a column of seconds must not be called milliseconds.
    *(
        Metric(
            f"latency{unit}",
            Direction.LOWER,
            (0.0, None),
            support="rows",
            digits=digits,
            family=f"latency{unit}",
            needs_labels=False,
        )
        for unit, digits in UNITS
    ),
    *(
        Metric(
            f"latency_p{rank}{unit}",
            Direction.LOWER,
            (0.0, None),
            digits=digits,
            family=f"latency{unit}",
            aliases=(f"p{rank}_latency{unit}", *([f"latency_ms_p{rank}"] if unit else [])),
            needs_labels=False,
        )
        for unit, digits in UNITS
        for rank in (50, 90, 95, 99)
    ),
    Metric(
        "timeout_rate",
        Direction.LOWER,
        (0.0, 1.0),
        support="rows",
        proportion=True,
        family="failures",
        needs_labels=False,
    ),
    Metric(
        "throughput",
        Direction.NEITHER,
        (0.0, None),
        digits=1,
        aliases=("rps", "requests_per_second", "qps"),
        needs_labels=False,
    ),
)
