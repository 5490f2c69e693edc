"""Kinds of faults and of healthy life: what happens to the log from a day on, and what would be right to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tests.benchmarks.detection.front_door.answers import Answer, Step
from tests.benchmarks.detection.front_door.worlds import Floats, Task, World, rank

ALL_TASKS = (Task.BINARY, Task.MULTICLASS, Task.REGRESSION)
CLASSIFICATION = ALL_TASKS[:2]
BINARY = ALL_TASKS[:1]
DAYS = (1, 3, 7, 14)
"""Days after the start of a fault as of which the log is evaluated."""
HARMFUL = frozenset((Step.RETRAIN, Step.ROLL_BACK, Step.RECALIBRATE, Step.MOVE_THRESHOLD, Step.FIX_INPUT))
"""Steps that change something: wrong wherever they are not right."""
CHECKS = frozenset((Step.CHECK, Step.COMPARE))

LOST_REGION, LOST_SHARE = "south", 0.3
"""Segment of which rows go missing, and its share of all rows."""

Relabel = Callable[[World, np.ndarray, np.ndarray, Floats, np.random.Generator], np.ndarray]
"""Returns labels by world, indices of the rows, labels and days since the start."""


def _no_weights(world: World, day: int) -> Floats | None:
    return None


def _steady(day: int) -> float:
    return 1.0


@dataclass(frozen=True)
class Kind:
    """One kind; each hook has the days since the start of the fault, which are negative before it."""

    name: str
    right: frozenset[Answer]
    """Causes that are right, if there is an alert."""
    steps: frozenset[Step]
    """First steps that are right."""
    tasks: tuple[Task, ...] = ALL_TASKS
    is_healthy: bool = False
    """Whether an alert is false: nothing is wrong with the model or its data."""
    is_upstream: bool = False
    """Whether data, labels, serving or volume are at fault, and retraining would do harm."""
    is_double: bool = False
    """Whether two faults come at once, and both are to be named."""
    needs_categories: bool = False
    """Whether it happens to a categorical feature."""
    days: tuple[int, ...] = DAYS
    weights: Callable[[World, int], Floats | None] = _no_weights
    """Probabilities of the rows of the population by day, not normalized; None: all alike."""
    volume: Callable[[int], float] = _steady
    """Rows of a day, as a multiple of the usual ones."""
    relabel: Relabel | None = None
    corrupt: Callable[[World, pd.DataFrame], pd.DataFrame] | None = None
    """Changes features before the model sees them."""
    rescore: Callable[[World, pd.DataFrame, Floats], Floats] | None = None
    """Returns the scores of another model or of another way to serve it."""
    join: Callable[[np.ndarray], np.ndarray] | None = None
    """Returns the labels as they are joined to the rows."""
    threshold: float = 0.5
    label_delay: int = 0
    """Days by which labels come later."""
    duplicates: float = 0.0
    """Share of the rows that are logged twice."""
    note: str = ""
    """Note of a person of that day."""
    calendar: str = ""
    """Days that the configuration names as a holiday."""
    with_inputs: bool = True
    """Whether features and scores are logged; else predictions and labels alone."""


def _answers(*answers: Answer) -> frozenset[Answer]:
    return frozenset(answers)


def _steps(*steps: Step) -> frozenset[Step]:
    return frozenset(steps)


def _shift_to_doubt(world: World, day: int) -> Floats | None:
    """Return weights of rows that are hard for the model and have a high value of its best feature."""
    if day < 0:
        return None
    return np.exp(2.0 * world.doubt + 2.5 * _high(world, 0))


def _high(world: World, position: int) -> Floats:
    return rank(world.features[world.numeric[position]].to_numpy(float))


def _shift_labels(world: World, day: int) -> Floats | None:
    """Return weights by which the odds of the last class are five times as high, and each class is as it was."""
    return None if day < 0 else np.where(world.labels == world.classes[-1], 5.0, 1.0)


def _relabel(share: Callable[[Floats], Floats]) -> Relabel:
    """Return the change of the relation: in half of the population labels no longer depend on the inputs."""

    def relabel(
        world: World, rows: np.ndarray, labels: np.ndarray, days: Floats, rng: np.random.Generator
    ) -> np.ndarray:
        is_changed = (_high(world, 0)[rows] >= 0.5) & (rng.random(len(rows)) < share(days))
        return _change(world, labels, is_changed, rng)

    return relabel


def _change(world: World, labels: np.ndarray, is_changed: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return labels of which some are permuted among themselves, so that their shares stay; numbers rise."""
    changed = labels.copy()
    changed[is_changed] = rng.permutation(labels[is_changed])
    if world.is_regression:
        changed = np.where(is_changed, labels + world.labels.std(), labels)
    return changed


