"""The right answers, in words of this benchmark, and what modeltop calls them."""

from __future__ import annotations

from enum import Enum


class Answer(Enum):
    """What may be behind an alert."""

    INPUTS_SHIFTED = "inputs shifted"
    RELATION_CHANGED = "relation changed"
    LABEL_RATE = "label rate moved"
    INPUT_BROKEN = "input broken"
    SCORES_INVERTED = "scores inverted"
    LABELS_MISJOINED = "labels misjoined"
    MODEL_CHANGED = "model changed"
    VOLUME = "rows or labels missing"
    ONE_SEGMENT = "one segment"
    CHANCE = "chance"
    CALENDAR = "season or holiday"
    THRESHOLD = "threshold moved"
    MISCALIBRATED = "scores miscalibrated"
    MIX = "other cases or business"
    UNCLEAR = "unclear"


ANSWERS = {
    "data drift": Answer.INPUTS_SHIFTED,
    "feature drift": Answer.INPUTS_SHIFTED,
    "concept drift": Answer.RELATION_CHANGED,
    "label shift": Answer.LABEL_RATE,
    "broken input": Answer.INPUT_BROKEN,
    "inverted scores": Answer.SCORES_INVERTED,
    "misjoined labels": Answer.LABELS_MISJOINED,
    "model change": Answer.MODEL_CHANGED,
    "shared cause": Answer.UNCLEAR,
    "business change": Answer.MIX,
    "data outage": Answer.VOLUME,
    "one segment": Answer.ONE_SEGMENT,
    "sampling noise": Answer.CHANCE,
    "calendar effect": Answer.CALENDAR,
    "seasonality": Answer.CALENDAR,
    "threshold effect": Answer.THRESHOLD,
    "miscalibration": Answer.MISCALIBRATED,
    "unknown": Answer.UNCLEAR,
}
"""Answer by modeltop's name of a cause: a new cause is a line more."""


class Step(Enum):
    """What a verdict may advise first."""

    NOTHING = "nothing or wait"
    CHECK = "check what changed"
    COMPARE = "compare inputs"
    FIX_INPUT = "fix the pipeline"
    ROLL_BACK = "roll back"
    RECALIBRATE = "recalibrate"
    MOVE_THRESHOLD = "review the threshold"
    RETRAIN = "retrain"


STEPS = {
    "no action needed": Step.NOTHING,
    "wait": Step.NOTHING,
    "do not retrain": Step.NOTHING,
    "fix": Step.FIX_INPUT,
    "correct the input": Step.FIX_INPUT,
    "roll back": Step.ROLL_BACK,
    "recalibrate": Step.RECALIBRATE,
    "review the decision threshold": Step.MOVE_THRESHOLD,
    "retrain": Step.RETRAIN,
    "compare": Step.COMPARE,
    "check": Step.CHECK,
}
"""Step by the first words of a sentence; a ticket, or a number of labels beside it, is no step of its own."""


def step_of(sentence: str) -> Step | None:
    """Return the step that a sentence advises, None for one that advises none.

    >>> step_of("Retrain: 5,034 new labels since 1 May."), step_of("Do not retrain yet: needs 5 days.")
    (<Step.RETRAIN: 'retrain'>, <Step.NOTHING: 'nothing or wait'>)
    """
    return next((step for words, step in STEPS.items() if sentence.lower().startswith(words)), None)
