"""Over a real ssh connection, within tmux: a whole incident by keys alone, and what is left when the line is cut."""

import os
import shlex
import signal
import subprocess
import sys

import pytest

MODEL = "checkout-fraud"
"""The model of the demo that fails within a minute."""
INCIDENT = (
    ("g", "", f"What {MODEL}: "),
    ("Enter", "", f"{MODEL}: diagnosis"),
    ("a", "taking it", f"Acknowledge {MODEL}. Reason: taking it"),
    ("Enter", "", f"{MODEL} acknowledged until"),
    ("S", "deploy 2.4 rolled back", "why      deploy 2.4 rolled back"),
    ("Enter", "", "silenced until"),
    ("N", "threshold is 0.5 again", f"note on {MODEL}: threshold is 0.5 again"),
    ("Enter", "", f"note added to {MODEL}"),
    ("y", "", "sent to the clipboard"),
    ("q", "", "1 Models"),
)
"""Find it and see what and why, open the evidence, acknowledge, silence, note, copy, leave the evidence: each key, what
is typed after it as text, and what only then is on the screen. One more key quits."""
MAX_KEYS = 14


@pytest.fixture
def remote(over_ssh, in_tmux, environment):
    """Runs `modeltop` over ssh, in a tmux of 80x24; `before` is what the remote shell runs first."""

    def run(*arguments, before="", **variables):
        names = ("HOME", "PYTHONPATH", "XDG_STATE_HOME", "XDG_CACHE_HOME", "LANG")
        inherited = {name: environment[name] for name in names} | variables
        setting = shlex.join(f"{name}={value}" for name, value in inherited.items())
        program = shlex.join([sys.executable, "-m", "modeltop_tui", *map(str, arguments)])
        return in_tmux([*over_ssh, f"{before} exec env {setting} {program}"])

    return run


@pytest.fixture
def run_cli(environment):
    """Runs a command on this side, and returns what it prints."""

    def run(*words):
        argv = [sys.executable, "-m", "modeltop_tui", *words]
        return subprocess.run(argv, env=environment, capture_output=True, check=True, text=True).stdout

    return run


@pytest.mark.slow
def test_the_incident_of_the_demo_from_first_sight_to_quit_takes_few_keys(remote, run_cli, tmp_path):
    folder = tmp_path / "demo"
    folder.mkdir()
    session = remote("demo", TMPDIR=str(folder))
    session.wait_for("What triage: accuracy dropped overnight").wait_for("▲ check", seconds=90)
    transcript = [("", session.text)]
    for key, text, seen in INCIDENT:
        assert seen not in session.text, f"before {key}, {seen!r} is on screen:\n{session.text}"
        session.type({"Enter": "\r"}.get(key, key)).settle(0.1)
        session.type(text).wait_for(seen)
        transcript.append((f"{key}  {text}".rstrip(), session.text))
    (store,) = folder.iterdir()
    kept = [run_cli(*words, "--store", store) for words in (("story", MODEL), ("silence", "list"))]
    assert session.type("q").exit_code() == 0
    (tmp_path / "transcript").write_text("\n".join(f"-- {key}\n{screen}" for key, screen in transcript))
    assert [text for _, text, _ in INCIDENT if text not in "\n".join(kept)] == []
    assert MODEL in (tmp_path / "home" / "state" / "modeltop" / "copied.txt").read_text()
    assert len(INCIDENT) + 1 <= MAX_KEYS
    assert [*folder.iterdir()] == []


@pytest.mark.parametrize("trap", ["", "trap '' HUP;"], ids=["SIGHUP heard", "SIGHUP ignored"])
def test_a_dropped_connection_leaves_no_process_behind(remote, has_ended, fleet, tmp_path, trap):
    note = tmp_path / "pid"
    session = remote(fleet, before=f"{trap} echo $$ $PPID > {note};")
    session.wait_for("1 Models", seconds=20).wait_for("critical").settle()
    session.type("j").wait_for("Metrics of churn", seconds=10).type("z").wait_for("1 Models", absent=True).settle()
    program_pid, server_pid = map(int, note.read_text().split())
    os.kill(server_pid, signal.SIGKILL)  # the connection's own server process: the line is cut, nobody says goodbye
    assert has_ended(program_pid, seconds=3)
