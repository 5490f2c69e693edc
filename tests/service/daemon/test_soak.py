"""The watcher, the app and a writer on one store, shorter than the benchmark."""

import pytest

from tests.benchmarks.soak import measured


@pytest.mark.slow
def test_watch_app_and_writer_live_on_one_store_without_error_or_growth(tmp_path):
    found = {one.what: one for one in measured(tmp_path, seconds=45)}
    # How much of the processor it takes depends on who else is at work here: the benchmark says it.
    judged = [one for name, one in found.items() if "processor" not in name]
    assert [one.verdict for one in judged] == ["reached"] * 4, [one.line() for one in judged]
