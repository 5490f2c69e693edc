"""Prediction logs of a world as a stranger would write them, as of a day."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tests.benchmarks.detection.front_door.kinds import Kind
from tests.benchmarks.detection.front_door.worlds import SEGMENT, Floats, Task, World

START = datetime(2026, 3, 2)  # noqa: DTZ001  a log's timestamps are naive; a Monday
HISTORY = 60
"""Healthy days before a fault."""
REFERENCE = 30
"""Days that drift is compared with."""
FAULT_AT = START + timedelta(days=HISTORY)
LABEL_DATE = "labeled_at"
"""Column of the moment at which a label is known, which the written log does not have."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log to the last day that is evaluated, with labels from the future."""

    world: World
    kind: Kind
    frame: pd.DataFrame

    def as_of(self, day: int) -> pd.DataFrame:
        """Return the rows and labels that are there at midnight, so many days after the start of the fault."""
        now = FAULT_AT + timedelta(days=day)
        frame = self.frame[self.frame["timestamp"] < now]
        return frame.assign(label=frame["label"].where(frame[LABEL_DATE] <= now)).drop(columns=LABEL_DATE)

    def write(self, path: Path, day: int) -> list[str]:
        """Write the log as of that day as Parquet, and return the options with which `compute` reads it."""
        self.as_of(day).to_parquet(path, index=False)
        reference = f"{START:%Y-%m-%d}..{START + timedelta(days=REFERENCE - 1):%Y-%m-%d}"
        options = ["--model", self.world.spec.name.replace(" ", "-"), "--segment", SEGMENT]
        options += ["--reference", reference] if self.kind.with_inputs else []
        if self.world.spec.task is Task.BINARY:
            options += ["--positive", str(self.world.classes[1])]
        for name in self.world.features if self.kind.with_inputs else ():
            options += ["--feature", name]
        for name, column in self.score_columns.items():
            options += ["--score", f"{name}={column}" if name else column]
        return options

    @property
    def score_columns(self) -> dict[str, str]:
        """Columns of the scores by class; by the empty name for a single one."""
        task = self.world.spec.task
        if task is Task.REGRESSION or not self.kind.with_inputs:
            return {}
        if task is Task.BINARY:
            return {"": "score"}
        return {str(name): f"p_{name}" for name in self.world.classes}


def simulate_log(world: World, kind: Kind, rows: int, seed: int) -> Log:
    """Return the log of a model that lives through a kind of fault.

    Args:
        world: The model and its population.
        kind: What happens.
        rows: Rows of a usual day.
        seed: Of the draws; the healthy days before a fault are the same for all kinds that leave them alone.
    """
    rng = np.random.default_rng([world.number, rows, seed])
    before = [_draw(world, kind, rows, day, rng) for day in range(-HISTORY, 0)]
    times = rng.random(sum(map(len, before)))
    rng = np.random.default_rng([world.number, rows, seed, zlib.crc32(kind.name.encode())])
    after = [_draw(world, kind, rows, day, rng) for day in range(max(kind.days))]
    index = np.concatenate([*before, *after])
    days = np.repeat(np.arange(-HISTORY, max(kind.days)), [len(part) for part in (*before, *after)])
    seconds = days * 86_400 + np.floor(86_400 * np.append(times, rng.random(len(index) - len(times))))
    frame = _rows(world, kind, index, days, seconds, rng)
    if kind.duplicates:
        twice = frame[(days >= 0) & (rng.random(len(frame)) < kind.duplicates)]
        frame = pd.concat([frame, twice]).sort_values("timestamp", kind="stable")
    return Log(world, kind, frame.reset_index(drop=True))


def _draw(world: World, kind: Kind, rows: int, day: int, rng: np.random.Generator) -> np.ndarray:
    """Return the indices of the rows of one day."""
    count = rng.poisson(rows * kind.volume(day))
    weights = kind.weights(world, day)
    if weights is None:
        return rng.integers(0, len(world.labels), count)
    cumulated = np.cumsum(weights / weights.sum())
    return np.searchsorted(cumulated, rng.random(count) * cumulated[-1])


def _rows(
    world: World, kind: Kind, index: np.ndarray, days: np.ndarray, seconds: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    is_after = days >= 0
    features = world.features.iloc[index].reset_index(drop=True)
    scores, labels = world.scores[index], world.labels[index]
    if kind.corrupt is not None and is_after.any():
        changed = kind.corrupt(world, features[is_after])
        features = pd.concat([features[~is_after], changed])
        scores = np.concatenate([scores[~is_after], world.score(changed)])
    if kind.rescore is not None:
        rescored = kind.rescore(world, features[is_after], scores[is_after])
        scores = np.concatenate([scores[~is_after], rescored])
    if kind.relabel is not None:
        relabeled = kind.relabel(world, index[is_after], labels[is_after], days[is_after], rng)
        labels = np.concatenate([labels[~is_after], relabeled])
    if kind.join is not None:
        labels = np.concatenate([labels[~is_after], kind.join(labels[is_after])])
    order = np.argsort(seconds, kind="stable")
    timestamps = np.datetime64(FAULT_AT, "us") + (seconds * 1e6).astype("timedelta64[us]")
    outputs = _outputs(world, kind, scores, is_after)
    logged = features if kind.with_inputs else features[[]]
    delay = world.spec.label_delay + np.where(is_after, kind.label_delay, 0)
    frame = pd.DataFrame({"timestamp": timestamps, SEGMENT: world.regions[index]})
    label = pd.Series(labels, name="label", dtype="Int64" if labels.dtype.kind == "i" else None)
    frame = pd.concat([frame, logged, outputs, label], axis=1)
    frame[LABEL_DATE] = timestamps + delay.astype("timedelta64[D]")
    frame = frame.iloc[order]
    frame.insert(1, "id", np.arange(len(frame)))
    return frame


def _outputs(world: World, kind: Kind, scores: Floats, is_after: np.ndarray) -> pd.DataFrame:
    """Return the predictions, and the scores rounded as services log them."""
    if world.is_regression:
        return pd.DataFrame({"prediction": np.round(scores[:, 0], 4)})
    if world.spec.task is Task.BINARY:
        score = np.round(scores[:, 1], 5)
        is_positive = score >= np.where(is_after, kind.threshold, 0.5)
        names = np.asarray(world.classes)
        outputs = {"prediction": names[is_positive.astype(int)], "score": score}
    else:
        names = np.asarray(world.classes, object)
        columns = {f"p_{name}": np.round(scores[:, number], 5) for number, name in enumerate(world.classes)}
        outputs = {"prediction": names[scores.argmax(axis=1)], **columns}
    return pd.DataFrame(outputs if kind.with_inputs else {"prediction": outputs["prediction"]})
