"""Standard streams that are closed or full: the exit code is the answer, and what was kept is a success."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trust.conftest import MODULE

NO_SPACE = "modeltop: standard output cannot be written: No space left on device\n"
STREAMS = {
    "stdin closed": ("<&-", ""),
    "stdout closed": (">&-", ""),
    "stderr closed": ("2>&- >/dev/null", ""),
    "all closed": ("<&- >&- 2>&-", ""),
    "stdout full": (">/dev/full", NO_SPACE),
    "stderr full": ("2>/dev/full >/dev/null", ""),
    "both full": (">/dev/full 2>/dev/full", ""),
    "a reader that leaves": ("> >(true)", ""),
}
OTHERS = {
    "export PATH": 2,
    "export PATH --csv -": 2,
    "report PATH --format html": 2,
    "alerts PATH --json": 2,
    "PATH": 2,
    "help": 2,
    "--version": 2,
}


@pytest.fixture
def shell(machine):
    """Runs a command of modeltop with redirections in a shell, and returns its exit code and what it told a person."""
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is of Linux")
    values = [0.95 if day < 28 else 0.5 for day in range(1, 31)]
    rows = "".join(f"2026-06-{day:02},{value}\n" for day, value in enumerate(values, start=1))
    (machine.home / "bad.csv").write_text("date,accuracy\n" + rows)
    told = machine.home / "told"

    def run(words, redirections):
        command = f"{shlex.join([sys.executable, '-m', MODULE, *words.split()])} 2>{shlex.quote(str(told))}"
        argv = ["bash", "-c", f"{command} {redirections}"]
        done = subprocess.run(argv, check=False, cwd=machine.home, env=machine._env(), timeout=60)
        return done.returncode, told.read_text()

    return run


@pytest.mark.parametrize("streams", STREAMS)
def test_the_exit_code_of_check_is_what_was_found(shell, streams):
    redirections, told = STREAMS[streams]
    assert shell("check bad.csv", redirections) == (2, told)


@pytest.mark.parametrize("streams", STREAMS)
def test_a_row_that_was_kept_is_a_success(shell, machine, streams):
    code, _ = shell("record new accuracy=0.9 --store store", STREAMS[streams][0])
    assert code == 0
    (path,) = (machine.home / "store").glob("new-*.csv")
    assert path.read_text().count("new,") == 1


@pytest.mark.parametrize("words", OTHERS)
def test_what_cannot_be_written_is_one_line(shell, words):
    assert shell(words.replace("PATH", "bad.csv"), ">/dev/full") == (OTHERS[words], NO_SPACE)


@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "folder"])
@pytest.mark.parametrize(("words", "code"), [("check bad.csv --config NAME", 3), ("compute NAME --store store", 2)])
def test_a_fifo_or_device_is_refused_at_once(shell, machine, words, code, name):
    os.mkfifo(machine.home / "pipe")
    (machine.home / "folder").mkdir()
    found, told = shell(words.replace("NAME", name), ">/dev/null")
    assert (found, told.count("\n"), "Traceback" in told) == (code, 1, False), told
