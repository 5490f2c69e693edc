"""For all tests: markers by folder, fixtures of several packages, and hypothesis without a deadline."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI tries the same examples every time, so that what it says is about the change; developers try new ones.
settings.register_profile("ci", settings.get_profile("patient"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "patient")

TESTS = Path(__file__).parent
REFERENCE_DATA = TESTS.parents[1] / "shared" / "data"
FOLDERS = {
    "alerting": "fast",
    "alerting/notifiers": "network",
    "benchmarks": "process",
    "cli": "process",
    "config": "fast",
    "core": "fast",
    "diagnosis": "fast",
    "history": "fast",
    "history/store": "process",
    "predictions": "process",
    "predictions/aggregates": "fast",
    "predictions/metrics": "fast",
    "readme": "process",
    "report": "fast",
    "rules": "fast",
    "rules/detection": "slow",
    "service": "process",
    "tui": "terminal",
    "tui/chart": "fast",
    "tui/view": "fast",
}
"""Marker of each folder of tests; a folder without one of its own has that of the folder above."""
APART = {"slow", "spark", "benchmark", "process", "network", "terminal"}

HOSTILE = [
    "\x1b]52;c;ZWNobyBwd25lZA==\x07",
    "\x1b[2J\x1b[H",
    "\x1b]0;",
    "\u009b31m",
    "\x05\x0e\x00\x7f\x08",
    "over\r written",
    "lone\rcr",
    "two\nlines",
    "m\r\nBcc: evil@x.test",
    "\u202egpj.exe",
    "\u200b\ufeffx",
    "e" + 100 * "\u0301",
    10_000 * "W",
    200 * "宽",
    "👩‍👩‍👧‍👦",
    "[bold]x[/bold]",
    "[@click=app.quit]x[/]",
    "x\\",
    "{value} %s",
    "../../etc/passwd",
    "..",
    ".",
    "C:\\x",
    "con",
    "nul.csv",
    "-rf",
    "--help",
    "a\0b",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "<!channel>",
    "NA",
    "null",
    "None",
    "nan",
    "inf",
    "`",
    "007",
    "1e5",
    "true",
    "|perf'=1",
    'say "hi"',
    '"',
    '",',
    "a;b;c;d;e;f;g",
    "tab\there",
    "churn",
    "Churn",
]


@pytest.fixture(scope="session")
def reference_data():
    """Return the path of a file of the reference data; the test is skipped on a machine without them."""

    def path_of(name):
        if not REFERENCE_DATA.is_dir():
            pytest.skip("the reference data are not beside this checkout")
        return REFERENCE_DATA / name

    return path_of


@pytest.fixture
def isolated_home(tmp_path, monkeypatch):
    """Hide the configuration and the store of the machine; the working directory is empty but for the home."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def load_config(tmp_path):
    """Load a configuration of this text."""
    from modeltop.config.load import load

    def write_and_load(text):
        path = tmp_path / "modeltop.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)

    return write_and_load


@pytest.fixture
def history_of():
    """Read the history of a folder, with its problems."""
    from modeltop.core.metrics.registry import MetricRegistry
    from modeltop.history.reader import Reader

    return lambda folder: Reader([str(folder)], catalog=MetricRegistry()).read()


@pytest.fixture(params=HOSTILE, ids=lambda text: ascii(text)[:24])
def hostile(request):
    """Return one of the strings that break things."""
    return request.param


def pytest_collection_modifyitems(items):
    """Mark each test by its folder; one that is slow, or marked otherwise by hand, is not fast."""
    for item in items:
        marker = _marker_of(item.path)
        if marker and not (marker == "fast" and APART & {marker.name for marker in item.iter_markers()}):
            item.add_marker(getattr(pytest.mark, marker))


def _marker_of(path):
    if not path.is_relative_to(TESTS):
        return "fast"  # doctests
    folder = path.parent.relative_to(TESTS)
    return next((FOLDERS[str(parent)] for parent in (folder, *folder.parents) if str(parent) in FOLDERS), None)
