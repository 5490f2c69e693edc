"""What goes over the line: counts of bytes, not timings."""

import subprocess
import sys

import pytest

APPEND = """
import os, sys
handle = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
os.write(handle, sys.argv[2].encode())
"""


def test_the_first_screen_shows_the_worst_model_in_at_most_30_kb(opened):
    text, output = opened.first
    assert "What triage: " in text.splitlines()[1]
    assert len(output) <= 30_000
    assert output.count(b"1 Models") == 1, "painted once, with its data"


def test_a_large_screen_is_painted_once_too(spawn, fleet):
    session = spawn(fleet, size=(120, 36)).wait_for("3 All metrics").wait_for("dropped overnight").settle()
    assert session.output.count(b"3 All metrics") == 1
    assert len(session.output) <= 60_000


@pytest.mark.parametrize("keys", ["jjj", "llh"], ids=["model", "metric"])
def test_the_next_model_or_metric_costs_at_most_12_kb(opened, keys):
    for key in keys:
        titles, before = titles_of(opened), len(opened.output)
        assert opened.type(key).wait_until(lambda was=titles: titles_of(opened) != was, seconds=5)
        opened.settle(0.3)
        assert len(opened.output) - before <= 12_000


def titles_of(session):
    """The upper edges of the panes: they name the model and the metric."""
    return [line for line in session.screen.display if "2 Metrics" in line or "3 " in line]


def test_five_idle_seconds_cost_nothing(opened):
    opened.settle(1.0)
    assert not opened.pump(5.0)


def test_a_row_that_another_process_appends_is_shown_and_little_else_is_sent(spawn, tmp_path):
    path = tmp_path / "live.csv"
    path.write_text("date,model,accuracy\n" + "".join(f"2025-01-{day:02},live,0.95\n" for day in range(1, 31)))
    session = spawn(path).wait_for("0.950").settle(1.0)
    before = len(session.output)
    subprocess.run([sys.executable, "-c", APPEND, str(path), "2025-01-31,live,0.8125\n"], check=True)
    session.wait_for("0.81", seconds=5).wait_for("critical", seconds=5).settle()
    assert len(session.output) - before <= 20_000


def test_it_can_be_used_without_the_mouse(spawn, fleet):
    session = spawn("--no-mouse", fleet).wait_for("critical").settle().type("q")
    assert session.exit_code() == 0
    assert b"\x1b[?1000h" not in session.output
    assert b"\x1b[?1003h" not in session.output
