"""The sample fleet as if it were today, and a live feed in which an incident unfolds within a minute."""

from __future__ import annotations

import csv
import io
import math
import random
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Self

from modeltop.core.errors import SourceError


def samples_folder() -> Path:
    """The folder of the sample data: `modeltop/_samples` in a wheel, `sample_data` in a checkout.

    Raises:
        SourceError: Neither is there.
    """
    home = Path(__file__).resolve().parents[1]
    for candidate in (home / "_samples", home.parent / "sample_data"):
        if candidate.is_dir():
            return candidate
    raise SourceError("the sample data was not installed with this package: reinstall modeltop")


LIVE_MODEL = "checkout-fraud"
STEP = timedelta(seconds=2)
"""Between two rows of the live feed."""
PAST_ROWS = 240
HEALTHY_ROWS = 8
"""Rows of the feed before the incident begins: time to read the screen first."""
FALLING_ROWS = 16
"""Rows over which accuracy falls from its level to its lowest."""
HEADER = "date,count,accuracy,precision,precision_count,recall,recall_count,f1_score,avg_confidence\n"

CONFIG = """\
# The rules of the demo; see README for all keys.
[[rules]]
name = "accuracy-floor"
metric = "accuracy"
model = "checkout-fraud"
warn = { below = 0.92 }
critical = { below = 0.90 }
margin = 0.005
confirm = 2
recover = 2

[[rules]]
name = "accuracy-fraud-and-triage"
metric = "accuracy"
model = "[ft]*"
critical = { below = 0.90 }

[[rules]]
name = "confidence-of-churn"
metric = "avg_confidence"
model = "churn"
warn = { below = 0.77 }
confirm = 2
"""


def set_up(target: Path, now: datetime) -> None:
    """Copy the fleet into `target`, its newest day moved to that of `now`, and add the live model and the rules.

    Args:
        target: An empty folder.
        now: Aware; the live model's past ends here.
    """
    files = {path: path.read_text(encoding="utf-8") for path in sorted((samples_folder() / "fleet").glob("*.csv"))}
    newest = max(day for text in files.values() for day in _days(text))
    shift = now.astimezone(UTC).date() - newest
    for path, text in files.items():
        (target / path.name).write_text(shift_dates(text, shift), encoding="utf-8")
    (target / "modeltop.toml").write_text(CONFIG, encoding="utf-8")
    noise = random.Random(7)  # noqa: S311  the demo is the same every time
    rows = [live_row(now - STEP * back, 0.0, noise) for back in range(PAST_ROWS, 0, -1)]
    live_file(target).write_text(HEADER + "".join(rows), encoding="utf-8")


def live_file(target: Path) -> Path:
    """The file that the feed appends to."""
    return target / f"{LIVE_MODEL}.csv"


def _days(text: str) -> Iterator[date]:
    for row in csv.DictReader(io.StringIO(text)):
        yield date.fromisoformat(row["date"])


def shift_dates(text: str, shift: timedelta) -> str:
    r"""A CSV whose first column is a date, each moved by `shift`.

    >>> shift_dates("date,x\n2025-01-01,1\n", timedelta(days=31))
    'date,x\n2025-02-01,1\n'
    """
    header, *rows = text.splitlines()
    out = [header]
    for row in rows:
        day, comma, rest = row.partition(",")
        out.append(f"{date.fromisoformat(day) + shift}{comma}{rest}")
    return "\n".join(out) + "\n"


def incident_progress(row: int) -> float:
    """How far the incident has come at a row of the feed: 0 before it begins, 1 when it is fully there.

    >>> incident_progress(0), incident_progress(HEALTHY_ROWS + FALLING_ROWS)
    (0.0, 1.0)
    """
    return min(1.0, max(0.0, (row - HEALTHY_ROWS) / FALLING_ROWS))


def live_row(when: datetime, fall: float, noise: random.Random) -> str:
    """One period of the live model; its rates come from one simulated table of outcomes.

    Args:
        when: Its start, aware.
        fall: 0 healthy, 1 at its worst: recall down by a third.
        noise: Where chance comes from.
    """
    count = noise.randint(900, 1100)
    positives = round(count * 0.3)
    hits = _share(positives, 0.93 - 0.30 * fall, noise)
    false_alarms = _share(count - positives, 0.02 + 0.02 * fall, noise)
    flagged = hits + false_alarms
    accuracy = (hits + count - positives - false_alarms) / count
    precision, recall = hits / flagged, hits / positives
    f1 = 2 * hits / (positives + flagged)
    confidence = 0.95 - 0.06 * fall + noise.gauss(0, 0.003)
    stamp = when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"{stamp},{count},{accuracy:.4f},{precision:.4f},{flagged},{recall:.4f},{positives},{f1:.4f},{confidence:.4f}\n"
    )


def _share(count: int, probability: float, noise: random.Random) -> int:
    """A binomial draw by its normal approximation, which is plenty for a demonstration."""
    spread = math.sqrt(count * probability * (1 - probability))
    return min(count, max(0, round(noise.gauss(count * probability, spread))))


class DemoFeed:
    """Appends a row to the live model every two seconds until it is stopped."""

    def __init__(self, target: Path) -> None:
        self._path = live_file(target)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-feed", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        noise = random.Random(11)  # noqa: S311  the demo is the same every time
        row = 0
        while not self._stop.wait(STEP.total_seconds()):
            try:
                with self._path.open("ab", buffering=0) as file:
                    file.write(live_row(datetime.now(UTC), incident_progress(row), noise).encode("ascii"))
            except OSError:
                return  # the folder is gone: the demo is over
            row += 1