def _relabel_segment(
    world: World, rows: np.ndarray, labels: np.ndarray, days: Floats, rng: np.random.Generator
) -> np.ndarray:
    del days
    return _change(world, labels, (world.regions[rows] == "south") & (rng.random(len(rows)) < 0.8), rng)


def _constant(world: World, features: pd.DataFrame) -> pd.DataFrame:
    name = world.numeric[0]
    return features.assign(**{name: float(world.features[name].quantile(0.9))})


def _null(world: World, features: pd.DataFrame) -> pd.DataFrame:
    return features.assign(**{world.numeric[0]: np.nan})


def _hundredfold(world: World, features: pd.DataFrame) -> pd.DataFrame:
    name = world.numeric[0]
    return features.assign(**{name: features[name] * 100})


def _unseen(world: World, features: pd.DataFrame) -> pd.DataFrame:
    name = world.categorical[0]
    return features.assign(**{name: features[name].map(lambda value: f"{value}_v2".upper())})


def _swapped(world: World, features: pd.DataFrame) -> pd.DataFrame:
    first, second = world.numeric[:2]
    return features.assign(**{first: features[second], second: features[first]})


def _inverted(world: World, features: pd.DataFrame, scores: Floats) -> Floats:
    """Return the scores of the classes in the reverse order: of two classes 1 - score."""
    del world, features
    return scores[:, ::-1]


def _bad_release(world: World, features: pd.DataFrame, scores: Floats) -> Floats:
    del scores
    return world.score(features, world.bad_model)


def _sharpened(world: World, features: pd.DataFrame, scores: Floats) -> Floats:
    """Return scores at a temperature of a third: the same decisions, far too sure of them."""
    del world, features
    sharp = np.clip(scores, 1e-9, 1.0) ** 3
    return np.asarray(sharp / sharp.sum(axis=1, keepdims=True))


def _misjoined(labels: np.ndarray) -> np.ndarray:
    """Return labels that belong to other rows of about the same time."""
    return np.roll(labels, 7)


def _is_holiday(day: int) -> bool:
    """Return whether it is one of the two days after the start, or of those three and six weeks before."""
    return day in (0, 1, -21, -20, -42, -41)


def _holiday_guests(world: World, day: int) -> Floats | None:
    return np.exp(1.5 * world.doubt) if _is_holiday(day) else None


def _large_holiday_effect(world: World, day: int) -> Floats | None:
    return np.exp(8.0 * world.doubt) if _is_holiday(day) else None


def _first_holiday(world: World, day: int) -> Floats | None:
    return np.exp(8.0 * world.doubt) if day in (0, 1) else None


def _fewer_in_segment(world: World, day: int) -> Floats | None:
    return None if day < 0 else np.where(world.regions == LOST_REGION, 0.1, 1.0)


def _less_segment(day: int) -> float:
    return 1.0 if day < 0 else 1 - 0.9 * LOST_SHARE


def _is_weekend(day: int) -> bool:
    return day % 7 in (5, 6)


def _weekend_guests(world: World, day: int) -> Floats | None:
    return np.exp(1.2 * world.doubt) if _is_weekend(day) else None


