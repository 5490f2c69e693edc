"""A source that cannot be read, on every screen: what it is and what to run, never a diagnosis of an outage."""

import pytest

from modeltop.core.series import ReadProblem
from modeltop.diagnosis.diagnose import diagnose_model

LOG = "a prediction log, not metrics: run `modeltop compute log.csv --timestamp at`"


@pytest.mark.parametrize("keys", ["", "d", "v", "4", "z"])
async def test_no_screen_calls_an_unreadable_file_an_outage(make, run, keys):
    broken = make.snapshot(problems=[ReadProblem("log.csv", LOG, fatal=True)])
    async with run(broken, diagnose=diagnose_model) as screen:
        await screen.press(*keys)
        await screen.wait_for("log.csv")
        assert "log.csv" in screen.text
        for word in ("outage", "pipeline", "retrain"):
            assert word not in screen.text.lower()


async def test_before_a_source_has_failed_often_enough_to_be_an_alert_the_reason_is_shown_all_the_same(make, run):
    async with run(make.snapshot(problems=[ReadProblem("log.csv", LOG)]), size=(240, 40)) as screen:
        await screen.wait_for("modeltop compute")
        await screen.press("escape")
        assert "no models: " in screen.text
        assert "nothing read" in screen.lines[0]
