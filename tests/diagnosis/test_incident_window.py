"""An incident keeps its window: its cause is the same while it lasts, on the day after, and later."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from modeltop.config.load import Config
from modeltop.core.diagnosis import Cause
from modeltop.core.incident import IncidentStatus
from modeltop.diagnosis.diagnose import diagnose_incident, diagnose_model
from modeltop.service.pipeline import Pipeline

START = datetime(2025, 1, 1, tzinfo=UTC)
DAYS_BEFORE, DAYS_OF_FALL = 40, 3


@pytest.fixture(scope="module")
def snapshot_after(tmp_path_factory):
    """Return a maker of the snapshot so many days after the start of a fall of three days, with that of confidence."""
    folder = tmp_path_factory.mktemp("fall")
    noise = np.random.default_rng(7).normal(0, 0.006, (DAYS_BEFORE + 10, 2))

    def make(days):
        lines = ["date,count,accuracy,avg_confidence"]
        for day in range(DAYS_BEFORE + days):
            fell = DAYS_BEFORE <= day < DAYS_BEFORE + DAYS_OF_FALL
            levels = (0.85, 0.84) if fell else (0.95, 0.94)
            accuracy, confidence = (level + delta for level, delta in zip(levels, noise[day].tolist(), strict=True))
            lines.append(f"{START + timedelta(days=day):%Y-%m-%d},2000,{accuracy:.4f},{confidence:.4f}")
        path = folder / f"after-{days}.csv"
        path.write_text("\n".join(lines) + "\n")
        return Pipeline(Config(), [path]).run(START + timedelta(days=DAYS_BEFORE + days - 1))

    return make


@pytest.fixture(scope="module")
def diagnoses(snapshot_after):
    """Return the diagnosis on the third, the fourth and the sixth day."""
    return {day: diagnose_model(snapshot_after(day), f"after-{day}") for day in (3, 4, 6)}


def test_the_cause_is_the_same_on_the_third_the_fourth_and_the_sixth_day(diagnoses):
    assert {diagnosis.cause for diagnosis in diagnoses.values()} == {Cause.DATA_DRIFT}
    assert len({diagnosis.hypotheses for diagnosis in diagnoses.values()}) == 1
    assert len({diagnosis.verdict.why for diagnosis in diagnoses.values()}) == 1


def test_once_it_is_over_nothing_is_to_be_done(diagnoses):
    assert diagnoses[3].verdict.do.startswith("Compare the inputs")
    assert diagnoses[6].verdict.what.startswith("ok again: accuracy dropped overnight on 10 Feb, 0.950→0.849")
    assert diagnoses[6].verdict.do == "No action needed: it ended on 12 Feb."
    assert diagnoses[6].questions[0].answer == "no"


def test_an_incident_that_is_over_is_explained_by_its_window_however_old_it_is(snapshot_after):
    snapshot = snapshot_after(10)
    [incident] = [incident for incident in snapshot.incidents if incident.status is IncidentStatus.RESOLVED]
    assert diagnose_incident(snapshot, incident).cause is Cause.DATA_DRIFT
