"""The benchmark `detection-causes`: accuracy of the diagnosed causes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

from modeltop.core.incident import Note
from modeltop.core.series import Alert, Severity, to_datetime
from modeltop.rules.defaults import default_rules
from modeltop.rules.evaluator import Evaluator
from modeltop.rules.priority import ordered_alerts
from modeltop.rules.replay import no_data_alert
from tests.benchmarks.base import BenchmarkContext, Result, benchmark
from tests.benchmarks.detection.cause_scenarios import (
    CLEAR,
    FAINT,
    IDENTIFIABLE,
    OUTAGE_AGE,
    UNIDENTIFIABLE,
    Difficulty,
    simulate_causes,
)
from tests.benchmarks.detection.confusion import Prediction, error_percent, format_interval, format_predictions
from tests.benchmarks.detection.ground_truth import MODEL, LabeledHistory
from tests.benchmarks.detection.simulation import CATALOG, Scenario

if TYPE_CHECKING:
    from modeltop.diagnosis.context import ModelContext

REQUIRED_ACCURACY = 0.8
"""Share of the causes that must be correct where the log holds the evidence."""


@dataclass(frozen=True, slots=True)
class DiagnosisResult:
    """Diagnosed cause of one history."""

    prediction: Prediction
    in_top_two: bool
    """Whether the true cause is among the first two hypotheses."""


def evaluation_time(labeled: LabeledHistory) -> datetime:
    """Return the time of the diagnosis: a day after the last period, or days later where the rows stopped."""
    last = to_datetime(labeled.history.periods[MODEL][-1])
    return last + (OUTAGE_AGE if labeled.truth.scenario == "stopped" else timedelta(days=1))


def replay_alerts(histories: Sequence[LabeledHistory]) -> list[tuple[Alert, ...]]:
    """Return the alerts of the default rules and of missing data for each history, worst first."""
    alerts = []
    for labeled in histories:
        evaluator = Evaluator(default_rules(), CATALOG)
        evaluator.evaluate(labeled.history.series)
        no_data = no_data_alert(MODEL, labeled.history.periods[MODEL], evaluation_time(labeled))
        alerts.append(ordered_alerts([*evaluator.alerts, *([no_data] if no_data else [])]))
    return alerts


def model_context(labeled: LabeledHistory, alerts: tuple[Alert, ...]) -> ModelContext:
    """Return the context from which a history with these alerts is diagnosed."""
    from modeltop.diagnosis.context import ModelContext

    severity = max((alert.severity for alert in alerts if alert.is_active), default=Severity.OK)
    times = labeled.history.periods[MODEL]
    notes = [Note(MODEL, text, "ops", to_datetime(times[index])) for index, text in labeled.notes]
    return ModelContext(MODEL, labeled.history.for_model(MODEL), CATALOG, alerts, severity, notes=notes)


def diagnose_histories(scenario: Scenario, count: int, difficulty: Difficulty = CLEAR) -> list[DiagnosisResult]:
    """Diagnose `count` histories of a scenario."""
    from modeltop.diagnosis.diagnose import diagnose

    simulated = list(simulate_causes(scenario, count, difficulty))
    alerts_by_history = replay_alerts([labeled for _, _, labeled in simulated])
    results = []
    for (index, settings, labeled), alerts in zip(simulated, alerts_by_history, strict=True):
        diagnosis = diagnose(model_context(labeled, alerts))
        predicted = diagnosis.cause.value if diagnosis.hypotheses else "nothing found"
        assert scenario.cause is not None
        prediction = Prediction(scenario.cause.value, predicted, index, settings.conditions)
        top_two = {hypothesis.cause for hypothesis in diagnosis.hypotheses[:2]}
        results.append(DiagnosisResult(prediction, scenario.cause in top_two))
    return results


@benchmark("detection-causes")
def detection_causes(context: BenchmarkContext) -> Iterator[Result]:
    """Generated histories of which another cause is named than the planted one."""
    if find_spec("modeltop.diagnosis") is None:
        yield Result(
            "another cause than the planted one", None, 100 * (1 - REQUIRED_ACCURACY), " %", "nothing names causes yet"
        )
        return
    count = 8 * context.runs
    groups = (
        (CLEAR.name, IDENTIFIABLE, CLEAR),
        ("accuracy or decisions alone", UNIDENTIFIABLE, CLEAR),
        (FAINT.name, IDENTIFIABLE, FAINT),
    )
    for group_name, scenarios, difficulty in groups:
        by_scenario = {scenario: diagnose_histories(scenario, count, difficulty) for scenario in scenarios}
        predictions = [result.prediction for results in by_scenario.values() for result in results]
        yield Result(
            f"another cause, {group_name}",
            error_percent(predictions),
            None if difficulty is FAINT else 100 * (1 - REQUIRED_ACCURACY),
            " %",
            format_interval(predictions, "models"),
        )
        for scenario, results in by_scenario.items():
            assert scenario.cause is not None
            error = error_percent([result.prediction for result in results])
            yield Result(
                f"{'faint, ' * (difficulty is FAINT)}{scenario.name}: not {scenario.cause.value}",
                error,
                None,
                " %",
                _format_results(results),
            )


def _format_results(results: Sequence[DiagnosisResult]) -> str:
    top_two_share = sum(result.in_top_two for result in results) / len(results)
    predictions = format_predictions([result.prediction for result in results])
    return f"among the first two {top_two_share:.0%}; named {predictions}"
