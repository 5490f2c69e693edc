"""What a training minimizes or maximizes, under the name of its part.

A loss has no bound of its own: a likelihood of densities falls below zero.
"""

from __future__ import annotations

from modeltop.core.metrics.registry import Metric, register
from modeltop.core.series import Direction

PARTS = (
    "box",
    "cls",
    "dfl",
    "obj",
    "seg",
    "sem",
    "mask",
    "pose",
    "kobj",
    "bbox",
    "rpn",
    "keypoint",
    "focal",
    "dice",
    "triplet",
    "contrastive",
    "kl",
    "mse",
    "l1",
    "l2",
    "mlm",
    "nsp",
    "lm",
    "ctc",
    "reconstruction",
    "elbo",
    "dpo",
    "classification",
    "regression",
)
"""First words of the names of losses; another word before `loss` may be money or packets."""

register(
    Metric(
        "loss",
        Direction.LOWER,
        family="loss",
        aliases=("total_loss", "avg_loss", "mean_loss", "average_loss", "objective_loss", "running_loss", "nloglik"),
    ),
    *(Metric(f"{part}_loss", Direction.LOWER, family="loss") for part in PARTS),
    Metric(
        "reward",
        Direction.HIGHER,
        aliases=(
            "mean_reward",
            "avg_reward",
            "average_reward",
            "episode_reward",
            "episode_return",
            "mean_episode_return",
            "episode_reward_mean",
            "ep_rew_mean",
        ),
    ),
)
