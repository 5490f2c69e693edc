"""Which word is asked, and what happens where the app cannot be shown."""

import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from modeltop import __version__
from modeltop.core.errors import UsageError


def test_a_path_alone_opens_the_app_with_what_was_asked(run, fleet):
    opened = []

    def open_app(observer, options):
        opened.append((observer, options))
        return 7

    assert run(fleet, "--no-mouse", "--no-bell", "--ascii", "--theme", "ansi-dark", open_app=open_app).code == 7
    [(_, options)] = opened
    assert (options.mouse, options.bell, options.ascii, options.theme) == (False, False, True, "ansi-dark")


def test_words_beside_a_path_are_what_the_app_selects(run, fleet):
    opened = []
    assert run(fleet, "credit", "recall", open_app=lambda *given: opened.append(given) or 7).code == 7
    [(pipeline, options)] = opened
    assert options.goto == "credit recall"
    assert not pipeline.run(datetime.now(UTC)).history.problems


def test_a_path_that_is_missing_stays_a_path(run, fleet):
    opened = []
    run(fleet, "no/such.csv", open_app=lambda *given: opened.append(given) or 7)
    [(pipeline, options)] = opened
    assert options.goto == ""
    assert pipeline.run(datetime.now(UTC)).history.problems


def test_without_a_usable_terminal_the_summary_is_printed_and_the_code_is_0(run, fleet):
    outcome = run("open", fleet, open_app=lambda *_: 9, unusable=lambda: "TERM=dumb")
    assert outcome.code == 0
    assert outcome.lines == run("check", fleet).lines
    assert "TERM=dumb" in outcome.err


def test_without_the_app_it_says_what_is_missing(run, fleet):
    outcome = run(fleet)
    assert outcome.code == 0
    assert "pip install modeltop" in outcome.err


def test_a_folder_called_as_a_command_is_reached_by_its_path(run, ten_days, tmp_path):
    (tmp_path / "check").mkdir()
    (tmp_path / "check" / "m.csv").write_bytes(ten_days.read_bytes())
    assert "CRITICAL" in run("./check").out


def test_what_follows_two_dashes_is_a_name(run, tmp_path):
    assert run("record", "--store", "s", "--", "-rf", "accuracy=0.9").code == 0
    assert "-rf" in run("check", "--store", "s").out


def test_options_may_stand_among_paths(run, ten_days, fleet):
    assert run("check", ten_days, "--json", fleet).code == 2


def test_a_misspelt_command_is_no_path(run, ten_days):
    outcome = run("chek", ten_days)
    assert outcome.code == 2
    assert "did you mean `modeltop check`?" in outcome.err


def test_version_and_help(run):
    assert run("--version").out == f"modeltop {__version__}\n"
    assert "check" in run("--help").out
    assert run("check", "--help").code == 0


def test_a_usage_error_of_other_commands_exits_with_2(run):
    for command in ("alerts", "export", "report", "open"):
        assert run(command, "--nonsense").code == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_names_every_command_and_its_options(run, shell):
    script = run("completion", shell).out
    assert all(word in script for word in ("check", "record", "demo", "below", "spreadsheet", "getting-started"))


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("che", "check"),
        ("check --js", "--json"),
        ("help get", "getting-started"),
        ("help ser", "service"),
        ("help ale", "alerting alerts"),
        ("check ser", ""),
    ],
)
def test_completion_works_in_bash(run, tmp_path, words, completed):
    (tmp_path / "c.bash").write_text(run("completion", "bash").out)
    script = f"COMP_WORDS=(modeltop {words}); COMP_CWORD={len(words.split())}; _modeltop; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", f"source ./c.bash; {script}"], capture_output=True, text=True, check=True)
    assert done.stdout == f"{completed}\n"


def test_a_broken_pipe_is_quiet(fleet):
    command = f"{sys.executable} -m modeltop check {fleet} --json | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_output_that_is_not_utf8_loses_shapes_but_no_words(fleet):
    done = subprocess.run(
        [sys.executable, "-m", "modeltop", "check", str(fleet)],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 2
    assert b"X critical triage" in done.stdout
    assert b"0.951->0.816" in done.stdout


def test_an_unknown_theme_is_an_error_without_a_terminal_too(run, fleet):
    def refuse(theme):
        raise UsageError(f"no theme is called {theme!r}")

    outcome = run(fleet, "--theme", "nope", unusable=lambda: "stdin is not a terminal", check_theme=refuse)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", "modeltop: no theme is called 'nope'\n")


def test_check_imports_neither_the_screen_nor_pandas(fleet):
    code = (
        "import sys; from modeltop.cli.main import main; main(['check', sys.argv[1]]); "
        "print([name for name in ('textual', 'rich', 'plotext', 'tui', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(fleet)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_error_without_a_home_folder_for_its_log_is_still_one_line(run, ten_days, monkeypatch):
    def fails(*_: object) -> None:
        raise RuntimeError("no home folder")

    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setattr("modeltop.cli.check.print_summary", fails)
    monkeypatch.setattr("pathlib.Path.home", fails)
    outcome = run("check", ten_days)
    assert (outcome.code, outcome.err.count("\n")) == (3, 1)
    assert "the log could not be written" in outcome.err


@pytest.mark.parametrize("closed", ["0<&-", ">&-", "2>&-", "0<&- >&- 2>&-"])
def test_a_closed_stream_does_not_change_the_exit_code(closed, fleet):
    command = f"exec {shlex.quote(sys.executable)} -m modeltop check {shlex.quote(str(fleet))} {closed}"
    completed = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert completed.returncode == 2
    assert "Traceback" not in completed.stdout + completed.stderr
