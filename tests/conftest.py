"""For all tests: markers by folder, fixtures of several packages, and hypothesis without a deadline."""

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from modeltop.core.diagnosis import (
    Action,
    BeforeAfter,
    Cause,
    CauseHypothesis,
    Certainty,
    Diagnosis,
    FeatureShift,
    Forecast,
    Pattern,
    Question,
    SegmentContribution,
    SeriesPattern,
    Verdict,
)
from modeltop.core.series import SeriesKey, Severity

# A busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# CI tries the same examples every time, so that what it says is about the change; developers try new ones.
settings.register_profile("ci", settings.get_profile("patient"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "patient")

TESTS = Path(__file__).parent
REFERENCE_DATA = TESTS.parents[1] / "shared" / "data"
FOLDERS = {
    "acceptance": "process",
    "alerting": "fast",
    "alerting/notifiers": "network",
    "benchmarks": "process",
    "cases": "process",
    "cli": "process",
    "config": "fast",
    "core": "fast",
    "diagnosis": "fast",
    "history": "fast",
    "history/sources": "network",
    "history/store": "process",
    "predictions": "process",
    "predictions/aggregates": "fast",
    "predictions/metrics": "fast",
    "readme": "process",
    "report": "fast",
    "rules": "fast",
    "rules/detection": "slow",
    "service": "process",
    "trust": "slow",
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


@pytest.fixture(scope="session")
def complete_diagnosis():
    """Make a diagnosis with all evidence there can be; its foreign strings are `name`, `everywhere` all its strings."""

    def make(name, *, everywhere=False):
        key = SeriesKey(name, name, name if everywhere else "all")
        change = BeforeAfter(key, 0.96, 0.87, -0.09, -0.12, -0.06, -6.0, 4)
        rows = BeforeAfter(key._replace(metric="rows"), 1182.5, 2197.2, 1014.7, None, None, 9.0, 4)
        started_at = datetime(2025, 1, 9, tzinfo=UTC)
        return Diagnosis(
            name, Severity.CRITICAL, key,
            Verdict(name if everywhere else "Accuracy dropped.", "Likely data drift.", "Retrain."),
            SeriesPattern(key, Pattern.DROP, started_at, -0.09, 0.98),
            (CauseHypothesis(Cause.DATA_DRIFT, 0.75, (f"{name} shifted",), (f"no note of {name}",), Certainty.LIKELY),
             CauseHypothesis(Cause.NOISE, 0.1, ("few",))),
            (Action.RETRAIN, Action.TICKET), (Question("Declining?", "yes", "accuracy dropped"),),
            other_patterns=(SeriesPattern(SeriesKey(name, "recall", name), Pattern.DECLINE, started_at, -0.1, 0.6),),
            forecast=Forecast(-0.01, -0.02, -0.001, 0.001, limit=0.8, days=6.4, soonest=3.0),
            metric_changes=(change, rows),
            feature_shifts=(
                FeatureShift(name, 0.31, 0.02, missing=(0.0, 0.34), unseen=(0.0, 0.1),
                             **({"metric": name} if everywhere else {})),
            ),
            segments=(SegmentContribution(name, (0.3, 0.4), (0.9, 0.7), -0.08, -0.01),),
            labels_since_change=12_000,
        )  # fmt: skip

    return make


@pytest.fixture
def isolated_home(tmp_path, monkeypatch):
    """Hide the configuration and the store of the machine; the working directory is empty but for the home."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shared_store():
    """Return the folder of a store that the users 44441 and 44442 share by the group 55555; only root can be both."""
    if os.getuid():
        pytest.skip("only root can be two users")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        store = Path(name) / "store"
        store.mkdir()
        os.chown(store, 44441, 55555)
        store.chmod(0o2770)
        yield store


@pytest.fixture(scope="session")
def write_over():
    """Replace bytes of a file in place and set its time back, as `rsync --inplace --times` and `cp -p` do."""

    def replace_bytes(path, old, new):
        before = path.stat()
        data = path.read_bytes()
        assert old in data
        assert len(old) == len(new)
        with path.open("r+b") as file:
            file.write(data.replace(old, new))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = path.stat()
        assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)

    return replace_bytes


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
