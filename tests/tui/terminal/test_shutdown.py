"""However it ends, the terminal is as it was, the code is right, and nobody is left behind."""

import signal
import sys
import time

import pytest

BROKEN = """
import sys
import modeltop_tui.actions
from modeltop_tui.__main__ import main

def fail(screen, poller):
    password = "hunter2"
    raise ValueError("cannot do \\x1b]0;PWNED\\x07 this")

modeltop_tui.actions.ACTIONS["refresh"] = fail
sys.exit(main())
"""
SLOW = """
import sys, time
from modeltop.service.pipeline import Pipeline
from modeltop_tui.__main__ import main

Pipeline.run = lambda self, clock, progress=None: time.sleep(60)
sys.exit(main())
"""


def started(session):
    return session.wait_for("critical").settle()


def test_q_leaves_the_terminal_as_it_was(spawn, fleet):
    session = started(spawn(fleet)).type("q")
    assert session.exit_code() == 0
    assert session.restored() == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["term", "hup"])
def test_a_signal_ends_it_cleanly(spawn, fleet, number, code):
    session = started(spawn(fleet))
    session.kill(number)
    assert session.exit_code() == code
    assert session.restored() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["term", "hup"])
def test_a_signal_before_the_first_frame_ends_it_too(spawn, fleet, number):
    session = spawn(fleet)
    while b"\x1b[c" not in session.output:  # it has just asked for the background, with the echo switched off
        session.pump()
    session.kill(number)
    assert session.exit_code() == 128 + number
    assert session.restored() == []


@pytest.mark.parametrize("ignored", [False, True], ids=["SIGHUP heard", "SIGHUP ignored"])
def test_a_terminal_that_hangs_up_takes_it_along(spawn, fleet, ignored):
    session = started(spawn(fleet, ignore_hangup=ignored))
    session.hang_up()
    assert session.exit_code(seconds=3) == 129


def test_q_does_not_wait_for_a_slow_disk(spawn, fleet):
    session = spawn(fleet, argv=[sys.executable, "-c", SLOW]).wait_for("loading").settle().type("q")
    assert session.exit_code(seconds=3) == 0
    assert session.restored() == []


def test_frames_that_nobody_read_do_not_hold_up_the_end(spawn, fleet):
    session = started(spawn(fleet, size=(200, 60)))
    session.type("zz" * 20)  # far more than the terminal's own buffer; nobody reads it
    time.sleep(1)
    before = len(session.output)
    session.type("q")
    assert session.exit_code() == 0
    assert len(session.output) - before < 20 * 60_000
    assert session.restored() == []


@pytest.mark.parametrize("stop", ["key", "signal"])
def test_it_can_be_suspended_and_comes_back_painted(spawn, fleet, stop):
    session = started(spawn(fleet))
    session.type("\x1a") if stop == "key" else session.kill(signal.SIGTSTP)
    assert session.wait_until(lambda: session.state() == "T", seconds=5)  # a busy machine is no failure
    session.settle()
    assert session.restored() == []
    session.screen.reset()
    session.kill(signal.SIGCONT)
    session.wait_for("1 Models").wait_for("critical").settle().type("q")
    assert session.exit_code() == 0
    assert session.restored() == []


def test_stopped_without_notice_it_goes_on_with_one_reader_of_keys(spawn, fleet):
    session = started(spawn(fleet))
    session.kill(signal.SIGSTOP)
    session.kill(signal.SIGCONT)
    session.settle().type("?").wait_for("Help").type("?").wait_for("Help", absent=True).type("q")
    assert session.exit_code() == 0


def test_an_error_of_its_own_is_one_line_and_a_log_without_secrets(spawn, fleet, tmp_path):
    session = started(spawn(fleet, argv=[sys.executable, "-c", BROKEN])).type("r")
    assert session.exit_code() == 1
    assert session.restored() == []
    last_line = bytes(session.output).rpartition(b"\x1b")[2].decode().splitlines()[-1]
    (log,) = (tmp_path / "home" / "state" / "modeltop").glob("*.log")
    assert str(log) in bytes(session.output).decode().replace("\r\n", "")
    assert "ValueError" in bytes(session.output).decode(), last_line
    assert log.stat().st_mode & 0o777 == 0o600
    text = log.read_text()
    assert "ValueError: cannot do \\x1b]0;PWNED" in text
    assert "hunter2" not in text + session.output.decode()
    assert session.foreign() == []


def test_an_error_in_check_is_unknown_and_not_a_warning(spawn, fleet):
    broken = SLOW.replace("time.sleep(60)", "1 / 0")
    session = spawn("check", fleet, argv=[sys.executable, "-c", broken])
    assert session.exit_code() == 3
    assert b"ZeroDivisionError" in session.output
    assert b"Traceback" not in session.output


def test_a_demo_that_is_hung_up_on_takes_its_files_along(spawn, tmp_path):
    session = spawn("demo", TMPDIR=str(tmp_path)).wait_for("1 Models").settle()
    assert list(tmp_path.glob("modeltop-demo-*"))
    session.hang_up()
    assert session.exit_code() == 129
    assert not list(tmp_path.glob("modeltop-demo-*"))
