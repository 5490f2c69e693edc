"""The world that a classifier meets: how likely each score is together with each label, before and after a change.

A world is a table of chances over cells; a cell is (score bin, label, decision, which score is told). A change is a
second table, and a period in which a share `a` of the cases has changed draws from (1 - a) healthy + a changed. So
every metric of a period comes from one tally of cases, and they move together as they do in a real log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 20
REACH = 3.2
"""The evidence behind a score, in standard deviations, runs from minus to plus this."""
SURER = 1.15
"""What the model says is this much surer (in logits) than what it knows: models are."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Chances of cells; all arrays have one entry a cell, and `chance` sums to 1."""

    chance: Floats
    rank: NDArray[np.int64]
    """Bin of the score, from low to high."""
    label: Floats
    decided: Floats
    """1 where the model says yes."""
    told: Floats
    """The score as the model tells it."""
    meant: Floats
    """What that score meant in the reference: the share of yes among such cases."""

    def __len__(self) -> int:
        return len(self.chance)


@dataclass(frozen=True)
class Classifier:
    """A binary classifier whose evidence is normal within each class (the binormal model, Green & Swets 1966)."""

    prevalence: float = 0.5
    separation: float = 3.0
    """Distance of the two classes in standard deviations: the ROC AUC is Φ(separation / √2)."""
    threshold: float = 0.5
    """It says yes where the chance of yes is at least this."""

    @cached_property
    def healthy(self) -> World:
        """The world it was made for."""
        edges = np.linspace(-REACH, REACH, BINS - 1) * max(1.0, self.separation / 2)
        shares = []
        for centre in (-self.separation / 2, self.separation / 2):
            below = np.array([0.0, *(NormalDist(centre).cdf(edge) for edge in edges), 1.0])
            shares.append(np.diff(below))
        no, yes = (1 - self.prevalence) * shares[0], self.prevalence * shares[1]
        meant = yes / (yes + no)
        told = _squashed(SURER * _logit(meant))
        decided = (meant >= self.threshold).astype(float)
        bins = np.arange(BINS)
        return World(
            np.concatenate([no, yes]),
            np.tile(bins, 2),
            np.repeat([0.0, 1.0], BINS),
            np.tile(decided, 2),
            np.tile(told, 2),
            np.tile(meant, 2),
        )


Change = Callable[[World], World]


def concept(world: World) -> World:
    """Labels follow the scores no more; scores, decisions and the share of yes stay as they are."""
    yes = float(world.chance @ world.label)
    by_bin = np.bincount(world.rank, world.chance)
    return replace(world, chance=by_bin[world.rank] * np.where(world.label == 1, yes, 1 - yes))


def harder(world: World) -> World:
    """Covariate shift: more of the cases that the model has always found hard; a score means what it meant."""
    edge = float(np.min(world.meant[world.decided == 1]))
    far = np.abs(_logit(world.meant) - _logit(np.array(edge)))
    weighed = world.chance * np.exp(-far)
    return replace(world, chance=weighed / weighed.sum())


def rarer(world: World) -> World:
    """Label shift: fewer cases of yes, each scored as such cases always were."""
    no = world.chance * (1 - world.label)
    return replace(world, chance=no / no.sum())


def blinded(world: World) -> World:
    """A feature is lost: evidence shrinks to a third, so scores crowd around the middle and know less of the label."""
    middle = (BINS - 1) / 2
    near = np.rint(middle + (world.rank - middle) / 3).astype(np.int64)
    blurred = concept(world)
    moved = np.zeros(len(world))
    np.add.at(moved, near + BINS * world.label.astype(np.int64), blurred.chance)
    return replace(world, chance=moved)


def missed(world: World) -> World:
    """Half of the yes that were found are scored like a no: recall falls, and accuracy hardly where yes are rare."""
    lost = 0.5 * world.chance * world.label * world.decided
    like = np.where((world.label == 1) & (world.decided == 0), np.roll(world.chance, BINS), 0.0)
    return replace(world, chance=world.chance - lost + lost.sum() * like / like.sum())


def eager(world: World) -> World:
    """The threshold was lowered by one bin of the score: more yes, of which fewer are right."""
    first = int(np.min(world.rank[world.decided == 1]))
    return replace(world, decided=(world.rank >= first - 1).astype(float))


def boastful(world: World) -> World:
    """The model tells scores twice as sure as it is entitled to; order and decisions stay."""
    return replace(world, told=_squashed(2 * _logit(world.told)))


def unsure(world: World) -> World:
    """The model tells half as sure scores; order, decisions and labels stay."""
    return replace(world, told=_squashed(0.5 * _logit(world.told)))


def joined(healthy: World, changed: World, share: float) -> World:
    """Both side by side, of which `share` of the cases lives in the changed one."""
    parts = {name: np.concatenate([getattr(healthy, name), getattr(changed, name)]) for name in World.__slots__}
    parts["chance"] = np.concatenate([(1 - share) * healthy.chance, share * changed.chance])
    return World(**parts)


def _logit(share: Floats) -> Floats:
    kept = np.clip(share, 1e-9, 1 - 1e-9)
    found: Floats = np.log(kept / (1 - kept))
    return found


def _squashed(logit: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-logit))
    return found
