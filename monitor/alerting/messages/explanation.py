"""Diagnoses for messages and reports, which go out even if a diagnosis fails."""

from __future__ import annotations

from modeltop.core.diagnosis import Diagnosis
from modeltop.core.series import Condition
from modeltop.core.text import sanitize
from modeltop.rules.snapshot import Snapshot

MAX_EXPLAINED = 20
"""Maximum number of models to diagnose: each costs some 40 ms, and with a hundred bad models the cause is elsewhere."""
MAX_VERDICT_WIDTH = 400
"""Maximum terminal cells of a verdict."""


def verdict_sentence(snapshot: Snapshot, model: str, diagnosis: Diagnosis | None) -> str:
    """Return the first sentence to read about a model, without its name, in one sanitized line.

    Without a diagnosis that is the status of its worst rule; empty if the snapshot has no such model. Missing labels
    and values are reported at its end.
    """
    if diagnosis is None:
        sentences = (status.sentence for status in snapshot.model_statuses if status.model == model)
        return sanitize(next(sentences, ""), MAX_VERDICT_WIDTH)
    coverage = snapshot.label_coverage.get(model)
    clauses = diagnosis.sentence, "" if coverage is None else coverage.sentence, snapshot.missing_values.get(model)
    return sanitize("; ".join(filter(None, clauses)), MAX_VERDICT_WIDTH)


class ExplanationCache:
    """The diagnoses of one snapshot, each computed once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        # A source that cannot be read is no model: its message is all there is to say.
        active = (alert for alert in snapshot.alerts if alert.is_active and alert.condition is not Condition.ERROR)
        self._alerting = {alert.key.model for alert in active}
        self._diagnoses: dict[str, Diagnosis | None] = {}
        self._errors: list[str] = []

    def diagnosis_for(self, model: str) -> Diagnosis | None:
        """Return the diagnosis of a model; None if it does not alert, cannot be explained, or exceeds the limit."""
        is_due = model in self._alerting and len(self._diagnoses) < MAX_EXPLAINED
        if is_due and model not in self._diagnoses:
            from modeltop.diagnosis import diagnose  # late: slow to import, and few snapshots need it

            try:
                self._diagnoses[model] = diagnose.diagnose_model(self.snapshot, model)
            except Exception as error:  # noqa: BLE001  an alert is sent even if its explanation fails
                self._diagnoses[model] = None
                self._errors.append(f"could not be explained: {sanitize(model, 60)} ({type(error).__name__})")
        return self._diagnoses.get(model)

    def verdict_for(self, model: str) -> str:
        """Return the first sentence to read about a model."""
        return verdict_sentence(self.snapshot, model, self.diagnosis_for(model))

    @property
    def errors(self) -> tuple[str, ...]:
        """Failed diagnoses, a sanitized clause each."""
        return tuple(self._errors)
