"""The watcher, the app and a writer on one store, shorter than the benchmark."""

import pytest

from tests.benchmarks.soak import run_soak


@pytest.mark.slow
def test_watch_app_and_writer_live_on_one_store_without_error_or_growth(tmp_path):
    findings = {finding.name: finding for finding in run_soak(tmp_path, seconds=45)}
    # How much of the processor it takes depends on who else is at work here: the benchmark says it.
    judged = [finding for name, finding in findings.items() if "processor" not in name]
    assert [finding.verdict for finding in judged] == ["reached"] * 4, [finding.format_line() for finding in judged]
