"""Writes a small prediction log: a churn model, 30 days, 200 predictions a day, labels that arrive days later.

    python sample_data/make_predictions.py [FILE]

What is planted: from 2025-06-21 on an upstream table delivers `tenure` in quarters instead of months, so that the model
takes loyal customers for new ones; a share of the labels of the last three days has not arrived yet. Random numbers
come from `random.Random.random()` alone, and the archive holds no moment of its making: the bytes are always the same.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

FIRST = datetime(2025, 6, 1, tzinfo=UTC)
DAYS, A_DAY = 30, 200
BROKEN = datetime(2025, 6, 21, tzinfo=UTC)
ARRIVED = (0.9, 0.4, 0.0)
"""Share of labels that are known of the last three days."""
HEADER = ("id", "timestamp", "country", "plan", "tenure", "calls", "score", "prediction", "churned")
COUNTRIES, PLANS = ("AT", "CH", "DE"), ("basic", "family", "premium")


def churns(months: float, calls: int) -> float:
    """How likely a customer leaves who has been there for so many months and has complained in so many calls."""
    return 1 / (1 + math.exp(-(11 - 0.7 * months + 1.6 * calls)))


def rows() -> Iterator[tuple[object, ...]]:
    """The log, in the order of time."""
    random = Random("predictions").random  # noqa: S311  data, no secret
    for number in range(DAYS * A_DAY):
        when = FIRST + timedelta(days=number // A_DAY, seconds=int(86_400 * (number % A_DAY + random()) / A_DAY))
        months, calls = int(1 + 71 * random() ** 1.5), int(-2.2 * math.log(1 - random()))
        country, plan = COUNTRIES[int(3 * random())], PLANS[int(3 * random() ** 1.4)]
        true = churns(months, calls)
        seen = months if when < BROKEN else months / 3
        score = churns(seen, calls)
        label: object = int(random() < true)
        left = DAYS - 1 - number // A_DAY
        if left < len(ARRIVED) and random() >= ARRIVED[len(ARRIVED) - 1 - left]:
            label = ""
        tenure = seen if when < BROKEN else f"{seen:.2f}"
        yield (f"c{number:05}", f"{when:%Y-%m-%dT%H:%M:%SZ}", country, plan, tenure, calls, f"{score:.4f}",
               int(score >= 0.5), label)  # fmt: skip


def archive() -> bytes:
    """The log as gzipped CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows())
    return gzip.compress(text.getvalue().encode(), mtime=0)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "predictions.csv.gz"
    target.write_bytes(archive())
