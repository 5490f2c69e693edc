"""Delivery under faults and kills."""

import pytest

from tests.benchmarks.delivery import run_delivery


@pytest.mark.slow
def test_four_hundred_alerts_thirty_percent_faults_and_ten_kills_lose_nothing(tmp_path):
    # `python -m tests.benchmarks delivery` has a thousand and twenty.
    findings = list(run_delivery(tmp_path, alerts=400, kills=10))
    assert {finding.name: finding.verdict for finding in findings} == {finding.name: "reached" for finding in findings}
    assert len(findings) == 5


def test_a_hundred_alerts_and_three_kills_lose_nothing(tmp_path):
    findings = list(run_delivery(tmp_path, alerts=100, kills=3))
    assert [finding.value for finding in findings] == [0] * 5
