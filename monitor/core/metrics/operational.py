"""Metrics of the service around a model: how fast it answers, and how often not at all."""

from __future__ import annotations

from functools import partial

from modeltop.core.metrics.registry import AT_LEAST_ZERO, HIGHER, LOWER, NEITHER, SHARE, metric, register

_latency = partial(metric, LOWER, AT_LEAST_ZERO, support="rows", family="latency", needs_labels=False)
_latency_ms = partial(metric, LOWER, AT_LEAST_ZERO, support="rows", digits=1, family="latency_ms", needs_labels=False)
_latency_quantile = partial(metric, LOWER, AT_LEAST_ZERO, family="latency", needs_labels=False)
_latency_ms_quantile = partial(metric, LOWER, AT_LEAST_ZERO, digits=1, family="latency_ms", needs_labels=False)
_failures = partial(metric, LOWER, SHARE, support="rows", proportion=True, family="failures", needs_labels=False)
_volume = partial(metric, NEITHER, AT_LEAST_ZERO, digits=1, needs_labels=False)
_per_request = partial(metric, LOWER, AT_LEAST_ZERO, support="rows", needs_labels=False)

register(
    # With and without the unit in the name: a column of seconds must not be called milliseconds.
    _latency(
        "latency",
        "avg_latency mean_latency average_latency response_time inference_time inference_latency "
        "prediction_latency request_latency latency_s latency_sec latency_seconds response_time_seconds "
        "request_latency_seconds",
    ),
    _latency_ms(
        "latency_ms",
        "avg_latency_ms mean_latency_ms average_latency_ms response_time_ms inference_time_ms "
        "inference_latency_ms prediction_latency_ms request_latency_ms",
    ),
    _latency_quantile("latency_p50", "p50_latency"),
    _latency_quantile("latency_p90", "p90_latency"),
    _latency_quantile("latency_p95", "p95_latency"),
    _latency_quantile("latency_p99", "p99_latency"),
    _latency_ms_quantile("latency_p50_ms", "p50_latency_ms latency_ms_p50"),
    _latency_ms_quantile("latency_p90_ms", "p90_latency_ms latency_ms_p90"),
    _latency_ms_quantile("latency_p95_ms", "p95_latency_ms latency_ms_p95"),
    _latency_ms_quantile("latency_p99_ms", "p99_latency_ms latency_ms_p99"),
    _failures("timeout_rate"),
    _volume(
        "throughput",
        "rps requests_per_second qps samples_per_second steps_per_second requests_per_sec "
        "predictions_per_second throughput_rps",
    ),
    _per_request("time_to_first_token", "ttft"),
    metric(LOWER, AT_LEAST_ZERO, "time_to_first_token_ms", "ttft_ms", support="rows", digits=1, needs_labels=False),
    metric(HIGHER, SHARE, "availability", "uptime service_availability", family="failures", needs_labels=False),
    _failures("failure_rate", "request_failure_rate http_error_rate exception_rate"),
    _per_request("cost_per_request", "cost_per_call"),
    _volume("tokens_per_second", "tokens_per_sec"),
    _volume("token_count", "total_tokens num_tokens completion_tokens prompt_tokens input_tokens output_tokens"),
    # How long a job ran: no quality of the model.
    _volume("runtime", "elapsed_time wall_clock_time duration_seconds"),
)
