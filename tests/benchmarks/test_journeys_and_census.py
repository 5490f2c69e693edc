"""Journeys and census, on a checkout of a few lines in either layout; and one of each on our own."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks import census, checkout, journeys
from tests.benchmarks.base import ROOT, BenchmarkContext
from tests.benchmarks.checkout import Checkout, Measurement
from tests.benchmarks.journeys import TracedProgram

MODULES = {
    "monitor/__init__.py": "",
    "monitor/core/__init__.py": "",
    "monitor/core/words.py": '''
        """Words."""
        # a comment
        class Word:
            """A word that is said when somebody asks for one."""
        def mark(kind):
            return kind
        def shout(text):
            """Returns the text in capitals."""
            return text.upper()
    ''',
    "monitor/service/__init__.py": "",
    "monitor/service/helper.py": '''
        from monitor.core.words import mark, shout
        @mark
        class Word:
            """A word."""
        def help_out(texts):
            return sorted(texts, key=shout)
    ''',
    "monitor/service/run.py": """
        def run():
            from monitor.service import helper
            return helper.help_out(["a"])
    """,
    "tui/__init__.py": "",
    "tui/__main__.py": """
        import sys
        from monitor.service.run import run
        def main():
            run()
            return int(sys.argv[1])
        sys.exit(main())
    """,
}
CONTRACT = """
    [[tool.importlinter.contracts]]
    type = "layers"
    layers = ["tui", "monitor.service", "monitor.core"]
    [[tool.importlinter.contracts]]
    type = "forbidden"
"""


def dedent(text):
    return re.sub(r"^ {4,8}", "", text.strip("\n"), flags=re.MULTILINE)


@pytest.fixture(params=["monitor", "modeltop"])
def sample_checkout(request, tmp_path):
    """A checkout of three packages, under its old and its new names."""
    root, new = tmp_path / "checkout", request.param == "modeltop"
    for name, text in {**MODULES, "pyproject.toml": CONTRACT}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        code = re.sub(r"\bfrom monitor\b", "from modeltop", dedent(text)) if new else dedent(text)
        (root / name).write_text(code, encoding="utf-8")
    if new:
        (root / ".dev").mkdir()
        (root / ".dev" / "modeltop").symlink_to("../monitor")
        (root / ".dev" / "modeltop_tui").symlink_to("../tui")
    return Checkout(root)


def traced_program(checkout, tmp_path):
    (tmp_path / "journey").mkdir()
    return TracedProgram(checkout, tmp_path / "journey")


def test_a_trace_holds_files_and_the_calls_between_packages_however_they_are_imported(sample_checkout, tmp_path):
    trace = traced_program(sample_checkout, tmp_path).run("0")
    assert trace.files == {
        "tui/__main__.py",
        "monitor/service/run.py",
        "monitor/service/helper.py",
        "monitor/core/words.py",
    }
    assert trace.packages() == {"tui", "service", "core"}
    assert trace.packages(divide_tui=True) == {"tui/__main__.py", "service", "core"}
    assert trace.package_pairs() == {("tui", "service"), ("service", "core")}


def test_calls_during_imports_are_distinguished_from_those_at_run_time(sample_checkout, tmp_path):
    trace = traced_program(sample_checkout, tmp_path).run("0")
    # `mark` is called while helper is imported; the call of `shout` goes through a function of the interpreter.
    assert ("monitor/service/run.py", "monitor/core/words.py", True) in trace.calls
    assert ("monitor/service/helper.py", "monitor/core/words.py", False) in trace.calls
    assert ("service", "core") in trace.run_time.package_pairs()
    assert all(not call.on_import for call in trace.run_time.calls)


def test_a_journey_that_fails_raises(sample_checkout, tmp_path):
    with pytest.raises(RuntimeError, match="3 ended with 3"):
        traced_program(sample_checkout, tmp_path).run("3")


def test_the_census_counts_a_checkout_however_it_is_imported(sample_checkout):
    counts = {measurement.name: measurement.value for measurement in census.count(sample_checkout)}
    assert counts == {
        "files": 8,
        "lines": 24,
        "packages": 4,  # core, service, tui, and monitor/__init__.py
        "import layers": 3,
        "files with one importer, in their own folder": 1,
        "class names defined twice": 1,
        "functions over complexity 10": 0,
        "first lines of docstrings not imperative (D401)": 1,
        "docstrings of 5 words or fewer": 3,
        "lines that are comments": pytest.approx(100 / 24),
    }


def test_a_complex_function_counts_despite_noqa(sample_checkout):
    branches = "".join(f"    if n == {number}:\n        return {number}\n" for number in range(10))
    path = sample_checkout.root / "monitor" / "core" / "branches.py"
    path.write_text(f"def branches(n):  # noqa: C901\n{branches}    return n\n", encoding="utf-8")
    assert census.ruff_violations(sample_checkout, "C901") == 1


def test_two_checkouts_are_compared_side_by_side():
    now, then = Measurement("lines", 20, note="now"), Measurement("lines", 30, note="then")
    [result] = checkout.compare_checkouts([now], [then])
    assert (result.value, result.note) == (20, "now; other checkout 30 (then)")


def test_a_checkout_to_compare_with_must_be_one(monkeypatch, tmp_path):
    monkeypatch.setenv(checkout.OTHER_VARIABLE, str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no folder monitor in it"):
        checkout.other_checkout()


def test_our_own_check_goes_from_the_command_line_to_an_alert():
    with BenchmarkContext(1) as context:
        files, packages, calls = journeys.trace_journey("check", checkout.this_checkout(), context)
    assert files.name == "check: files entered"
    assert files.value > packages.value > 5
    assert calls.value > packages.value


@pytest.mark.parametrize("sample_checkout", ["modeltop"], indirect=True)
def test_the_census_prints_both_checkouts(sample_checkout):
    argv = [sys.executable, "-m", "tests.benchmarks", "census"]
    env = {"PATH": "/usr/bin:/bin", checkout.OTHER_VARIABLE: str(sample_checkout.root)}
    completed = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    assert re.search(r"^import layers +\d+ .*other checkout 3$", completed.stdout, re.MULTILINE), completed.stdout


def test_an_alert_of_watch_reaches_its_receiver():
    with BenchmarkContext(1) as context:
        files, *_ = journeys.trace_journey("watch --once", checkout.this_checkout(), context)
    assert files.value > 20
