"""Usual names of the columns of prediction logs, by which a log is distinguished from metric history."""

from __future__ import annotations

import re
from collections.abc import Collection

COLUMN_ALIASES = {
    "timestamp": ("timestamp", "time", "datetime", "date", "ds", "predicted_at", "created_at", "event_time"),
    "prediction": ("prediction", "predicted", "y_pred", "pred", "yhat", "y_hat", "predicted_label", "predicted_class"),
    "label": ("label", "y_true", "target", "actual", "ground_truth", "outcome", "y", "true_label"),
    "score": ("score", "y_pred_proba", "y_score", "probability", "proba", "prob", "prediction_score", "y_prob"),
    "id": ("id", "prediction_id", "request_id", "row_id", "uuid"),
    "model": ("model", "model_name", "model_id"),
}
"""Usual names of columns by role, the likelier first."""


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
