"""The benchmarks run and print; what they measure is for people to judge."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks.base import ROOT, Finding


def benchmarks(*args):
    argv = [sys.executable, "-m", "tests.benchmarks", *args]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_cheapest_row_runs_and_prints_its_ratio_and_both_medians():
    done = benchmarks("check", "--runs", "1")
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert re.match(r"check on the sample fleet / import pandas +[\d.]+ x +≤ 1.3 x +(reached|missed by) .* ms", last), (
        last
    )


def test_a_row_that_does_not_exist_is_refused_with_those_that_do():
    done = benchmarks("nonsense")
    assert done.returncode == 2
    assert "no row nonsense; there are" in done.stderr
    assert "first-sight" in done.stderr


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        pytest.param(1.3, "reached", id="exactly the figure is reached"),
        pytest.param(1.8, "missed by 0.5 x", id="what is missing is said in the figure's unit"),
        pytest.param(None, "not measured", id="what could not be measured is not taken for reached"),
    ],
)
def test_a_finding_says_how_it_stands(value, verdict):
    assert Finding("a", value, 1.3, " x").verdict == verdict
