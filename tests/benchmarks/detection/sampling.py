"""Drawing tallies: chance, rows that stay from one period to the next, and rows that come in copies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.benchmarks.detection.populations import Floats, World


@dataclass(frozen=True)
class Noise:
    """How the periods of a healthy model differ from each other."""

    stay: float = 0.0
    """Share of a period's rows that are those of the period before: the values are then AR(1) with this φ."""
    copies: int = 1
    """Rows come in so many copies, so that values vary by its root more than their count says."""

    @property
    def name(self) -> str:
        """As it is printed."""
        return f"AR(1) φ={self.stay:g}" if self.stay else f"copies x{self.copies}" if self.copies > 1 else "independent"


INDEPENDENT = Noise()


def draw(
    world: World, changed: World, share: Floats, rows: Floats, noise: Noise, chance: np.random.Generator
) -> Floats:
    """Tallies by period over the cells of both worlds side by side, [K, 2 cells].

    Each of the n rows of a period is kept from the period before with chance `noise.stay`, else drawn anew; then the
    share of changed cases is drawn from the other world. So each period alone is multinomial, any metric that is a
    mean over rows has autocorrelation φ^k at lag k, and a change shows at once, whatever stays.

    Args:
        world: The healthy one.
        changed: What a changed case looks like.
        share: Share of changed cases by period.
        rows: Rows by period.
        noise: How periods hang together.
        chance: The source of randomness.
    """
    groups = np.maximum(np.rint(rows / noise.copies), 1).astype(np.int64)
    kept = _staying(world, groups, noise.stay, chance) if noise.stay else chance.multinomial(groups, world.chance)
    gone = chance.binomial(kept, np.clip(share, 0, 1)[:, None])
    came = chance.multinomial(gone.sum(axis=1), changed.chance)
    return noise.copies * np.concatenate([kept - gone, came], axis=1).astype(float)


def _staying(world: World, groups: np.ndarray, stay: float, chance: np.random.Generator) -> np.ndarray:
    out = np.empty((len(groups), len(world)), dtype=np.int64)
    before = chance.multinomial(groups[0], world.chance)
    for period, size in enumerate(groups):
        # Of fewer rows fewer can stay; the share that stays is of the smaller of the two periods.
        keep = chance.binomial(before, stay * min(1.0, size / max(before.sum(), 1)))
        spare = size - keep.sum()
        out[period] = before = keep + chance.multinomial(max(spare, 0), world.chance)
    return out
