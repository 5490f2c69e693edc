"""A snapshot, looked through once for a report: which alerts and which rules belong to a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from modeltop.alerting.messages.explanation import MAX_EXPLAINED, DiagnoseFunction, ExplanationCache
from modeltop.core.series import Alert, Condition, RuleStatus
from modeltop.rules.detectors.cusum import LastingShift
from modeltop.rules.rule import Rule
from modeltop.rules.snapshot import Snapshot

MAX_NAMED = 8
"""Models, or series, that are named in one line."""
WithModel = TypeVar("WithModel", Alert, RuleStatus)


@dataclass(frozen=True, slots=True, eq=False)
class ReportIndex:
    """What a report asks of a snapshot again and again."""

    snapshot: Snapshot
    rules: Mapping[str, Rule]
    alerts: Mapping[str, list[Alert]]
    """What stands or is pending, by model, worst first."""
    statuses_without_alert: Mapping[str, list[RuleStatus]]
    """Rules that were applied and have no alert, by model."""

    def is_lasting_fall(self, episode: Alert) -> bool:
        """Whether the alert is about a lasting change."""
        return episode.condition is Condition.THRESHOLD and self._lasting(episode.rule)

    def is_healthy(self, one: RuleStatus) -> bool:
        """Whether the rule holds of the newest period that it judged; the end of its sentence is our own words."""
        return one.rule in self.rules and one.sentence.endswith(
            f"healthy, {self.rules[one.rule].detector.describe_normal()}"
        )

    def is_healthy_before_newest(self, one: RuleStatus) -> bool:
        """Whether it holds, but of an earlier period than the newest."""
        return self.is_healthy(one) and one.sentence.rpartition(";")[2].startswith(" before it ")

    def watches_lasting_falls(self, one: RuleStatus) -> bool:
        """Whether the rule looks for a lasting change."""
        return self._lasting(one.rule)

    def _lasting(self, name: str) -> bool:
        return name in self.rules and isinstance(self.rules[name].detector, LastingShift)


def build_index(snapshot: Snapshot) -> ReportIndex:
    """The board of a snapshot."""
    open_ones = [one for one in snapshot.alerts if one.resolved is None]
    told = {(one.rule, one.key) for one in open_ones}
    quiet = [one for one in snapshot.rule_statuses if one.skip_reason is None and (one.rule, one.key) not in told]
    return ReportIndex(snapshot, {rule.name: rule for rule in snapshot.rules}, _by_model(open_ones), _by_model(quiet))


def _by_model(items: Iterable[WithModel]) -> dict[str, list[WithModel]]:
    found: dict[str, list[WithModel]] = {}
    for one in items:
        found.setdefault(one.key.model, []).append(one)
    return found


def list_names(names: Sequence[str], noun: str = "") -> str:
    """The first of many names, and how many more there are; each is made safe already.

    >>> list_names([str(number) for number in range(10)], "model")
    '0, 1, 2, 3, 4, 5, 6, 7 and 2 more models'
    """
    more = len(names) - MAX_NAMED
    words = f" {noun}{'s' if more > 1 else ''}" if noun else ""
    return ", ".join(names[:MAX_NAMED]) + (f" and {more:,} more{words}" if more > 0 else "")


def explain_alerting_models(
    snapshot: Snapshot, most: int = MAX_EXPLAINED, ask: DiagnoseFunction | None = None
) -> ExplanationCache:
    """The reasons of the worst models that alert, already asked for.

    Args:
        snapshot: What is looked at.
        most: Models at most.
        ask: Makes one; None: `modeltop.diagnosis.diagnose`.
    """
    reasons = ExplanationCache(snapshot, most, ask)
    for verdict in snapshot.model_statuses:  # the worst first
        reasons.diagnosis_for(verdict.model)
    return reasons
