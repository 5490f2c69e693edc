"""Metrics of the service around a model: how fast it answers, and how often not at all."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

AT_LEAST_ZERO = (0.0, None)
SHARE = (0.0, 1.0)
UNITS = (("", 3), ("_ms", 1))
MEAN_LATENCIES = (
    *("avg_latency", "mean_latency", "average_latency", "response_time", "inference_time"),
    *("inference_latency", "prediction_latency", "request_latency"),
)
SECONDS = ("latency_s", "latency_sec", "latency_seconds", "response_time_seconds", "request_latency_seconds")

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
            aliases=(*(f"{name}{unit}" for name in MEAN_LATENCIES), *(() if unit else SECONDS)),
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
        aliases=(
            "rps",
            "requests_per_second",
            "qps",
            "samples_per_second",
            "steps_per_second",
            "requests_per_sec",
            "predictions_per_second",
            "throughput_rps",
        ),
        needs_labels=False,
    ),
    *(
        Metric(
            f"time_to_first_token{unit}",
            Direction.LOWER,
            AT_LEAST_ZERO,
            support="rows",
            digits=digits,
            aliases=(f"ttft{unit}",),
            needs_labels=False,
        )
        for unit, digits in (("", 3), ("_ms", 1))
    ),
    Metric(
        "availability",
        Direction.HIGHER,
        SHARE,
        family="failures",
        aliases=("uptime", "service_availability"),
        needs_labels=False,
    ),
    Metric(
        "failure_rate",
        Direction.LOWER,
        SHARE,
        support="rows",
        proportion=True,
        family="failures",
        aliases=("request_failure_rate", "http_error_rate", "exception_rate"),
        needs_labels=False,
    ),
    Metric(
        "cost_per_request",
        Direction.LOWER,
        AT_LEAST_ZERO,
        support="rows",
        aliases=("cost_per_call",),
        needs_labels=False,
    ),
    Metric(
        "tokens_per_second", Direction.NEITHER, AT_LEAST_ZERO, digits=1, aliases=("tokens_per_sec",), needs_labels=False
    ),
    Metric(
        "token_count",
        Direction.NEITHER,
        AT_LEAST_ZERO,
        digits=1,
        aliases=("total_tokens", "num_tokens", "completion_tokens", "prompt_tokens", "input_tokens", "output_tokens"),
        needs_labels=False,
    ),
    # How long a job ran: no quality of the model.
    Metric(
        "runtime",
        Direction.NEITHER,
        AT_LEAST_ZERO,
        digits=1,
        aliases=("elapsed_time", "wall_clock_time", "duration_seconds"),
        needs_labels=False,
    ),
)
