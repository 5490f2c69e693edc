"""The benchmarks run and print results; no timing is asserted."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks.base import ROOT, Result


def run_benchmarks(*args):
    argv = [sys.executable, "-m", "tests.benchmarks", *args]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_cheapest_benchmark_runs_and_prints_its_ratio_and_both_medians():
    completed = run_benchmarks("check", "--runs", "1")
    assert completed.returncode == 0, completed.stderr
    last = completed.stdout.splitlines()[-1]
    assert re.match(r"check on the sample fleet / import pandas +[\d.]+ x +≤ 1.3 x +(reached|missed by) .* ms", last), (
        last
    )


def test_an_unknown_benchmark_is_rejected_with_the_names_that_exist():
    completed = run_benchmarks("nonsense")
    assert completed.returncode == 2
    assert "no row nonsense; there are" in completed.stderr
    assert "first-sight" in completed.stderr


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        pytest.param(1.3, "reached", id="exactly the figure is reached"),
        pytest.param(1.8, "missed by 0.5 x", id="what is missing is said in the figure's unit"),
        pytest.param(None, "not measured", id="what could not be measured is not accepted for reached"),
    ],
)
def test_a_result_compares_its_value_with_the_target(value, verdict):
    assert Result("a", value, 1.3, " x").verdict == verdict
