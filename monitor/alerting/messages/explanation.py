"""Why a model alerts, asked so that people are told also where it cannot be worked out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modeltop.core.diagnosis import Diagnosis
from modeltop.core.text import safe
from modeltop.rules.snapshot import Snapshot

MOST = 20
"""Models that are explained at once: each takes some 40 ms, and where a hundred are bad the cause is not in them."""
LONGEST = 400
"""Cells of a verdict."""
Ask = Callable[[Snapshot, str], Diagnosis]


@dataclass(frozen=True, slots=True)
class Reason:
    """The answer."""

    found: Diagnosis | None = None
    failed: str = ""
    """Why there is none, a clause made safe; empty where there is one."""


NONE = Reason()


def reason(snapshot: Snapshot, model: str, ask: Ask | None = None) -> Reason:
    """The diagnosis of a model, or why there is none.

    Args:
        snapshot: What is looked at.
        model: Any of its models.
        ask: Makes the diagnosis; None: `modeltop.diagnosis.diagnose`.
    """
    try:
        return Reason((ask or _ask)(snapshot, model))
    except Exception as error:  # noqa: BLE001  that a model is bad is said, whatever becomes of the why
        return Reason(failed=f"could not be explained: {safe(model, 60)} ({type(error).__name__})")


def verdict(snapshot: Snapshot, model: str, found: Diagnosis | None) -> str:
    """The first thing to read of a model, without its name; empty where nothing is known of it.

    Args:
        snapshot: What is looked at.
        model: Any.
        found: Its diagnosis; None: how its worst rule stands is said instead.

    Returns:
        One line, made safe; what is missing of its labels is said last.
    """
    if found is None:
        return safe(next((one.sentence for one in snapshot.verdicts if one.model == model), ""), LONGEST)
    news = snapshot.labels.get(model)
    return safe(found.sentence if news is None else f"{found.sentence}; {news.sentence}", LONGEST)


def _ask(snapshot: Snapshot, model: str) -> Diagnosis:
    from modeltop.diagnosis.diagnose import diagnosis_of  # late: loaded where there is something to explain

    return diagnosis_of(snapshot, model)


class Reasons:
    """The reasons of one snapshot, each asked for once, however often it is told.

    Args:
        snapshot: What is looked at.
        most: Models that are asked about; of more, how they stand is all that is told, so that nobody waits for it.
        ask: Makes a diagnosis; None: `modeltop.diagnosis.diagnose`.
    """

    def __init__(self, snapshot: Snapshot, most: int = MOST, ask: Ask | None = None) -> None:
        self.snapshot = snapshot
        self._most, self._ask = most, ask
        self._alerting = {one.key.model for one in snapshot.episodes if one.stands}
        self._known: dict[str, Reason] = {}

    def of(self, model: str) -> Diagnosis | None:
        """Its diagnosis; None where it does not alert, cannot be explained, or is one too many."""
        if model not in self._known and model in self._alerting and len(self._known) < self._most:
            self._known[model] = reason(self.snapshot, model, self._ask)
        return self._known.get(model, NONE).found

    def verdict(self, model: str) -> str:
        """The first thing to read of it."""
        return verdict(self.snapshot, model, self.of(model))

    @property
    def failed(self) -> tuple[str, ...]:
        """What could not be worked out of those that were asked about, a clause each, made safe."""
        return tuple(one.failed for one in self._known.values() if one.failed)
