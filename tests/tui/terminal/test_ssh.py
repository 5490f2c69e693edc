"""Over a real ssh connection, within tmux: what is left when the line is cut."""

import os
import shlex
import signal
import sys

import pytest


@pytest.mark.parametrize("trap", ["", "trap '' HUP;"], ids=["SIGHUP heard", "SIGHUP ignored"])
def test_a_dropped_connection_leaves_no_process_behind(
    over_ssh, in_tmux, has_ended, fleet, tmp_path, environment, trap
):
    note = tmp_path / "pid"
    inherited = ("HOME", "PYTHONPATH", "XDG_STATE_HOME", "XDG_CACHE_HOME", "LANG")
    setting = " ".join(f"{name}={shlex.quote(environment[name])}" for name in inherited)
    program = f"exec env {setting} {shlex.quote(sys.executable)} -m modeltop_tui {shlex.quote(str(fleet))}"
    session = in_tmux([*over_ssh, f"{trap} echo $$ $PPID > {note}; {program}"])
    session.wait_for("1 Models", seconds=20).wait_for("critical").settle()
    session.type("j").wait_for("Metrics of churn", seconds=10).type("z").wait_for("1 Models", absent=True).settle()
    program_pid, server_pid = map(int, note.read_text().split())
    os.kill(server_pid, signal.SIGKILL)  # the connection's own server process: the line is cut, nobody says goodbye
    assert has_ended(program_pid, seconds=3)
