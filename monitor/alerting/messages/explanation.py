"""Why a model alerts, asked so that people are told also where it cannot be worked out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from modeltop.core.diagnosis import Diagnosis
from modeltop.core.text import sanitize
from modeltop.rules.snapshot import Snapshot

MAX_EXPLAINED = 20
"""Models that are explained at once: each takes some 40 ms, and where a hundred are bad the cause is not in them."""
LONGEST = 400
"""Cells of a verdict."""
DiagnoseFunction = Callable[[Snapshot, str], Diagnosis]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer."""

    diagnosis: Diagnosis | None = None
    error: str = ""
    """Why there is none, a clause made safe; empty where there is one."""


NO_EXPLANATION = Explanation()


def explain_model(snapshot: Snapshot, model: str, ask: DiagnoseFunction | None = None) -> Explanation:
    """The diagnosis of a model, or why there is none.

    Args:
        snapshot: What is looked at.
        model: Any of its models.
        ask: Makes the diagnosis; None: `modeltop.diagnosis.diagnose`.
    """
    try:
        return Explanation((ask or _ask)(snapshot, model))
    except Exception as error:  # noqa: BLE001  that a model is bad is said, whatever becomes of the why
        return Explanation(error=f"could not be explained: {sanitize(model, 60)} ({type(error).__name__})")


def verdict_sentence(snapshot: Snapshot, model: str, found: Diagnosis | None) -> str:
    """The first thing to read of a model, without its name; empty where nothing is known of it.

    Args:
        snapshot: What is looked at.
        model: Any.
        found: Its diagnosis; None: how its worst rule stands is said instead.

    Returns:
        One line, made safe; what is missing of its labels is said last.
    """
    if found is None:
        return sanitize(next((one.sentence for one in snapshot.model_statuses if one.model == model), ""), LONGEST)
    news = snapshot.label_coverage.get(model)
    return sanitize(found.sentence if news is None else f"{found.sentence}; {news.sentence}", LONGEST)


def _ask(snapshot: Snapshot, model: str) -> Diagnosis:
    from modeltop.diagnosis.diagnose import diagnose_model  # late: loaded where there is something to explain

    return diagnose_model(snapshot, model)


class ExplanationCache:
    """The reasons of one snapshot, each asked for once, however often it is told.

    Args:
        snapshot: What is looked at.
        most: Models that are asked about; of more, how they stand is all that is told, so that nobody waits for it.
        ask: Makes a diagnosis; None: `modeltop.diagnosis.diagnose`.
    """

    def __init__(self, snapshot: Snapshot, most: int = MAX_EXPLAINED, ask: DiagnoseFunction | None = None) -> None:
        self.snapshot = snapshot
        self._most, self._ask = most, ask
        self._alerting = {one.key.model for one in snapshot.alerts if one.is_active}
        self._known: dict[str, Explanation] = {}

    def diagnosis_for(self, model: str) -> Diagnosis | None:
        """Its diagnosis; None where it does not alert, cannot be explained, or is one too many."""
        if model not in self._known and model in self._alerting and len(self._known) < self._most:
            self._known[model] = explain_model(self.snapshot, model, self._ask)
        return self._known.get(model, NO_EXPLANATION).diagnosis

    def verdict_for(self, model: str) -> str:
        """The first thing to read of it."""
        return verdict_sentence(self.snapshot, model, self.diagnosis_for(model))

    @property
    def errors(self) -> tuple[str, ...]:
        """What could not be worked out of those that were asked about, a clause each, made safe."""
        return tuple(one.error for one in self._known.values() if one.error)
