"""Within tmux, which answers for the terminal and has its own idea of what a screen is."""

import sys


def test_within_tmux_it_opens_moves_zooms_and_leaves(in_tmux, fleet):
    session = in_tmux([sys.executable, "-m", "modeltop_tui", str(fleet)]).wait_for("CRIT").settle()
    assert "▲CRIT triage" in session.text
    first = session.screen.display[0]
    assert session.type("j").wait_until(lambda: session.screen.display[0] != first, seconds=5)
    session.type("z").wait_for("1 Models", absent=True).type("z").wait_for("1 Models").type("q")
    assert session.exit_code() == 0
