"""A snapshot, looked through once for a report: which alerts and which rules belong to a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from modeltop.alerting.messages.explanation import MOST, Ask, Reasons
from modeltop.core.series import Condition, Episode, Standing
from modeltop.rules.detectors.cusum import Shift
from modeltop.rules.rule import Rule
from modeltop.rules.snapshot import Snapshot

NAMED = 8
"""Models, or series, that are named in one line."""
Labelled = TypeVar("Labelled", Episode, Standing)


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """What a report asks of a snapshot again and again."""

    snapshot: Snapshot
    rules: Mapping[str, Rule]
    alerts: Mapping[str, list[Episode]]
    """What stands or is pending, by model, worst first."""
    quiet: Mapping[str, list[Standing]]
    """Rules that were applied and have no alert, by model."""

    def falls(self, episode: Episode) -> bool:
        """Whether the alert is about a lasting change."""
        return episode.condition is Condition.THRESHOLD and self._lasting(episode.rule)

    def healthy(self, one: Standing) -> bool:
        """Whether the rule holds of the newest period that it judged; the end of its sentence is our own words."""
        return one.rule in self.rules and one.sentence.endswith(f"healthy, {self.rules[one.rule].check.inside()}")

    def waits(self, one: Standing) -> bool:
        """Whether it holds, but of an earlier period than the newest."""
        return self.healthy(one) and one.sentence.rpartition(";")[2].startswith(" before it ")

    def watches(self, one: Standing) -> bool:
        """Whether the rule looks for a lasting change."""
        return self._lasting(one.rule)

    def _lasting(self, name: str) -> bool:
        return name in self.rules and isinstance(self.rules[name].check, Shift)


def board(snapshot: Snapshot) -> Board:
    """The board of a snapshot."""
    open_ones = [one for one in snapshot.episodes if one.resolved is None]
    told = {(one.rule, one.key) for one in open_ones}
    quiet = [one for one in snapshot.standings if one.left_out is None and (one.rule, one.key) not in told]
    return Board(snapshot, {rule.name: rule for rule in snapshot.rules}, _by_model(open_ones), _by_model(quiet))


def _by_model(items: Iterable[Labelled]) -> dict[str, list[Labelled]]:
    found: dict[str, list[Labelled]] = {}
    for one in items:
        found.setdefault(one.key.model, []).append(one)
    return found


def named(names: Sequence[str], noun: str = "") -> str:
    """The first of many names, and how many more there are; each is made safe already.

    >>> named([str(number) for number in range(10)], "model")
    '0, 1, 2, 3, 4, 5, 6, 7 and 2 more models'
    """
    more = len(names) - NAMED
    words = f" {noun}{'s' if more > 1 else ''}" if noun else ""
    return ", ".join(names[:NAMED]) + (f" and {more:,} more{words}" if more > 0 else "")


def explained(snapshot: Snapshot, most: int = MOST, ask: Ask | None = None) -> Reasons:
    """The reasons of the worst models that alert, already asked for.

    Args:
        snapshot: What is looked at.
        most: Models at most.
        ask: Makes one; None: `modeltop.diagnosis.diagnose`.
    """
    reasons = Reasons(snapshot, most, ask)
    for verdict in snapshot.verdicts:  # the worst first
        reasons.of(verdict.model)
    return reasons
