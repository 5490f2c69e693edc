"""Alerts of Evidently's default drift rules on the logs of a folder; runs in an environment of its own.

python -m venv ENV && ENV/bin/pip install evidently 'pandas<3'
"""

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ["DO_NOT_TRACK"] = "1"
warnings.filterwarnings("ignore")


def main(folder: Path) -> None:
    """Print for each log the days on which half of the columns drift, and those on which any column does."""
    import pandas as pd

    for path in sorted(folder.glob("*.json")):
        settings = json.loads(path.read_text(encoding="utf-8"))
        frame = pd.read_parquet(path.with_suffix(".parquet"))
        counts = _drifted_columns(frame, settings)
        alerts = {
            "Evidently dataset": {"dataset": [day for day, (_, share) in counts.items() if share >= DRIFT_SHARE]},
            "Evidently any column": {"column": [day for day, (count, _) in counts.items() if count]},
        }
        print(json.dumps({"log": path.stem, "alerts": alerts, "days": sorted(counts)}), flush=True)


DRIFT_SHARE = 0.5
"""Share of drifted columns from which on Evidently's preset calls a data set drifted."""


def _drifted_columns(frame: Any, settings: dict[str, Any]) -> dict[int, tuple[float, float]]:
    """Return by day the number and the share of the columns that drift by the tests that Evidently chooses."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import DriftedColumnsCount

    categories = list(settings["categorical"]) + ([] if settings["task"] == "regression" else ["prediction"])
    names = [*settings["features"], *settings["scores"].values(), "prediction"]
    numbers = [name for name in names if name not in categories]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    frame = frame.astype(dict.fromkeys(categories, str))
    reference = frame.loc[frame["day"] < frame["day"].min() + settings["reference_days"], names]
    reference_set = Dataset.from_pandas(reference.reset_index(drop=True), definition)
    counts = {}
    for day in settings["days"]:
        current = frame.loc[frame["day"] == day, names].reset_index(drop=True)
        # An empty day, or a column without a value, is refused; the latter would be seen by a count of nulls.
        usable = [name for name in names if current[name].notna().any()] if len(current) else []
        if not usable:
            continue
        report = Report([DriftedColumnsCount(columns=usable)])
        (metric,) = report.run(Dataset.from_pandas(current, definition), reference_set).dict()["metrics"]
        counts[day] = float(metric["value"]["count"]), float(metric["value"]["share"])
    return counts


if __name__ == "__main__":
    main(Path(sys.argv[1]))
