"""Deterministic metrics in volume: numpy's PCG64 with a fixed seed."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np

MODELS, DAYS = 1000, 730
METRICS = {
    "accuracy": 0.95,
    "precision": 0.94,
    "recall": 0.93,
    "f1_score": 0.935,
    "avg_confidence": 0.94,
    "brier": 0.06,
}
START = date(2023, 1, 1)
WORST_MODEL = "model-0618"
"""The only model that drops in the last three days; twenty others drop less, for a month."""
DEGRADED_MODELS = frozenset(f"model-{number:04d}" for number in range(40, 1000, 48))

_FORMATTED = np.array([f"{n / 10_000:.4f}" for n in range(10_001)])


def write_fleet(folder: Path) -> Path:
    """Write one file for each model, 42 MB in all, and return the folder."""
    rng = np.random.default_rng(20250629)
    days = np.array([f"{START + timedelta(days=n)}" for n in range(DAYS)])
    means = np.array(list(METRICS.values()))
    header = ",".join(["date", "count", *METRICS]) + "\n"
    for number in range(MODELS):
        model = f"model-{number:04d}"
        values = np.clip(means + rng.normal(0, 0.004, (DAYS, len(means))), 0, 1)
        if model == WORST_MODEL:
            values[-3:, :4] -= 0.4
        elif model in DEGRADED_MODELS:
            values[-30:, :1] -= 0.08
        counts = rng.integers(1000, 9999, DAYS).astype(str)
        columns = np.column_stack([days, counts, _FORMATTED[np.rint(values * 10_000).astype(int)]])
        text = header + "\n".join(map(",".join, columns.tolist())) + "\n"
        (folder / f"{model}.csv").write_text(text, encoding="ascii")
    return folder


def next_row(path: Path, **values: str) -> str:
    """Return a row for the day after the last of a file; other values are those of that last row."""
    head, *_, last = path.read_text(encoding="ascii").splitlines()
    cells = dict(zip(head.split(","), last.split(","), strict=True))
    cells["date"] = f"{date.fromisoformat(cells['date']) + timedelta(days=1)}"
    return ",".join((cells | values).values()) + "\n"


def append(path: Path, line: str) -> None:
    """Append a line to a file in one write."""
    with path.open("ab", buffering=0) as file:
        file.write(line.encode())


def write_million(path: Path) -> Path:
    """Write a million rows into one file, 100 models by 10,000 hours, and return its path."""
    rng = np.random.default_rng(20250630)
    hours = np.datetime64("2024-01-01T00:00") + np.arange(10_000).astype("timedelta64[h]")
    models = [f"model-{number:02d}" for number in range(100)]
    with path.open("w", encoding="ascii") as file:
        file.write("date,model,accuracy\n")
        for hour in np.datetime_as_string(hours).tolist():
            values = _FORMATTED[rng.integers(9000, 9900, len(models))].tolist()
            file.writelines(f"{hour},{model},{value}\n" for model, value in zip(models, values, strict=True))
    return path
