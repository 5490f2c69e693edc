"""Writes the sample fleet: eight models, 180 days, with incidents planted on known dates.

    python sample_data/make_fleet.py [FOLDER]

Every random number comes from `random.Random.random()` seeded with the model's name: the one generator whose
sequence Python promises to keep. So the bytes are the same on every run and every machine, and changing one model
leaves the others as they are. What was planted is written beside the data, as `incidents.toml`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from random import Random

FIRST, LAST = date(2025, 1, 1), date(2025, 6, 29)

FADE = date(2025, 4, 20)
FADE_CENTRE = date(2025, 5, 20)
OUTAGE = date(2025, 6, 26)
RECALL_DECAY = date(2025, 4, 1)
CONFIDENCE_FALL = date(2025, 6, 13)
ACCURACY_FALL = date(2025, 6, 20)
SPIKE = date(2025, 5, 14)
SILENCE = date(2025, 6, 19)
GAP = (date(2025, 3, 30), date(2025, 3, 31))

Row = dict[str, str]


@dataclass(frozen=True)
class Level:
    """What is true of a classifier on one day, before chance."""

    prevalence: float
    recall: float
    specificity: float
    confidence: float


@dataclass(frozen=True)
class Incident:
    """What was planted, for tests and for people."""

    model: str
    kind: str
    metric: str
    start: date
    what: str
    end: date | None = None
    alert: date | None = None
    """The day on which a default floor fires, and from which they never rest."""


INCIDENTS = (
    Incident("fraud-detector", "fade", "accuracy", FADE, "recall fades as fraudsters adapt", alert=FADE_CENTRE),
    Incident("triage", "failure", "accuracy", OUTAGE, "fails overnight: an upstream unit changed", alert=OUTAGE),
    Incident("credit", "decay", "recall", RECALL_DECAY, "recall decays while accuracy holds: bad loans are rare"),
    Incident("churn", "early-warning", "avg_confidence", CONFIDENCE_FALL, "confidence falls a week before accuracy"),
    Incident("churn", "failure", "accuracy", ACCURACY_FALL, "accuracy follows the confidence of a week before"),
    Incident("ranker", "spike", "log_loss", SPIKE, "one bad day, over the next morning", end=SPIKE),
    Incident("recommender", "season", "click_through_rate", FIRST, "weekends are lower; nothing is wrong"),
    Incident("recommender", "gap", "*", GAP[0], "two days are missing", end=GAP[1]),
    Incident("search", "silence", "*", SILENCE, "stopped reporting: the first day without a row"),
    Incident("spam-filter", "healthy", "*", FIRST, "nothing is wrong"),
)


def days(first: date = FIRST, last: date = LAST) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def generator(model: str) -> Random:
    """The model's own chance."""
    return Random(model)  # noqa: S311  sample data is no secret


def hits(rng: Random, trials: int, chance: float) -> int:
    """How many of `trials` succeed."""
    return sum(rng.random() < chance for _ in range(trials))


def normal(rng: Random, mean: float, deviation: float) -> float:
    """A normal deviate, by Irwin and Hall: a sum of twelve uniforms has variance 1."""
    return mean + deviation * (sum(rng.random() for _ in range(12)) - 6)


def traffic(rng: Random, day: date, usual: int) -> int:
    """Rows of a day: a third fewer at weekends, a tenth up or down by chance."""
    weekly = 0.67 if day.weekday() >= 5 else 1.0
    return round(usual * weekly * (0.9 + 0.2 * rng.random()))


def ramp(day: date, start: date, end: date) -> float:
    """0 before `start`, 1 from `end` on, straight between."""
    return min(1.0, max(0.0, (day - start).days / max(1, (end - start).days)))


def ratio(part: float, whole: float) -> str:
    """A share with 4 decimals; empty where it is not defined."""
    return f"{part / whole:.4f}" if whole else ""


def classified(rng: Random, day: date, rows: int, level: Level) -> Row:
    """One day of a binary classifier: every share is read from one confusion matrix of `rows` cases."""
    positives = hits(rng, rows, level.prevalence)
    found = hits(rng, positives, level.recall)
    false_alarms = hits(rng, rows - positives, 1 - level.specificity)
    flagged = found + false_alarms
    return {
        "date": f"{day}",
        "count": f"{rows}",
        "accuracy": ratio(found + rows - positives - false_alarms, rows),
        "precision": ratio(found, flagged),
        "precision_count": f"{flagged}",
        "recall": ratio(found, positives),
        "recall_count": f"{positives}",
        "f1_score": ratio(2 * found, positives + flagged),
        # One prediction's confidence spreads by about 0.12; the mean of a day by as much over the root of its rows.
        "avg_confidence": f"{normal(rng, level.confidence, 0.12 / math.sqrt(rows)):.4f}",
    }


def classifier(model: str, usual: int, level: Callable[[date], Level]) -> list[Row]:
    """All days of one binary classifier."""
    rng = generator(model)
    return [classified(rng, day, traffic(rng, day, usual), level(day)) for day in days()]


def fraud(day: date) -> Level:
    """Flagged payments. A slow fade that steepens: at 0.90 it falls fast enough to cross once."""
    slow = ramp(day, FADE, FADE_CENTRE)
    steep = 0.0 if day < FADE else 1 / (1 + math.exp(-(day - FADE_CENTRE).days / 1.5))
    gone = 0.25 * slow + 0.75 * steep
    return Level(0.35, 0.935 - 0.23 * gone, 0.97 - 0.035 * gone, 0.95 - 0.05 * gone)


