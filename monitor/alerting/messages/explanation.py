"""Diagnoses for messages and reports, which go out even if a diagnosis fails."""

from __future__ import annotations

from collections.abc import Iterable

from modeltop.core.diagnosis import Diagnosis, Verdict
from modeltop.core.incident import Incident, IncidentStatus
from modeltop.core.series import Condition
from modeltop.core.text import sanitize
from modeltop.rules.snapshot import Snapshot

MAX_EXPLAINED = 20
"""Maximum number of models to diagnose: each costs some 40 ms, and with a hundred bad models the cause is elsewhere."""
MAX_STATUS_WIDTH = 400


class ExplanationCache:
    """The diagnoses of one snapshot, each computed once."""

    def __init__(self, snapshot: Snapshot, explained: Iterable[str] = ()) -> None:
        self.snapshot = snapshot
        # A source that cannot be read is no model: its message is all there is to say.
        active = (alert for alert in snapshot.alerts if alert.is_active and alert.condition is not Condition.ERROR)
        concerned = (status.model for status in snapshot.model_statuses if status.concerns)
        self._due = {alert.key.model for alert in active} | {*concerned, *explained}
        ended = [incident.id for incident in snapshot.incidents if incident.status is not IncidentStatus.OPEN]
        self._ended = set(ended[:MAX_EXPLAINED])
        self._diagnoses: dict[str, Diagnosis | None] = {}
        self._errors: list[str] = []

    def diagnosis_for(self, model: str) -> Diagnosis | None:
        """Return the diagnosis of a model; None if it is ok, cannot be explained, or exceeds the limit."""
        is_due = model in self._due and len(self._diagnoses) < MAX_EXPLAINED
        if is_due and model not in self._diagnoses:
            from modeltop.diagnosis import diagnose  # late: slow to import, and few snapshots need it

            try:
                self._diagnoses[model] = diagnose.diagnose_model(self.snapshot, model)
            except Exception as error:  # noqa: BLE001  an alert is sent even if its explanation fails
                self._diagnoses[model] = None
                self._errors.append(f"no diagnosis of {sanitize(model, 60)}: {type(error).__name__}")
        return self._diagnoses.get(model)

    def diagnosis_of(self, incident: Incident) -> Diagnosis | None:
        """Return the diagnosis of an incident over its own window; None as for a model, or if it is over long ago."""
        if incident.status is IncidentStatus.OPEN:
            return self.diagnosis_for(incident.model)
        if incident.id not in self._ended:
            return None
        from modeltop.diagnosis import diagnose  # late: as above

        try:
            return diagnose.diagnose_incident(self.snapshot, incident)
        except Exception as error:  # noqa: BLE001  as above
            self._errors.append(f"no diagnosis of {sanitize(incident.model, 60)}: {type(error).__name__}")
            return None

    def verdict_for(self, model: str) -> Verdict:
        """Return the verdict on a model; without a diagnosis the status of its worst rule, and nothing of why."""
        diagnosis = self.diagnosis_for(model)
        if diagnosis is not None:
            return diagnosis.verdict
        statuses = (status.sentence for status in self.snapshot.model_statuses if status.model == model)
        return Verdict(sanitize(next(statuses, ""), MAX_STATUS_WIDTH))

    def text_for(self, model: str) -> str:
        """Return the verdict in one line, without the model's name; missing labels and values are reported last."""
        coverage = self.snapshot.label_coverage.get(model)
        missing = "" if coverage is None else coverage.sentence, self.snapshot.missing_values.get(model)
        return " ".join([str(self.verdict_for(model)), *(sanitize(f"{clause}.") for clause in missing if clause)])

    @property
    def errors(self) -> tuple[str, ...]:
        """Failed diagnoses, a sanitized clause each."""
        return tuple(self._errors)
