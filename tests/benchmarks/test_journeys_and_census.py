"""Journeys and census, on a checkout of a few lines in either layout; and one of each on our own."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks import census, checkout, journeys
from tests.benchmarks.base import ROOT, Bench
from tests.benchmarks.checkout import Figure, Tree
from tests.benchmarks.journeys import Traced

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


def plain(text):
    return re.sub(r"^ {4,8}", "", text.strip("\n"), flags=re.MULTILINE)


@pytest.fixture(params=["monitor", "modeltop"])
def tree(request, tmp_path):
    """A checkout of three packages, under its old and its new names."""
    root, new = tmp_path / "checkout", request.param == "modeltop"
    for name, text in {**MODULES, "pyproject.toml": CONTRACT}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        code = re.sub(r"\bfrom monitor\b", "from modeltop", plain(text)) if new else plain(text)
        (root / name).write_text(code, encoding="utf-8")
    if new:
        (root / ".dev").mkdir()
        (root / ".dev" / "modeltop").symlink_to("../monitor")
        (root / ".dev" / "modeltop_tui").symlink_to("../tui")
    return Tree(root)


def traced(tree, tmp_path):
    (tmp_path / "journey").mkdir()
    return Traced(tree, tmp_path / "journey")


def test_a_trace_holds_files_and_the_calls_between_packages_however_they_are_imported(tree, tmp_path):
    trace = traced(tree, tmp_path).run("0")
    assert trace.files == {
        "tui/__main__.py",
        "monitor/service/run.py",
        "monitor/service/helper.py",
        "monitor/core/words.py",
    }
    assert trace.packages() == {"tui", "service", "core"}
    assert trace.packages(divide_tui=True) == {"tui/__main__.py", "service", "core"}
    assert trace.pairs() == {("tui", "service"), ("service", "core")}


def test_what_an_import_causes_is_told_from_what_runs(tree, tmp_path):
    trace = traced(tree, tmp_path).run("0")
    # `mark` is called while helper is imported; the call of `shout` goes through a function of the interpreter.
    assert ("monitor/service/run.py", "monitor/core/words.py", True) in trace.calls
    assert ("monitor/service/helper.py", "monitor/core/words.py", False) in trace.calls
    assert ("service", "core") in trace.run_time.pairs()
    assert all(not call.on_import for call in trace.run_time.calls)


def test_a_journey_that_goes_wrong_is_no_measurement(tree, tmp_path):
    with pytest.raises(RuntimeError, match="3 ended with 3"):
        traced(tree, tmp_path).run("3")


def test_the_census_counts_a_checkout_however_it_is_imported(tree):
    found = {figure.what: figure.value for figure in census.count(tree)}
    assert found == {
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


def test_a_complex_function_counts_even_where_it_is_excused(tree):
    branches = "".join(f"    if n == {number}:\n        return {number}\n" for number in range(10))
    path = tree.root / "monitor" / "core" / "branches.py"
    path.write_text(f"def branches(n):  # noqa: C901\n{branches}    return n\n", encoding="utf-8")
    assert census.ruff_findings(tree, "C901") == 1


def test_two_checkouts_stand_side_by_side():
    [finding] = checkout.side_by_side([Figure("lines", 20, note="now")], [Figure("lines", 30, note="then")])
    assert (finding.value, finding.note) == (20, "now; other checkout 30 (then)")


def test_a_checkout_to_compare_with_must_be_one(monkeypatch, tmp_path):
    monkeypatch.setenv(checkout.OTHER, str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no folder monitor in it"):
        checkout.other()


def test_our_own_check_goes_from_the_command_line_to_an_alert():
    with Bench(1) as bench:
        files, packages, calls = journeys.figures("check", checkout.here(), bench)
    assert files.what == "check: files entered"
    assert files.value > packages.value > 5
    assert calls.value > packages.value


@pytest.mark.parametrize("tree", ["modeltop"], indirect=True)
def test_the_row_of_the_census_prints_both_checkouts(tree):
    argv = [sys.executable, "-m", "tests.benchmarks", "census"]
    env = {"PATH": "/usr/bin:/bin", checkout.OTHER: str(tree.root)}
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^import layers +\d+ .*other checkout 3$", done.stdout, re.MULTILINE), done.stdout


def test_a_watched_alert_reaches_its_receiver():
    with Bench(1) as bench:
        files, *_ = journeys.figures("watch --once", checkout.here(), bench)
    assert files.value > 20
