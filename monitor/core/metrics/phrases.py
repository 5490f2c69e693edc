"""Metrics and their values in sentences, the same in text, HTML, messages and on the screen."""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric
from modeltop.core.series import SeriesKey
from modeltop.core.text import sanitize

MAX_COUNT = 1e15
MAX_NAME = 40
METRIC_NAMES = {"avg_confidence": "confidence", "f1_score": "F1", "roc_auc": "ROC AUC", "mae": "MAE", "rmse": "RMSE"}
"""Names of metrics in a sentence; others are written as in the data."""


def safe_name(text: str) -> str:
    """Return a foreign name fit for a clause."""
    return sanitize(text, MAX_NAME)


def metric_name(name: str) -> str:
    """Return the name of a metric in a sentence."""
    return METRIC_NAMES.get(name, safe_name(name))


def series_subject(key: SeriesKey) -> str:
    """Return the metric of a series, and its segment unless that is all."""
    name = metric_name(key.metric)
    return name if key.segment == "all" else f"{name} of {safe_name(key.segment)}"


def format_values(metric: Metric, *values: float) -> list[str]:
    """Return values with the digits of their metric, without zeros at the end that all of them have.

    >>> format_values(Metric("accuracy"), 0.96, 0.87), format_values(Metric("accuracy"), 0.951, 0.84)
    (['0.96', '0.87'], ['0.951', '0.840'])
    >>> format_values(Metric("rows", digits=0), 3816.0, 303.2)
    ['3,816', '303']
    """
    if metric.digits == 0 and all(abs(value) < MAX_COUNT for value in values):
        return [f"{value:,.0f}" for value in values]
    texts = [metric.format(value) for value in values]
    while all("e" not in text and len(text.partition(".")[2]) > 2 and text.endswith("0") for text in texts):
        texts = [text[:-1] for text in texts]
    return texts


def format_change(metric: Metric, before: float, after: float) -> str:
    """Return the values before and after, such as `0.957→0.846`."""
    return "→".join(format_values(metric, before, after))
