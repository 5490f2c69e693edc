"""Where the app cannot be shown, the summary is; where it is not asked for, its libraries are not loaded."""

import subprocess
import sys

import pytest


@pytest.fixture
def run(environment, tmp_path):
    def run(*args, **streams):
        return subprocess.run(
            [sys.executable, *map(str, args)],
            env=environment,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )

    return run


@pytest.mark.parametrize("term", ["dumb", "", None], ids=["dumb", "empty", "unset"])
def test_on_a_terminal_that_can_do_nothing_the_summary_is_printed(spawn, fleet, term):
    session = spawn(fleet, TERM=term)
    assert session.exit_code(seconds=10) == 0
    assert b"\x1b" not in session.output
    assert b"triage" in session.output
    assert b"summary only: TERM is" in session.output


def test_without_a_terminal_the_summary_is_printed(run, fleet):
    done = run("-m", "modeltop_tui", fleet)
    assert done.returncode == 0
    assert b"triage" in done.stdout
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"stdin is not a terminal" in done.stderr


@pytest.mark.parametrize(("redirected", "named"), [("</dev/null", "stdin"), (">out", "stdout"), ("2>err", "stderr")])
def test_any_redirected_stream_means_no_app(spawn, fleet, redirected, named, tmp_path):
    command = f"exec '{sys.executable}' -m modeltop_tui '{fleet}' {redirected}"
    session = spawn(argv=["/bin/sh", "-c", command])
    assert session.exit_code(seconds=10) == 0
    files = [tmp_path / name for name in ("out", "err")]
    output = bytes(session.output) + b"".join(file.read_bytes() for file in files if file.exists())
    assert f"{named} is not a terminal".encode() in output
    assert b"triage" in output
    assert b"\x1b" not in output


@pytest.mark.parametrize("words", [["check"], ["alerts"], ["export"], ["--version"]], ids=lambda words: words[0])
def test_no_command_but_the_app_loads_what_only_the_app_needs(run, fleet, words):
    paths = [] if words == ["--version"] else [fleet]
    done = run("-X", "importtime", "-m", "modeltop_tui", *words, *paths)
    loaded = {line.rpartition(b"|")[2].strip().partition(b".")[0] for line in done.stderr.splitlines()}
    assert b"modeltop" in loaded
    assert not loaded & {b"textual", b"rich", b"plotext", b"asyncio"}
