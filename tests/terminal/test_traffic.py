"""What goes over the line: counts of bytes, not timings."""

import subprocess
import sys

import pytest

APPEND = """
import os, sys
handle = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
os.write(handle, sys.argv[2].encode())
"""


def test_the_first_screen_shows_the_worst_model_in_at_most_30_kb(spawn, fleet):
    session = spawn(fleet).wait_for("CRIT").settle(0.5)
    assert "triage > " in session.screen.display[0]
    assert len(session.output) <= 30_000
    assert session.output.count(b"1 Models") == 1, "painted once, with its data"


@pytest.mark.parametrize("key", ["j", "l"], ids=["model", "metric"])
def test_the_next_model_or_metric_costs_at_most_12_kb(spawn, fleet, key):
    session = spawn(fleet).wait_for("CRIT").settle(0.5)
    header = session.screen.display[0]
    for _ in range(3):
        before = len(session.output)
        session.type(key).settle(0.3)
        assert 0 < len(session.output) - before <= 12_000
    assert session.screen.display[0] != header


def test_five_idle_seconds_cost_nothing(spawn, fleet):
    session = spawn(fleet).wait_for("CRIT").settle(1.0)
    assert not session.pump(5.0)


def test_a_row_that_another_process_appends_is_shown_and_little_else_is_sent(spawn, tmp_path):
    path = tmp_path / "live.csv"
    path.write_text("date,model,accuracy\n" + "".join(f"2025-01-{day:02},live,0.95\n" for day in range(1, 31)))
    session = spawn(path).wait_for("0.950").settle(1.0)
    before = len(session.output)
    subprocess.run([sys.executable, "-c", APPEND, str(path), "2025-01-31,live,0.8125\n"], check=True)
    session.wait_for("0.81", seconds=5).wait_for("CRIT", seconds=5).settle()
    assert len(session.output) - before <= 20_000


def test_it_can_be_used_without_the_mouse(spawn, fleet):
    session = spawn("--no-mouse", fleet).wait_for("CRIT").settle().type("q")
    assert session.exit_code() == 0
    assert b"\x1b[?1000h" not in session.output
    assert b"\x1b[?1003h" not in session.output
