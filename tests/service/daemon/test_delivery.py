"""The promise about delivery, at the size that the benchmark has."""

import pytest

from tests.benchmarks.delivery import measured


@pytest.mark.slow
def test_a_thousand_alerts_thirty_percent_faults_and_twenty_kills_lose_nothing(tmp_path):
    found = list(measured(tmp_path, alerts=1000, kills=20))
    assert {one.what: one.verdict for one in found} == {one.what: "reached" for one in found}
    assert len(found) == 5


def test_a_hundred_alerts_and_three_kills_lose_nothing(tmp_path):
    found = list(measured(tmp_path, alerts=100, kills=3))
    assert [one.value for one in found] == [0] * 5
