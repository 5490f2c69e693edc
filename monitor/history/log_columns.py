"""Usual names of the columns of prediction logs, by which a log is distinguished from metric history."""

from __future__ import annotations

import re
from collections.abc import Collection

COLUMN_ALIASES = {
    "timestamp": ("timestamp", "time", "datetime", "date", "ds", "predicted_at", "created_at", "event_time", "ts"),
    "prediction": ("prediction", "predicted", "y_pred", "pred", "yhat", "y_hat", "predicted_label", "predicted_class"),
    "label": ("label", "y_true", "target", "actual", "ground_truth", "outcome", "y", "true_label"),
    "score": ("score", "y_pred_proba", "y_score", "probability", "proba", "prob", "prediction_score", "y_prob"),
    "id": ("id", "prediction_id", "request_id", "row_id", "uuid"),
    "model": ("model", "model_name", "model_id"),
}
"""Usual names of columns by role, the likelier first."""


SCORE_WORDS = frozenset(("score", "scores", "proba", "prob", "probability", "probabilities", "confidence", "p"))
PREDICTION_WORDS = frozenset(
    ("pred", "preds", "predicted", "prediction", "yhat", "forecast", "decision", "decided", "estimate", "classified")
)
LABEL_WORDS = frozenset(("label", "actual", "actuals", "true", "truth", "target", "outcome", "gt", "observed", "real"))
TIME_WORDS = frozenset(("ts", "time", "timestamp", "date", "datetime", "at", "epoch", "day", "when"))
PREDICTED_AT_WORDS = frozenset(
    ("prediction", "predicted", "scored", "request", "event", "inference", "created", "logged")
)
"""Words in the name of the time that counts, where there are several."""
FILLERS = frozenset(("is", "was", "has", "had", "the", "y", "model", "class", "value", "of"))
MIN_STEM = 4
"""Letters that two words share at least at their start to be of one stem, such as churn and churned."""


def normalize_column(name: str) -> str:
    """Return the form in which names of columns are compared: case, spaces and dashes do not count."""
    return re.sub(r"[\s\-_]+", "_", name.strip().lower())


def guess_column(role: str, columns: Collection[str], used_names: Collection[str] = ()) -> str | None:
    """Return the column with a usual name of a role; None if there is none.

    Args:
        role: Key of `COLUMN_ALIASES`.
        columns: Names to choose from; case, spaces and dashes do not count.
        used_names: Names that have another role.
    """
    normalized = {normalize_column(name): name for name in columns}
    names = (normalized[alias] for alias in COLUMN_ALIASES[role] if alias in normalized)
    return next((name for name in names if name not in used_names), None)


def words(name: str) -> set[str]:
    """Return the words of a column's name, in lower case.

    >>> sorted(words("fraudScore")), sorted(words("is_fraud"))
    (['fraud', 'score'], ['fraud', 'is'])
    """
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    return {word for word in re.split(r"[\W_]+", spaced.lower()) if word}


def rest_of_words(name: str, role_words: Collection[str]) -> set[str]:
    """Return the words of a name without those of a role, and without fillers such as `is`."""
    return words(name) - set(role_words) - FILLERS


def is_namesake(label: str, output: str) -> bool:
    """Return whether a column is called like a prediction or a score, but for the words of their roles.

    >>> is_namesake("churned", "churn_score"), is_namesake("is_fraud", "fraudScore"), is_namesake("premium", "score")
    (True, True, False)
    """
    own, other = rest_of_words(label, LABEL_WORDS), rest_of_words(output, SCORE_WORDS | PREDICTION_WORDS)
    return any(_same_stem(first, second) for first in own for second in other)


def _same_stem(first: str, second: str) -> bool:
    if first == second:
        return True
    length = min(len(first), len(second))
    return length >= MIN_STEM and first[:length] == second[:length]