def triage(day: date) -> Level:
    """Urgent or not: fails from one day to the next."""
    return Level(0.40, 0.935, 0.962, 0.93) if day < OUTAGE else Level(0.40, 0.70, 0.89, 0.91)


def credit(day: date) -> Level:
    """Bad loans are rare: the model flags ever fewer of them, and accuracy hardly moves."""
    gone = ramp(day, RECALL_DECAY, LAST)
    return Level(0.08, 0.72 - 0.27 * gone, 0.975 + 0.018 * gone, 0.94)


def churn(day: date) -> Level:
    """Customers who leave: hard to tell, so accuracy stands at 0.84 on its good days."""
    confidence = 0.82 - 0.08 * ramp(day, CONFIDENCE_FALL - timedelta(days=1), CONFIDENCE_FALL + timedelta(days=2))
    wrong = ramp(day, ACCURACY_FALL - timedelta(days=1), ACCURACY_FALL + timedelta(days=2))
    return Level(0.25, 0.65 - 0.15 * wrong, 0.905 - 0.06 * wrong, confidence)


def spam(_: date) -> Level:
    """Nothing is wrong with it."""
    return Level(0.30, 0.955, 0.992, 0.975)


def recommender() -> list[Row]:
    """Weekday and weekend differ: a rule on yesterday's value alone would cry every Saturday."""
    rng, rows = generator("recommender"), []
    for day in days():
        weekend = day.weekday() >= 5
        shown = traffic(rng, day, 4200)
        clicks = hits(rng, shown, 0.094 if weekend else 0.128)
        found = hits(rng, shown, 0.415 if weekend else 0.478)
        quality = normal(rng, 0.317 if weekend else 0.361, 0.28 / math.sqrt(shown))
        if not GAP[0] <= day <= GAP[1]:
            rows.append(
                {
                    "date": f"{day}",
                    "count": f"{shown}",
                    "ndcg_at_10": f"{quality:.4f}",
                    "hit_rate_at_10": ratio(found, shown),
                    "hit_rate_at_10_count": f"{shown}",
                    "click_through_rate": ratio(clicks, shown),
                }
            )
    return rows


def search() -> list[Row]:
    """Reports well, then not at all."""
    rng, rows = generator("search"), []
    for day in days(last=SILENCE - timedelta(days=1)):
        queries = traffic(rng, day, 3600)
        rows.append(
            {
                "date": f"{day}",
                "count": f"{queries}",
                "ndcg_at_10": f"{normal(rng, 0.642, 0.25 / math.sqrt(queries)):.4f}",
                "mrr": f"{normal(rng, 0.581, 0.33 / math.sqrt(queries)):.4f}",
                "click_through_rate": ratio(hits(rng, queries, 0.312), queries),
            }
        )
    return rows


def ranker() -> list[Row]:
    """One bad day. Written in the long shape: one row a number."""
    rng, rows = generator("ranker"), []
    for day in days(first=LAST - timedelta(days=119)):
        count, bad = traffic(rng, day, 2800), day == SPIKE
        values = {
            "ndcg_at_10": normal(rng, 0.436 if bad else 0.618, 0.26 / math.sqrt(count)),
            "roc_auc": normal(rng, 0.702 if bad else 0.821, 0.40 / math.sqrt(count)),
            "log_loss": normal(rng, 0.871 if bad else 0.452, 0.45 / math.sqrt(count)),
        }
        for metric, value in values.items():
            rows.append(
                {"date": f"{day}", "model": "ranker", "metric": metric, "value": f"{value:.4f}", "count": f"{count}"}
            )
    return rows


def risk() -> list[Row]:
    """Two models in one file, told apart by its `model` column."""
    named = [
        {"date": row["date"], "model": model, **row}
        for model, usual, level in (("churn", 2200, churn), ("credit", 3400, credit))
        for row in classifier(model, usual, level)
    ]
    return sorted(named, key=lambda row: row["date"])


def table(rows: list[Row]) -> str:
    """The rows as CSV; no cell needs a quote."""
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


def planted() -> str:
    """The incidents as TOML."""
    head = (
        "# What make_fleet.py planted. `start` is the first day concerned, `end` the last (none: it goes on),\n"
        "# `alert` the day on which a default floor fires (none: they have no reason to).\n"
    )
    return "\n".join([head, *map(entry, INCIDENTS)])


def entry(incident: Incident) -> str:
    """One incident; no text in it needs an escape."""
    lines = ["[[incident]]"]
    for field in fields(incident):
        value = getattr(incident, field.name)
        if value is not None:
            lines.append(f"{field.name} = {value}" if isinstance(value, date) else f'{field.name} = "{value}"')
    return "\n".join(lines) + "\n"


def files() -> dict[str, str]:
    """Every file of the fleet, by name."""
    return {
        "fraud-detector.csv": table(classifier("fraud-detector", 4500, fraud)),
        "ranker-long.csv": table(ranker()),
        "recommender.csv": table(recommender()),
        "risk.csv": table(risk()),
        "search.csv": table(search()),
        "spam-filter.csv": table(classifier("spam-filter", 3900, spam)),
        "triage.csv": table(classifier("triage", 1300, triage)),
        "incidents.toml": planted(),
    }


def main(folder: Path) -> None:
    """Write every file into `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "fleet")
