"""Alerts of NannyML's default thresholds on the logs of a folder; runs in an environment of its own.

python -m venv ENV && ENV/bin/pip install nannyml statsmodels
"""

import json
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
warnings.filterwarnings("ignore")


def main(folder: Path) -> None:
    """Print for each log and each set of rules the days on which something starts to alert."""
    import pandas as pd

    for path in sorted(folder.glob("*.json")):
        settings = json.loads(path.read_text(encoding="utf-8"))
        frame = pd.read_parquet(path.with_suffix(".parquet"))
        first = frame["day"].min() + settings["reference_days"]
        parts = frame[frame["day"] < first], frame[frame["day"] >= first]
        alerts = {"NannyML performance": _performance(parts, settings), "NannyML drift": _drift(parts, settings)}
        print(json.dumps({"log": path.stem, "alerts": alerts, "days": _days(parts[1])}), flush=True)


def _days(frame: Any) -> list[int]:
    return sorted(int(day) for day in frame["day"].unique())


def _drift(parts: tuple[Any, Any], settings: dict[str, Any]) -> dict[str, list[int]]:
    """Return by column the days that are beyond the default threshold of univariate drift."""
    import nannyml

    names = [*settings["features"], *settings["scores"].values(), "prediction"]
    categories = list(settings["categorical"]) + ([] if settings["task"] == "regression" else ["prediction"])
    reference, analysis = (part.astype(dict.fromkeys(categories, str)) for part in parts)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=names, treat_as_categorical=categories, timestamp_column_name="timestamp", chunk_period="D"
    )
    result = calculator.fit(reference).calculate(analysis).filter(period="analysis").to_df()
    days = _days(analysis)
    return {
        name: _true_days(result[(name, "jensen_shannon", "alert")], days)
        for name in names
        if (name, "jensen_shannon", "alert") in result
    }


def _true_days(flags: Any, days: list[int]) -> list[int]:
    return [day for day, flag in zip(days, flags, strict=True) if flag]


def _performance(parts: tuple[Any, Any], settings: dict[str, Any]) -> dict[str, list[int]]:
    """Return by metric the days beyond the reference's mean ± 3 deviations, realized and estimated."""
    days = {}
    for name, result, delay in _performances(parts, settings):
        table = result.filter(period="analysis").to_df()
        for metric in {column[0] for column in table if column[0] != "chunk"}:
            alerts = _true_days(table[(metric, "alert")], _days(parts[1])[: len(table)])
            days[f"{name} {metric}"] = [day + delay for day in alerts]
    return days


def _performances(parts: tuple[Any, Any], settings: dict[str, Any]) -> Iterator[tuple[str, Any, int]]:
    import nannyml

    is_regression, scores = settings["task"] == "regression", settings["scores"]
    if not (is_regression or scores):
        return  # NannyML measures no classes without their scores
    reference, analysis = (_labeled(part, settings) for part in parts)
    problem = "regression" if is_regression else f"classification_{settings['task']}"
    common: dict[str, Any] = {
        "y_true": "label",
        "y_pred": "prediction",
        "timestamp_column_name": "timestamp",
        "chunk_period": "D",
        "metrics": ["mae"] if is_regression else ["accuracy", "roc_auc"],
    }
    if scores:
        common["y_pred_proba"] = scores.get("", scores)
    known = analysis[analysis["label"].notna()]
    realized = nannyml.PerformanceCalculator(problem_type=problem, **common).fit(reference)
    yield "realized", realized.calculate(known), settings["label_delay"]
    if is_regression and settings["features"]:
        estimator = nannyml.DLE(feature_column_names=settings["features"], **common)
        yield "estimated", estimator.fit(reference).estimate(analysis), 0
    elif scores:
        estimator = nannyml.CBPE(problem_type=problem, **common)
        yield "estimated", estimator.fit(reference).estimate(analysis), 0


def _labeled(frame: Any, settings: dict[str, Any]) -> Any:
    """Return the log as NannyML wants it: classes as 0 and 1 or as text, scores of several classes that add up."""
    import pandas as pd

    if settings["task"] == "regression":
        return frame.assign(**{name: pd.factorize(frame[name])[0] for name in settings["categorical"]})
    if settings["task"] == "multiclass":
        scores = frame[list(settings["scores"].values())]
        # Logged scores are rounded, and scikit-learn's ROC AUC refuses sums further from 1 than rounding of floats.
        return frame.assign(**scores.div(scores.sum(axis=1), axis=0))
    labels = (frame["label"].astype(str) == settings["positive"]).astype(float).where(frame["label"].notna())
    return frame.assign(label=labels, prediction=(frame["prediction"].astype(str) == settings["positive"]).astype(int))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