def _other_mix(world: World, day: int) -> Floats | None:
    """Return weights by which one region sends far more rows than before; each is as it was."""
    return None if day < 0 else np.where(world.regions == "west", 5.0, 1.0)


def _new_customers(world: World, day: int) -> Floats | None:
    """Return weights of rows with a low value of a feature that matters little."""
    return None if day < 0 else np.exp(-3.0 * _high(world, -1))


def _noisy_volume(day: int) -> float:
    return float(np.random.default_rng(day + 1000).uniform(0.03, 0.12))


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "covariate drift",
            _answers(Answer.INPUTS_SHIFTED, Answer.MIX),
            CHECKS | _steps(Step.RETRAIN),
            weights=_shift_to_doubt,
        ),
        Kind(
            "concept drift, sudden",
            _answers(Answer.RELATION_CHANGED),
            CHECKS | _steps(Step.RETRAIN, Step.NOTHING),
            relabel=_relabel(lambda days: np.full(len(days), 0.8)),
        ),
        Kind(
            "concept drift, slow",
            _answers(Answer.RELATION_CHANGED),
            CHECKS | _steps(Step.RETRAIN, Step.NOTHING),
            days=(3, 7, 14, 28),
            relabel=_relabel(lambda days: np.clip(0.9 * (days + 1) / 28, 0, 0.9)),
        ),
        Kind(
            "label shift",
            _answers(Answer.LABEL_RATE, Answer.MIX),
            CHECKS | _steps(Step.RECALIBRATE, Step.MOVE_THRESHOLD),
            CLASSIFICATION,
            weights=_shift_labels,
        ),
        *(
            Kind(
                f"feature {name}",
                _answers(Answer.INPUT_BROKEN),
                _steps(Step.FIX_INPUT, Step.CHECK, Step.COMPARE),
                is_upstream=True,
                corrupt=corrupt,
            )
            for name, corrupt in (("constant", _constant), ("null", _null), ("x100", _hundredfold))
        ),
        Kind(
            "categories unseen",
            _answers(Answer.INPUT_BROKEN),
            _steps(Step.FIX_INPUT, Step.CHECK, Step.COMPARE),
            is_upstream=True,
            needs_categories=True,
            corrupt=_unseen,
        ),
        Kind(
            "columns swapped",
            _answers(Answer.INPUT_BROKEN),
            _steps(Step.FIX_INPUT, Step.CHECK, Step.COMPARE),
            is_upstream=True,
            corrupt=_swapped,
        ),
        Kind(
            "scores inverted",
            _answers(Answer.SCORES_INVERTED, Answer.MODEL_CHANGED),
            _steps(Step.CHECK, Step.ROLL_BACK),
            CLASSIFICATION,
            is_upstream=True,
            rescore=_inverted,
        ),
        Kind(
            "labels misjoined",
            _answers(Answer.LABELS_MISJOINED),
            _steps(Step.CHECK),
            is_upstream=True,
            join=_misjoined,
        ),
        Kind(
            "bad release",
            _answers(Answer.MODEL_CHANGED),
            _steps(Step.CHECK, Step.ROLL_BACK),
            is_upstream=True,
            rescore=_bad_release,
        ),
        Kind(
            "bad release, noted",
            _answers(Answer.MODEL_CHANGED, Answer.MIX),
            _steps(Step.ROLL_BACK),
            is_upstream=True,
            rescore=_bad_release,
            note="release 2.0",
        ),
        Kind(
            "one segment",
            _answers(Answer.ONE_SEGMENT),
            CHECKS,
            relabel=_relabel_segment,
        ),
        Kind(
            "scores sharpened",
            _answers(Answer.MISCALIBRATED, Answer.MODEL_CHANGED),
            _steps(Step.RECALIBRATE, Step.CHECK, Step.ROLL_BACK),
            CLASSIFICATION,
            is_upstream=True,
            rescore=_sharpened,
        ),
        Kind(
            "threshold moved",
            _answers(Answer.THRESHOLD),
            _steps(Step.MOVE_THRESHOLD, Step.CHECK),
            BINARY,
            is_upstream=True,
            threshold=0.8,
        ),
        Kind(
            "rows down",
            _answers(Answer.VOLUME),
            _steps(Step.FIX_INPUT, Step.CHECK),
            is_upstream=True,
            volume=lambda day: 0.1 if day >= 0 else 1.0,
        ),
        Kind(
            "no rows",
            _answers(Answer.VOLUME),
            _steps(Step.FIX_INPUT, Step.CHECK),
            is_upstream=True,
            volume=lambda day: 0.0 if day >= 0 else 1.0,
        ),
        Kind(
            "rows down in a segment",
            _answers(Answer.VOLUME),
            _steps(Step.FIX_INPUT, Step.CHECK),
            is_upstream=True,
            weights=_fewer_in_segment,
            volume=_less_segment,
        ),
        Kind(
            "holidays, large effect",
            _answers(Answer.CALENDAR),
            _steps(Step.NOTHING),
            weights=_large_holiday_effect,
            volume=lambda day: 0.3 if _is_holiday(day) else 1.0,
        ),
        Kind(
            "holidays, configured",
            _answers(Answer.CALENDAR),
            _steps(Step.NOTHING),
            weights=_first_holiday,
            volume=lambda day: 0.3 if day in (0, 1) else 1.0,
            calendar="05-01..05-02",
        ),
        Kind(
            "two at once",
            _answers(Answer.INPUT_BROKEN, Answer.INPUTS_SHIFTED),
            _steps(Step.FIX_INPUT, Step.CHECK, Step.COMPARE),
            is_upstream=True,
            is_double=True,
            weights=_shift_to_doubt,
            corrupt=lambda world, features: features.assign(**{world.numeric[1]: np.nan}),
        ),
        Kind(
            "concept, no inputs logged",
            _answers(Answer.UNCLEAR),
            _steps(Step.CHECK, Step.NOTHING),
            relabel=_relabel(lambda days: np.full(len(days), 0.8)),
            with_inputs=False,
        ),
        *(
            Kind(name, right, steps, is_healthy=True, **hooks)
            for name, right, steps, hooks in (
                ("healthy", _answers(Answer.CHANCE), _steps(Step.NOTHING), {}),
                ("few and noisy rows", _answers(Answer.CHANCE), _steps(Step.NOTHING), {"volume": _noisy_volume}),
                (
                    "weekly season",
                    _answers(Answer.CALENDAR, Answer.CHANCE),
                    _steps(Step.NOTHING),
                    {"weights": _weekend_guests, "volume": lambda day: 0.5 if _is_weekend(day) else 1.0},
                ),
                (
                    "holidays",
                    _answers(Answer.CALENDAR, Answer.CHANCE),
                    _steps(Step.NOTHING, Step.CHECK),
                    {"weights": _holiday_guests, "volume": lambda day: 0.3 if _is_holiday(day) else 1.0},
                ),
                (
                    "other mix",
                    _answers(Answer.MIX, Answer.INPUTS_SHIFTED, Answer.ONE_SEGMENT, Answer.CHANCE),
                    CHECKS | _steps(Step.NOTHING),
                    {"weights": _other_mix},
                ),
                (
                    "new customers",
                    _answers(Answer.MIX, Answer.INPUTS_SHIFTED),
                    CHECKS | _steps(Step.NOTHING),
                    {"weights": _new_customers},
                ),
                (
                    "rows twice",
                    _answers(Answer.VOLUME, Answer.CHANCE),
                    _steps(Step.NOTHING, Step.CHECK, Step.FIX_INPUT),
                    {"duplicates": 0.4},
                ),
                (
                    "labels late",
                    _answers(Answer.VOLUME),
                    _steps(Step.NOTHING, Step.CHECK, Step.FIX_INPUT),
                    {"label_delay": 6},
                ),
            )
        ),
    )
}
