"""One seeded model history after another, each with what was planted in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from modeltop.core.diagnosis import Cause, Pattern
from modeltop.core.metrics.registry import MetricRegistry
from modeltop.core.series import DATETIME_DTYPE, History
from modeltop.history.merge import Block, merge_blocks
from tests.benchmarks.detection.columns import NO_SHIFT, Shift, columns, drifted_share
from tests.benchmarks.detection.ground_truth import MODEL, Case, Truth
from tests.benchmarks.detection.metrics import deviation, level, read
from tests.benchmarks.detection.populations import Change, Classifier, Floats, concept, joined
from tests.benchmarks.detection.sampling import INDEPENDENT, Noise, draw

FIRST = np.datetime64("2025-01-06", "us")
"""A Monday."""
CATALOG = MetricRegistry()
UNEVEN = 0.03
"""The row count of a period lies within so much of the usual one."""
CUTS = {"country=de": 0.5, "country=fr": 0.3, "country=us": 0.2}
NEW_CUT, NEW_SHARE = "country=br", 0.3


@dataclass(frozen=True)
class Scenario:
    """A kind of history."""

    kind: str
    pattern: Pattern
    cause: Cause | None = None
    shape: str = "sudden"
    """`steady`, `sudden`, `fading`, `spike`, `weekends`, `mended` (comes back), or `improving` (was bad before)."""
    change: Change = concept
    classifier: Classifier = field(default_factory=Classifier)
    metric: str = "accuracy"
    segment: str = "all"
    cuts: bool = False
    """Whether segments are logged; always where one of them falls."""
    lead: Change | None = None
    """What the scores of all cases look like from `ahead` periods before the change on: confidence first."""
    ahead: int = 7
    shift: Shift | None = None
    """What happens to the columns of the log; None where none is logged."""
    volume: float = 1.0
    """Rows per period after the change, as a share of those before."""
    newcomer: bool = False
    """Whether a segment that was not there before brings the change."""
    note: str | None = None
    """What people wrote on the day of the change."""
    logged: tuple[str, ...] | None = None
    """Metrics that are logged; None: all."""
    share: float | None = None
    """Share of changed cases, where the size is not given in deviations of the metric."""


@dataclass(frozen=True)
class Frame:
    """How long, how many, how large, how noisy."""

    before: int = 90
    after: int = 60
    rows: int = 1000
    size: float = 4.0
    fade: int = 30
    """Periods that a fading takes."""
    noise: Noise = INDEPENDENT

    @property
    def periods(self) -> int:
        """In all."""
        return self.before + self.after


def course(shape: str, frame: Frame) -> Floats:
    """How much of the change has happened, 0 to 1, by period."""
    age = np.arange(frame.periods) - frame.before
    weekday = np.arange(frame.periods) % 7
    shapes = {
        "steady": np.zeros(frame.periods),
        "sudden": (age >= 0) * 1.0,
        "fading": np.clip((age + 1) / frame.fade, 0, 1),
        "spike": (age == 0) * 1.0,
        "weekends": (weekday >= 5) * 1.0,
        "mended": ((age >= 0) & (age < frame.after - 15)) * 1.0,
        "improving": (age < 0) * 1.0,
    }
    return shapes[shape]


@lru_cache(maxsize=4096)
def share_for(classifier: Classifier, change: Change, metric: str, fall: float) -> float:
    """Share of changed cases that lowers the metric by `fall`. Raises ValueError where all of them do not."""
    healthy = classifier.healthy
    changed = change(healthy)
    start = level(metric, healthy)
    sign = 1 if CATALOG.get(metric).better.value == "higher" else -1

    def fallen(share: float) -> float:
        return sign * (start - level(metric, joined(healthy, changed, share)))

    low, high = 0.0, 1.0
    if fallen(high) < fall:
        raise ValueError(f"{metric} falls by {fallen(high):.4f} at most, not by {fall:.4f}")
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if fallen(middle) < fall else (low, middle)
    return high


def history(scenario: Scenario, frame: Frame, seed: int, index: int) -> Case:
    """The `index`-th history of a scenario; equal arguments give equal histories."""
    chance = np.random.default_rng([seed, index])
    truth, share = _planted(scenario, frame)
    path = course(scenario.shape, frame)
    times = (FIRST + np.arange(frame.periods) * np.timedelta64(1, "D")).astype(DATETIME_DTYPE)
    rows = np.rint(frame.rows * (1 + UNEVEN * chance.uniform(-1, 1, frame.periods)))
    if truth.begin is not None and scenario.volume != 1:
        rows[truth.begin :] = np.rint(rows[truth.begin :] * scenario.volume)
    blocks = _classified(scenario, frame, times, share * path, rows, chance)
    if scenario.shift is not None:
        moving = path if scenario.shape != "steady" or scenario.shift == NO_SHIFT else course("sudden", frame)
        blocks += _columned(scenario.shift, times, moving, rows, chance)
    series = {one.key: one for block in blocks for one in merge_blocks([_logged(block, scenario.logged)], CATALOG)}
    notes = ((frame.before, scenario.note),) if scenario.note else ()
    return Case(truth, History(series, {MODEL: times}), notes)


def _planted(scenario: Scenario, frame: Frame) -> tuple[Truth, float]:
    part = _cuts(scenario)[scenario.segment] if scenario.segment != "all" else 1.0
    healthy = scenario.classifier.healthy
    mean = level(scenario.metric, healthy)
    spread = deviation(scenario.metric, healthy, frame.rows * part) * frame.noise.copies**0.5
    still = scenario.shape == "steady"
    size = 0.0 if still else frame.size
    share = 0.0 if still else scenario.share
    if share is None:
        share = share_for(scenario.classifier, scenario.change, scenario.metric, frame.size * spread)
    elif not still:
        there = joined(healthy, scenario.change(healthy), share)
        size = abs(level(scenario.metric, there) - mean) / spread
    eventful = not still or scenario.shift not in (None, NO_SHIFT) or scenario.volume != 1
    begin = frame.before if eventful and scenario.shape != "weekends" else None
    truth = Truth(
        scenario.kind,
        scenario.metric,
        scenario.segment,
        begin,
        size,
        scenario.pattern,
        scenario.cause,
        mean,
        spread,
    )
    return truth, share


def _cuts(scenario: Scenario) -> dict[str, float]:
    return dict(CUTS) if scenario.cuts or scenario.newcomer or scenario.segment != "all" else {}


def _classified(
    scenario: Scenario, frame: Frame, times: np.ndarray, share: Floats, rows: Floats, chance: np.random.Generator
) -> list[Block]:
    """The metrics over all rows, and over each segment where they are logged."""
    healthy = scenario.classifier.healthy
    changed = scenario.change(healthy)
    both = joined(healthy, changed, 0.0)
    still = np.zeros_like(share)
    tallies: dict[str, Floats] = {}
    cuts = _cuts(scenario)
    for name, part in (cuts or {"all": 1.0}).items():
        own = share if scenario.segment in ("all", name) and not scenario.newcomer else still
        tallies[name] = draw(healthy, changed, own, np.rint(rows * part), frame.noise, chance)
    if scenario.newcomer:
        came = np.rint(rows * NEW_SHARE * (np.arange(frame.periods) >= frame.before))
        tallies[NEW_CUT] = draw(healthy, changed, np.ones_like(share), np.maximum(came, 1), frame.noise, chance)
        tallies[NEW_CUT][came == 0] = 0
    if cuts:
        tallies = {"all": np.sum(list(tallies.values()), axis=0), **tallies}
    blocks = []
    for name, counts in tallies.items():
        values, supports = read(counts, both, scenario.logged)
        if scenario.lead is not None:
            early = np.arange(frame.periods) >= frame.before - scenario.ahead
            led, _ = read(counts, scenario.lead(both), scenario.logged)
            values = {metric: np.where(early, led[metric], column) for metric, column in values.items()}
        seen = counts.sum(axis=1) > 0
        values = {metric: np.where(seen, column, np.nan) for metric, column in values.items()}
        blocks.append(Block(MODEL, name, times, values, supports, rows=counts.sum(axis=1)))
    return blocks


def _columned(shift: Shift, times: np.ndarray, path: Floats, rows: Floats, chance: np.random.Generator) -> list[Block]:
    blocks, distances = [], []
    for name, values, full in columns(shift, path, rows, chance):
        blocks.append(Block(MODEL, f"feature={name}", times, values, {"psi": full, "js_distance": full}, rows=rows))
        distances.append(values["js_distance"])
    share = {"drifted_share": drifted_share(distances)}
    counted = {"drifted_share": np.full(len(times), float(len(distances)))}
    return [*blocks, Block(MODEL, "all", times, share, counted, rows=rows)]


def _logged(block: Block, names: tuple[str, ...] | None) -> Block:
    if names is None:
        return block
    kept = {name: column for name, column in block.values.items() if name in names}
    return Block(block.model, block.segment, block.times, kept, block.supports, rows=block.rows)
