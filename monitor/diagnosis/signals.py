"""Signals that several causes share: dominant segments, expectation against outcome, ranking, thresholds."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from modeltop.core.diagnosis import (
    ROW_COUNT,
    BeforeAfter,
    ExpectedVsRealized,
    Pattern,
    SegmentContribution,
    SegmentShare,
)
from modeltop.core.metrics.phrases import format_change, metric_name
from modeltop.core.series import Direction, to_datetime
from modeltop.core.stats.distributions import jensen_shannon
from modeltop.core.text import format_day, format_value
from modeltop.diagnosis.before_after import compare
from modeltop.diagnosis.context import ALL, CONFIDENCE
from modeltop.diagnosis.observations import ESTIMATED, Observations
from modeltop.diagnosis.phrases import UNMOVED_BELOW, describe_month, followed_ratio
from modeltop.diagnosis.segments import Segmentation
from modeltop.diagnosis.timeseries.pattern import DECLINES, MIN_CONFIDENCE
from modeltop.rules.detectors.volume import MAX_SHARE

RECENT_DAYS = 28
"""Age of a slide up to which its start is a day, not a part of a month."""
VERBS = {Direction.HIGHER: ("dropped", "has slid", "fell"), Direction.LOWER: ("jumped", "has risen", "rose")}
"""Verbs of a sudden and a gradual change, and of one whose pattern is uncertain, by the better direction."""
MIN_DOMINANT_SHARE = 0.6
"""Ratio of the fall from which one segment dominates it."""
MIN_OVERREPRESENTATION = 1.3
"""Ratio of a dominant segment's part of the fall to its part of the cases."""
COMPARABLE_FALL = 0.3
"""Ratio to the dominant segment's fall from which another segment fell as well."""
RANKING = ("roc_auc", "average_precision", "gini")
"""Metrics of order alone: no threshold, no calibration."""
SKILLS = {"roc_auc": (2, 0.5), "gini": (1, 0.0), "mcc": (1, 0.0), "cohen_kappa": (1, 0.0), "r2": (1, 0.0)}
"""Metrics of skill: the factor and the value of guessing by which each is 1 at best and 0 for a guess."""
MIN_SKILL, MAX_LOST_SKILL, MAX_LOST_SLOWLY, MAX_INVERTED_SKILL = 0.2, 0.2, 0.1, -0.5
"""Skill before, and the ratios to it up to which none is left, overnight or slowly, and up to which it is reversed."""
MIN_SHUFFLED_R2 = -1.2
"""R² below which labels are not merely shuffled: that adds the variance of the predictions, no larger than theirs."""
MAX_MIRROR_ERROR = 0.05
"""Distance from 1 - p up to which a share of positives that was p is that of reversed labels."""
MIN_LABELS_MOVED = 1 / 3, 0.05
"""Ratio to the rarer class, and difference, from which the share of positives moved far."""
MAX_FOLLOWED_DISTANCE = 1.1
"""Ratio to the distance of the labels up to which a feature may only follow them: both are estimates."""
MIN_CONFIDENCE_CHANGE = 0.03
"""Change of the average confidence from which the scores have moved."""
MIN_CHANGE = 0.003
"""Change of precision and recall below which it does not matter, however significant."""


def dominant_segment(observations: Observations) -> tuple[Segmentation, SegmentContribution] | None:
    """Return the segment that contributes most, of all columns; None if in no column one fell alone."""
    dominant = [
        (segmentation, contribution)
        for segmentation in observations.segmentations
        if (contribution := _dominant_segment(observations, segmentation)) is not None
    ]
    return max(dominant, key=lambda pair: abs(pair[1].total), default=None)


def dominant_share(observations: Observations) -> SegmentShare | None:
    """Return how much of the fall the dominant segment makes; None without one."""
    dominant = dominant_segment(observations) if observations.focus is not None else None
    if dominant is None:
        return None
    segmentation, contribution = dominant
    ratio = contribution.total / sum(other.total for other in segmentation.contributions)
    return SegmentShare(contribution.segment, min(1.0, ratio), contribution.total)


