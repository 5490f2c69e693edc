"""Error rates and confusion of predicted patterns, by the conditions under which they are wrong."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from modeltop.core.stats.intervals import wilson

MAX_EXAMPLES = 4
"""Indices of wrong predictions that are printed, so that their histories can be simulated again."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """True and predicted class of one history."""

    truth: str
    predicted: str
    index: int
    """Of the history in its scenario."""
    conditions: tuple[tuple[str, str], ...] = ()
    """Names and values of what may make it hard, such as ("rows", "200")."""

    @property
    def correct(self) -> bool:
        """Whether the predicted class is the true one."""
        return self.predicted == self.truth


def error_percent(predictions: Sequence[Prediction]) -> float:
    """Return the percentage of wrong predictions."""
    return 100 * sum(not prediction.correct for prediction in predictions) / len(predictions)


def format_interval(predictions: Sequence[Prediction], unit: str) -> str:
    """Format the number of predictions and the 95 % interval of the error rate (Wilson 1927, JASA 22).

    >>> format_interval([Prediction("spike", "spike", 0), Prediction("spike", "steady", 1)], "courses")
    'of 2 courses, all kinds alike; 95 % 9.5 to 90.5'
    """
    bounds = wilson(error_percent(predictions) / 100, len(predictions))
    assert bounds is not None, "there are answers"
    return f"of {len(predictions)} {unit}, all kinds alike; 95 % {100 * bounds[0]:.1f} to {100 * bounds[1]:.1f}"


def format_predictions(predictions: Sequence[Prediction]) -> str:
    """Format a row of the confusion matrix, the conditions of the errors, and examples of them.

    >>> format_predictions([Prediction("spike", "spike", 0), Prediction("spike", "steady", 1, (("rows", "200"),))])
    'spike 50%, steady 50%; wrong by rows 200: 1/1; wrong are 1'
    """
    counts = Counter(prediction.predicted for prediction in predictions)
    parts = [", ".join(f"{name} {number / len(predictions):.0%}" for name, number in counts.most_common())]
    errors = [prediction for prediction in predictions if not prediction.correct]
    if errors:
        parts += [f"wrong by {name} {breakdown}" for name, breakdown in _errors_by_condition(predictions)]
        ellipsis = ", ..." if len(errors) > MAX_EXAMPLES else ""
        parts.append("wrong are " + ", ".join(str(prediction.index) for prediction in errors[:MAX_EXAMPLES]) + ellipsis)
    return "; ".join(parts)


def _errors_by_condition(predictions: Sequence[Prediction]) -> list[tuple[str, str]]:
    """Return each condition with the number of errors and of predictions at its values."""
    errors: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for prediction in predictions:
        for name, value in prediction.conditions:
            errors[name][value].append(not prediction.correct)
    return [
        (name, ", ".join(f"{value}: {sum(flags)}/{len(flags)}" for value, flags in values.items() if any(flags)))
        for name, values in errors.items()
    ]
