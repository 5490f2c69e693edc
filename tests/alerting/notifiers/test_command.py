"""The `command` notifier: no shell, no secrets in its environment, no way to delay the daemon."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from modeltop.alerting.notifiers.command import Command
from modeltop.core.errors import NotifyError

RECORD = """
import json, os, sys
with open(sys.argv[1], "w") as file:
    json.dump({"argv": sys.argv[2:], "text": sys.stdin.buffer.read().decode(), "env": dict(os.environ)}, file)
"""
PARENT = """
import os, sys, time
if os.fork() == 0:
    DETACH
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(str(os.getpid()))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""


@pytest.fixture
def recorder(tmp_path):
    """A program that records what it was sent, and a function that reads the record."""
    path = tmp_path / "record.json"

    def read():
        return json.loads(path.read_text())

    read.command = (sys.executable, "-c", RECORD, str(path))
    return read


def python(code, *words):
    return (sys.executable, "-c", code, *words)


def failure(command, message):
    with pytest.raises(NotifyError) as caught:
        command.send(message)
    return caught.value


def test_the_text_is_on_its_standard_input_and_facts_are_in_its_environment(recorder, message):
    Command(command=(*recorder.command, "--loud", "$HOME", "*")).send(message())
    record = recorder()
    assert record["argv"] == ["--loud", "$HOME", "*"]
    assert record["text"].startswith("critical fraud-detector: accuracy 0.870 < 0.90\n\naccuracy 0.870: critical")
    assert "0.96 █▇▆▃▁ 0.87" in record["text"]
    variables = {name: text for name, text in record["env"].items() if name.startswith("MODELTOP_")}
    assert variables["MODELTOP_MODEL"] == "fraud-detector"
    assert variables["MODELTOP_SEVERITY"] == "critical"
    assert variables["MODELTOP_DEDUP_KEY"] == "modeltop:1a2b3c4d"


def test_it_inherits_harmless_variables_and_those_that_are_named(recorder, message, monkeypatch):
    monkeypatch.setenv("SLACK_URL", "s3cret")
    monkeypatch.setenv("PAGER_TOKEN", "t0ken")
    Command(command=recorder.command, keep=("PAGER_TOKEN", "NOT_SET")).send(message())
    env = recorder()["env"]
    assert "SLACK_URL" not in env
    assert env["PAGER_TOKEN"] == "t0ken"
    assert env["PATH"] == os.environ["PATH"]
    assert "NOT_SET" not in env


def test_foreign_text_reaches_neither_argv_nor_a_shell(recorder, message, hostile):
    Command(command=recorder.command).send(message(model=hostile, metric=hostile, rule=hostile, segment=hostile))
    record = recorder()
    assert record["argv"] == []
    assert all(text.isprintable() for name, text in record["env"].items() if name.startswith("MODELTOP_"))
    assert all(line.isprintable() for line in record["text"].split("\n"))


def test_the_text_can_be_ascii(recorder, message):
    Command(command=recorder.command, ascii=True).send(message(model="宽 é"))
    text = recorder()["text"]
    assert text.isascii()
    assert "0.96 #*+._ 0.87" in text


@pytest.mark.parametrize(("code", "permanent"), [(1, False), (75, False), (127, False), (64, True), (78, True)])
def test_the_exit_code_is_reported_with_the_last_line_of_standard_error(message, code, permanent):
    complain = python("import sys; print('first', file=sys.stderr); print('no \\x1b[2J luck', file=sys.stderr); "
                      f"sys.exit({code})")  # fmt: skip
    error = failure(Command(command=complain), message())
    name = Path(sys.executable).name
    assert (str(error), error.permanent) == (f"{name} ended with {code}: no \\x1b[2J luck", permanent)


def test_a_secret_that_it_was_given_is_redacted_from_its_standard_error(message, monkeypatch):
    monkeypatch.setenv("PAGER_TOKEN", "t0ken-xyzzy")
    leak = python("import os, sys; sys.exit('bad token ' + os.environ['PAGER_TOKEN'])")
    error = failure(Command(command=leak, keep=("PAGER_TOKEN",)), message())
    assert "ended with 1: bad token <secret>" in str(error)