def _dominant_segment(observations: Observations, segmentation: Segmentation) -> SegmentContribution | None:
    """Return the segment that makes most of the fall, far more than its part of the cases, while no other fell."""
    first = segmentation.contributions[0]
    total = sum(contribution.total for contribution in segmentation.contributions)
    change = segmentation.before_after.get(first.segment)
    if not total or change is None or not observations.got_worse(change):
        return None
    others = [other for segment, other in segmentation.before_after.items() if segment != first.segment]
    min_loss = COMPARABLE_FALL * observations.loss(change)
    if any(other.is_significant and observations.loss(other) > min_loss for other in others):
        return None
    contribution = first.total / total
    return first if contribution >= max(MIN_DOMINANT_SHARE, MIN_OVERREPRESENTATION * first.share[1]) else None


def lost_rows(observations: Observations) -> list[BeforeAfter]:
    """Return the row counts of segments that fell by more than half, and further than all; the largest loss first."""
    series, windows = observations.context.series, observations.windows
    rows = observations.before_after.get(ROW_COUNT)
    limit = 0.5 if rows is None or not rows.before else min(0.5, MAX_SHARE * rows.after / rows.before)
    counts = (each for each in series if each.key.metric == ROW_COUNT and each.key.segment != ALL)
    changes = [] if windows is None else [compare(each, windows) for each in counts]
    lost = (each for each in changes if each and each.is_significant and each.after < limit * each.before)
    return sorted(lost, key=lambda change: change.delta)


MIN_LEAD_DAYS, MAX_LEAD_DAYS = 3, 30
"""Days by which a fall of confidence precedes that of the metric: starts are known within a few periods."""


def confidence_lead(observations: Observations) -> datetime | None:
    """Return when confidence started to fall, if that was days before the metric did; else None."""
    confidence = next((other for other in observations.other_patterns if other.key.metric == CONFIDENCE), None)
    pattern, pair = observations.pattern, best_pair(observations)
    if confidence is None or pattern is None or pair is None or followed_ratio(pair) <= UNMOVED_BELOW:
        return None
    if confidence.started_at is None or pattern.started_at is None or confidence.pattern not in DECLINES:
        return None
    days = (pattern.started_at - confidence.started_at).days
    return confidence.started_at if MIN_LEAD_DAYS <= days <= MAX_LEAD_DAYS else None


def worsened_pairs(observations: Observations) -> tuple[ExpectedVsRealized, ...]:
    """Return the pairs whose realized metric got significantly worse."""
    return tuple(pair for pair in observations.pairs if observations.got_worse(pair.realized))


def best_pair(observations: Observations) -> ExpectedVsRealized | None:
    """Return the most reliable pair: an estimate before confidence, as it is calibrated; None without any."""
    pairs = worsened_pairs(observations)
    return next((pair for pair in pairs if pair.expected.key.metric.startswith(ESTIMATED)), pairs[0] if pairs else None)


