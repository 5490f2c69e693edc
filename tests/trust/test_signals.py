"""Signals that come before the watcher is ready, and what runs when it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.trust.conftest import LONGEST, MODULE, wait_until

COMMAND = """
[receivers.program]
type = "command"
command = ["/bin/sh", "-c", "echo $$ > {pid}; sleep 300 & wait"]
timeout = 60
"""


@pytest.mark.parametrize("after", [0.0, 0.05, 0.2, 0.8])
def test_a_reload_asked_for_while_it_starts_does_not_end_it(machine, after):
    machine.healthy("m1", ends=machine.clock.now)
    log = machine.home / "watch.log"
    with log.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE, "watch", "--config", str(machine.home / "modeltop.toml")],
            cwd=machine.home,
            env=machine._env(),
            stdout=subprocess.DEVNULL,
            stderr=err,
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),  # noqa: PLW1509  as a shell starts it
        )
    try:
        # Before Python itself runs, nothing can handle a signal.
        assert wait_until(lambda: _handles_reload(process.pid), LONGEST), log.read_text()
        time.sleep(after)
        process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: machine.heartbeats.attempts, LONGEST), log.read_text()
        assert process.poll() is None
    finally:
        process.terminate()
        process.wait(10)


def test_a_program_that_still_runs_ends_with_the_watcher(machine):
    pid = machine.home / "pid"
    machine.configure("ops", more=COMMAND.format(pid=pid))
    machine.healthy("m1", ends=machine.clock.now)
    watcher = machine.watch()
    machine.rows("m1", 0.5, ends=machine.clock.now)
    assert wait_until(lambda: pid.exists() and pid.read_text().strip(), LONGEST)
    group = int(pid.read_text())
    watcher.process.terminate()
    assert wait_until(lambda: watcher.process.poll() is not None, LONGEST)
    assert wait_until(lambda: not _runs(group), 2)


def _handles_reload(pid):
    has_imported_much = "numpy" in Path(f"/proc/{pid}/maps").read_text()
    status = Path(f"/proc/{pid}/status").read_text()
    masks = (int(re.search(rf"{mask}:\s*(\w+)", status)[1], 16) for mask in ("SigIgn", "SigCgt"))
    is_handled = any(mask >> (signal.SIGHUP - 1) & 1 for mask in masks)
    assert is_handled or not has_imported_much, "what takes long to import comes before the handler"
    return is_handled


def _runs(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