@pytest.mark.parametrize(
    "detach",
    [
        pytest.param("", id="in its process group"),
        pytest.param("os.setsid()", id="in a session of its own"),
        pytest.param("os.setsid(); os.fork() and os._exit(0)", id="a daemon"),
    ],
)
def test_a_program_that_does_not_end_is_killed_with_its_children(message, tmp_path, detach):
    pid = tmp_path / "pid"
    parent = PARENT.replace("DETACH", detach or "pass")
    error = failure(Command(command=python(parent, str(pid)), timeout=2.0), message())
    assert "did not end within 2 s and was killed" in str(error)
    assert not error.permanent
    assert has_ended(int(pid.read_text()))


def has_ended(pid):
    """Whether a process has ended; a zombie that nobody has collected yet has."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("length", [10, 3_000_000], ids=["a short message", "a message longer than a pipe takes"])
def test_a_program_that_leaves_a_child_behind_has_succeeded(message, tmp_path, length):
    end, timed_out = tmp_path / "end", tmp_path / "timed_out"
    waits = (
        "import pathlib, sys, time\nend, timed_out = map(pathlib.Path, sys.argv[1:])\n"
        "for _ in range(200):\n    end.exists() and sys.exit()\n    time.sleep(0.05)\ntimed_out.touch()"
    )
    leaves = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', *sys.argv[1:]])"
    command = Command(command=python(leaves, waits, str(end), str(timed_out)), timeout=5)
    command.send(message(sentence="x" * length))
    assert not timed_out.exists(), "the child was waited for"
    end.touch()


def test_programs_that_never_read_or_never_stop_writing_hold_nothing_up(message):
    long_message = message(sentence="x" * 3_000_000)
    Command(command=python("pass"), timeout=5).send(long_message)
    chatter = python("import sys\nfor _ in range(20000): sys.stderr.write('x' * 99 + '\\n')\nsys.exit(3)")
    assert len(str(failure(Command(command=chatter, timeout=10), long_message))) < 250


class StoppedStream:
    """The standard input of a program whose writer is stopped between writing and closing, until `resume`."""

    def __init__(self, stream):
        self.stream, self.resume, self.closed_by = stream, threading.Event(), []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def write(self, text):
        self.stream.write(text)  # buffered: the broken pipe shows when the stream is closed
        self.resume.wait()

    def close(self):
        self.closed_by.append(threading.current_thread())
        self.stream.close()


@pytest.fixture
def stopped_streams(monkeypatch):
    """The `StoppedStream` of each program that is started."""
    streams = []

    class Popen(subprocess.Popen):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.stdin = StoppedStream(self.stdin)
            streams.append(self.stdin)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    yield streams
    for stream in streams:
        stream.resume.set()


@pytest.mark.parametrize(("code", "expected"), [(0, None), (3, "ended with 3: no")])
def test_a_program_that_ends_without_reading_is_judged_by_its_exit_code_alone(message, stopped_streams, code, expected):
    command = Command(command=python(f"import sys; {code} and print('no', file=sys.stderr); sys.exit({code})"))
    if expected is None:
        command.send(message())
    else:
        assert expected in str(failure(command, message()))
    (stdin,) = stopped_streams
    assert stdin.closed_by == [], "its writer is still at it"
    stdin.resume.set()
    for _ in range(10_000):
        if stdin.closed_by:
            break
        time.sleep(0.001)
    (closer,) = stdin.closed_by
    closer.join()
    assert closer is not threading.current_thread()
    assert stdin.stream.closed


@pytest.mark.parametrize("missing", ["/no/such/program", "no-such-program-anywhere"])
def test_a_missing_program_is_a_permanent_failure(message, missing):
    error = failure(Command(command=(missing,)), message())
    assert (str(error), error.permanent) == (f"{missing} cannot be run: no such file or directory", True)


def test_a_program_without_permission_to_run_is_a_permanent_failure(message, tmp_path):
    script = tmp_path / "page.sh"
    script.write_text("#!/bin/sh\n")
    error = failure(Command(command=(str(script),)), message())
    assert error.permanent
    assert "cannot be run: permission denied" in str(error)


@pytest.mark.parametrize("command", [(), ("",), ("a\0b",)])
def test_no_program_at_all_is_a_mistake_of_the_configuration(command):
    with pytest.raises(ValueError, match=r"^command: "):
        Command(command=command)