def linear_ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to `low`, 1 from `high` on, linear between.

    >>> linear_ramp(0.5, 0.0, 1.0), linear_ramp(2.0, 0.0, 1.0)
    (0.5, 1.0)
    """
    return min(1.0, max(0.0, (value - low) / (high - low)))


def held_ranking(observations: Observations) -> BeforeAfter | None:
    """Return a ranking metric that held; None if none did."""
    ranking = filter(None, map(observations.before_after.get, RANKING))
    return next((change for change in ranking if _holds(observations, change)), None)


def _holds(observations: Observations, change: BeforeAfter) -> bool:
    """Return whether a change is not significant, or a loss of less than a twentieth of the distance to 1."""
    return not change.is_significant or observations.loss(change) <= max(0.002, 0.05 * (1 - change.before))


def held_decisions(observations: Observations) -> BeforeAfter | None:
    """Return a ranking metric that held; of a model without any, accuracy that held while confidence alone moved."""
    changes = observations.before_after
    accuracy = changes.get("accuracy")
    if any(name in changes for name in RANKING) or accuracy is None or CONFIDENCE not in changes:
        return held_ranking(observations)
    is_alone = _moved_confidence(observations) is not None and not observations.feature_shifts.shifted
    return accuracy if is_alone and _holds(observations, accuracy) else None


def _moved_confidence(observations: Observations) -> BeforeAfter | None:
    change = observations.before_after.get(CONFIDENCE)
    has_moved = change is not None and change.is_significant and abs(change.delta) >= MIN_CONFIDENCE_CHANGE
    return change if has_moved else None


def class_rates(observations: Observations) -> list[BeforeAfter]:
    """Return the metrics that do not depend on the proportions of the classes: of several, balanced accuracy."""
    changes = observations.before_after
    rates = [changes[name] for name in ("recall", "specificity") if name in changes]
    return rates or [changes[name] for name in ("balanced_accuracy",) if name in changes]


def are_classes_recognized(observations: Observations) -> bool:
    """Return whether each class is recognized as well as before, as far as that is known at all."""
    rates, max_loss = class_rates(observations), max(0.01, 0.2 * abs(observations.loss(observations.focus)))
    return bool(rates) and all(observations.loss(rate) <= max_loss for rate in rates)


def moved_labels(observations: Observations) -> str | None:
    """Return how the share of positives, or of several classes the labels, moved; None if they did not.

    They only followed the inputs if a feature moved further: where labels move and each class is as it was, features
    move no further than labels (Cover and Thomas 2006, 2.8; Lipton et al. 2018, ICML 80).
    """
    shifts, positives = observations.feature_shifts, base_rate_change(observations)
    label = shifts.outputs.get("label")
    distance = 0.0 if label is None else label.after
    if positives is not None:
        distance = jensen_shannon(positives.before, positives.after)
    furthest = max((shift.after for shift in shifts.sound if shift.metric == "js_distance"), default=0.0)
    if not distance or furthest > MAX_FOLLOWED_DISTANCE * distance:
        return None
    if positives is not None:
        return f"the share of positives {positives.direction} {describe(observations, positives)}"
    return f"the shares of the classes shifted, distance {format_value(distance, 2)}"


def moved_output(observations: Observations) -> str | None:
    """Return how the scores, the predictions or else the confidence moved, as a clause; None if none did."""
    output, confidence = observations.feature_shifts.output, _moved_confidence(observations)
    if output is not None:
        return f"{output.feature} drift {format_value(output.after, 2)}"
    return None if confidence is None else describe_metric_change(observations, confidence)


def base_rate_change(observations: Observations) -> BeforeAfter | None:
    """Return the change of the proportion of positives, if it matters: 3 points, and a tenth of its former value."""
    change = observations.before_after.get("label_rate")
    if change is None or not change.is_significant:
        return None
    return change if abs(change.delta) >= max(0.03, 0.1 * change.before) else None


class LostSkill(NamedTuple):
    """A metric that fell to the value of guessing, or below it."""

    change: BeforeAfter
    is_inverted: bool
    """Whether it is so far below chance that the order is reversed."""


def lost_skill(observations: Observations) -> LostSkill | None:
    """Return the first metric of skill that fell to chance or below, however fast; None if all have skill left.

    Skill is 1 of a perfect model and 0 of guessing: Gini = 2 AUC - 1, Matthews' and Cohen's coefficients, R².
    """
    max_ratio = MAX_LOST_SKILL if observations.is_sudden else MAX_LOST_SLOWLY
    for name, (scale, chance) in SKILLS.items():
        change = observations.before_after.get(name)
        if change is None or not change.is_significant:
            continue
        before, after = (scale * (level - chance) for level in (change.before, change.after))
        if before < MIN_SKILL or after > max_ratio * before:
            return None
        if name == "r2" and not _is_shuffled(observations, after):
            return None
        return LostSkill(change, name != "r2" and after <= MAX_INVERTED_SKILL * before)
    return None


def _is_shuffled(observations: Observations, r2: float) -> bool:
    """Return whether an R² is that of shuffled labels; a shift of level or scale leaves the order as before."""
    is_shifted = observations.got_worse(observations.before_after.get("bias"))
    return observations.is_sudden and MIN_SHUFFLED_R2 <= r2 <= 0 and not is_shifted


def labels_moved_alone(observations: Observations) -> BeforeAfter | None:
    """Return a share of positives that moved far while neither features nor scores did; None otherwise.

    Of a shift of the classes the features shift as well (Lipton et al. 2018, ICML 80).
    """
    change, shifts = base_rate_change(observations), observations.feature_shifts
    has_moved_inputs = bool(shifts.shifted or observations.faults or not shifts.feature_count)
    if change is None or has_moved_inputs or moved_output(observations) is not None:
        return None
    ratio, difference = MIN_LABELS_MOVED
    return change if abs(change.delta) >= max(difference, ratio * min(change.before, 1 - change.before)) else None


def inverted_labels(observations: Observations) -> float:
    """Return how far labels, not scores, convince to be reversed where the order is: 0.1 where both look alike."""
    change = observations.before_after.get("label_rate")
    is_mirrored = change is None or abs(change.before + change.after - 1) <= MAX_MIRROR_ERROR
    if not is_mirrored or moved_output(observations) is not None:
        return 0.0
    return 0.1 if base_rate_change(observations) is None else 0.95


def precision_recall_tradeoff(observations: Observations) -> str | None:
    """Return a clause that precision rose as recall fell, or the other way; None if they did not clearly."""
    precision, recall = (observations.before_after.get(name) for name in ("precision", "recall"))
    if precision is None or recall is None or not (precision.is_significant and recall.is_significant):
        return None
    if min(abs(precision.delta), abs(recall.delta)) < MIN_CHANGE or precision.delta * recall.delta >= 0:
        return None
    if observations.focus in (precision, recall):
        other = precision if observations.focus is recall else recall
        return f"{other.key.metric} {other.direction} {describe(observations, other)}"
    return f"precision {describe(observations, precision)} while recall {describe(observations, recall)}"


def describe(observations: Observations, change: BeforeAfter) -> str:
    """Return the values of a metric before and after, such as `0.957→0.846`."""
    catalog = observations.context.catalog
    metric = observations.metric if change is observations.focus else catalog.get(change.key.metric)
    shown = observations.shown(change)
    return format_change(metric, shown.before, shown.after)


def describe_onset(observations: Observations, focus: BeforeAfter) -> str:
    """Return how the change came and when, such as `dropped overnight on 26 Jun`, on every surface."""
    assert observations.windows is not None, "a change has windows"
    onset, now = to_datetime(observations.windows.onset), observations.context.now
    sudden, gradual, moved = VERBS[Direction.LOWER if focus.delta > 0 else Direction.HIGHER]
    kind, day = uncertain_kind(observations), format_day(onset, now)
    if kind is Pattern.DECLINE and observations.starts_with_change:
        return f"{moved} steadily"
    if kind is Pattern.DROP and observations.is_overnight:
        return f"{sudden} {observations.overnight} on {day}"
    if observations.is_over:
        return f"{moved} on {day}"
    if kind is Pattern.DECLINE:
        return f"{gradual} since {f'about {day}' if (now - onset).days <= RECENT_DAYS else describe_month(onset, now)}"
    return f"{sudden if kind is Pattern.DROP else moved} around {day}"


def uncertain_kind(observations: Observations) -> Pattern:
    """Return the pattern; steady if it is uncertain."""
    pattern = observations.pattern
    return pattern.pattern if pattern is not None and pattern.confidence >= MIN_CONFIDENCE else Pattern.STEADY


def describe_metric_change(observations: Observations, change: BeforeAfter) -> str:
    """Return a metric, its direction and its values, such as `recall fell 0.80→0.60`."""
    return f"{metric_name(change.key.metric)} {change.direction} {describe(observations, change)}"
