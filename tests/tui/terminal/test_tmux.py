"""Within tmux, which answers for the terminal and has its own idea of what a screen is."""

import sys


def test_within_tmux_it_opens_moves_zooms_and_leaves(in_tmux, fleet):
    session = in_tmux([sys.executable, "-m", "modeltop_tui", str(fleet)]).wait_for("critical").settle()
    assert "▲ triage" in session.text
    session.type("j").wait_for("Metrics of churn")
    session.type("z").wait_for("1 Models", absent=True).type("z").wait_for("1 Models").type("q")
    assert session.exit_code() == 0
