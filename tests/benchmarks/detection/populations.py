"""Populations that a classifier predicts on: the joint distribution of score and label, healthy and after drift.

A population is a table of probabilities over cells; a cell is (score bin, label, predicted class, reported score).
Drift is a second table, and a period of which a share `a` has drifted samples from (1 - a) healthy + a drifted. So
all metrics of a period are computed from the same counts, and move together as they do in a real log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SCORE_BINS = 20
EVIDENCE_RANGE = 3.2
"""Half the range of the evidence behind a score, in standard deviations."""
OVERCONFIDENCE = 1.15
"""Factor between the logit of the reported score and that of the true rate: models tend to be overconfident."""


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Cells of a joint distribution; all arrays have one entry per cell."""

    probability: Floats
    """Sums to 1."""
    score_bin: NDArray[np.int64]
    """Index of the bin of the score, from low to high."""
    label: Floats
    predicted: Floats
    """1 where the model predicts the positive class."""
    score: Floats
    """The score that the model reports."""
    true_rate: Floats
    """Share of positives among the cases of that score in the reference."""

    def __len__(self) -> int:
        return len(self.probability)


@dataclass(frozen=True)
class Classifier:
    """A binary classifier whose evidence is normal within each class (the binormal model, Green & Swets 1966)."""

    prevalence: float = 0.5
    separation: float = 3.0
    """Distance of the two classes in standard deviations: the ROC AUC is Φ(separation / √2)."""
    threshold: float = 0.5
    """The positive class is predicted from this true rate on."""

    @cached_property
    def healthy(self) -> Population:
        """Population without drift: the one of the training data."""
        edges = np.linspace(-EVIDENCE_RANGE, EVIDENCE_RANGE, SCORE_BINS - 1) * max(1.0, self.separation / 2)
        bin_shares = []
        for mean in (-self.separation / 2, self.separation / 2):
            cdf = np.array([0.0, *(NormalDist(mean).cdf(edge) for edge in edges), 1.0])
            bin_shares.append(np.diff(cdf))
        negative, positive = (1 - self.prevalence) * bin_shares[0], self.prevalence * bin_shares[1]
        true_rate = positive / (positive + negative)
        score = _sigmoid(OVERCONFIDENCE * _logit(true_rate))
        predicted = (true_rate >= self.threshold).astype(float)
        bins = np.arange(SCORE_BINS)
        return Population(
            np.concatenate([negative, positive]),
            np.tile(bins, 2),
            np.repeat([0.0, 1.0], SCORE_BINS),
            np.tile(predicted, 2),
            np.tile(score, 2),
            np.tile(true_rate, 2),
        )


IMBALANCED = Classifier(prevalence=0.08, threshold=0.2)
Drift = Callable[[Population], Population]


def concept_drift(population: Population) -> Population:
    """Make labels independent of the scores; scores, predictions and the prevalence stay."""
    positive_rate = float(population.probability @ population.label)
    bin_probability = np.bincount(population.score_bin, population.probability)
    label_probability = np.where(population.label == 1, positive_rate, 1 - positive_rate)
    return replace(population, probability=bin_probability[population.score_bin] * label_probability)


def covariate_shift(population: Population) -> Population:
    """Weight the cases near the decision threshold more; the true rate of each score stays."""
    threshold = float(np.min(population.true_rate[population.predicted == 1]))
    distance = np.abs(_logit(population.true_rate) - _logit(np.array(threshold)))
    weighted = population.probability * np.exp(-distance)
    return replace(population, probability=weighted / weighted.sum())


def feature_loss(population: Population) -> Population:
    """Shrink the evidence to a third, as if a feature were lost: scores concentrate around the middle."""
    center = (SCORE_BINS - 1) / 2
    new_bin = np.rint(center + (population.score_bin - center) / 3).astype(np.int64)
    drifted = concept_drift(population)
    probability = np.zeros(len(population))
    np.add.at(probability, new_bin + SCORE_BINS * population.label.astype(np.int64), drifted.probability)
    return replace(population, probability=probability)


def recall_loss(population: Population) -> Population:
    """Score half of the true positives like false negatives: recall drops, and accuracy hardly with few positives."""
    lost = 0.5 * population.probability * population.label * population.predicted
    missed = np.where(
        (population.label == 1) & (population.predicted == 0), np.roll(population.probability, SCORE_BINS), 0.0
    )
    return replace(population, probability=population.probability - lost + lost.sum() * missed / missed.sum())


def underconfidence(population: Population) -> Population:
    """Halve the logit of the reported scores; their ranking, predictions and labels stay."""
    return replace(population, score=_sigmoid(0.5 * _logit(population.score)))


def mixture(healthy: Population, drifted: Population, share: float) -> Population:
    """Concatenate the cells of both; a `share` of the cases, 0 to 1, is of the drifted population."""
    fields = {name: np.concatenate([getattr(healthy, name), getattr(drifted, name)]) for name in Population.__slots__}
    fields["probability"] = np.concatenate([(1 - share) * healthy.probability, share * drifted.probability])
    return Population(**fields)


def _logit(probability: Floats) -> Floats:
    clipped = np.clip(probability, 1e-9, 1 - 1e-9)
    logit: Floats = np.log(clipped / (1 - clipped))
    return logit


def _sigmoid(logit: Floats) -> Floats:
    probability: Floats = 1 / (1 + np.exp(-logit))
    return probability
