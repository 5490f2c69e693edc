"""`modeltop help`: the topics of the manual, plain in a pipe, paged and fitted to a terminal."""

import os
import pty
import re
import subprocess
import sys

import pytest

from modeltop.cli.context import COMMANDS
from modeltop.cli.help import FOLDER, rendered, topics
from modeltop.core.text import display_width

TOPICS = (
    "getting-started", "accuracy", "alerting", "architecture", "diagnosis", "extending", "formats", "keys",
    "predictions", "python", "rules", "security", "service",
)  # fmt: skip


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def test_without_a_topic_all_are_listed_with_what_each_is_about(run):
    done = run("help")
    assert done.code == 0
    assert tuple(topics()) == TOPICS
    for name, about in topics().items():
        assert f"{name} " in done.out
        assert about in done.out
        assert len(about) > 15


@pytest.mark.parametrize("name", TOPICS)
def test_in_a_pipe_a_topic_is_its_markdown(name, run):
    done = run("help", name)
    assert (done.code, done.out) == (0, text_of(name))


def test_a_topic_comes_before_a_command_of_its_name_and_a_command_has_its_options(run):
    assert "rules" in COMMANDS
    assert run("help", "rules").out.startswith("# Rules")
    assert run("help", "check").out.startswith("usage: modeltop check")
    assert "--below" in run("help", "check").out


@pytest.mark.parametrize(
    ("word", "message"), [("ruls", "did you mean rules?"), ("zzz", "`modeltop help` lists the topics")]
)
def test_an_unknown_topic_is_an_error_with_the_next_step(word, message, run):
    done = run("help", word)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1


def words(text: str) -> list[str]:
    text = re.sub(r"<!-- .*? -->|^```\w*$|\[([^\]]*)\]\([^)]*\)|^\|( --- \|)+$", r"\1", text, flags=re.MULTILINE)
    return sorted(re.findall(r"\w+", text.lower()))


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("name", TOPICS)
def test_on_a_terminal_no_word_is_lost_and_no_line_but_code_is_too_wide(name, width):
    lines = list(rendered(text_of(name), width))
    fenced = re.findall(r"^```.*?^```$", text_of(name), re.DOTALL | re.MULTILINE)
    code = {line.partition("  # ")[0].strip() for block in fenced for line in block.splitlines()}
    wide = [line for line in lines if display_width(line) > width and line.strip() not in code]
    assert [line for line in wide if len(line.split()) > 1 and not line.startswith(("    ", "# "))] == []
    # A name that is longer than its column is cut in two lines.
    assert "".join(words("\n".join(lines))) != ""
    assert len("".join(words("\n".join(lines)))) == len("".join(words(text_of(name))))


def test_a_screen_of_80_columns_fits_a_terminal_of_80():
    lines = [line for line in rendered(text_of("getting-started"), 80) if "│" in line]
    assert len(lines) > 10
    assert {display_width(line) for line in lines} <= {*range(81)}


@pytest.mark.parametrize(
    ("pager", "first"), [("sed s/^/paged:/", "paged:Extending: a metric"), ("nonsense -R", "Extending: a metric")]
)
def test_on_a_terminal_a_topic_goes_through_the_pager_if_there_is_one(tmp_path, pager, first):
    controller, terminal = pty.openpty()
    less = tmp_path / "less"  # which is tried if no pager is set
    less.write_text("#!/bin/sh\n[ -t 0 ] || cat\n")
    less.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    environment = {**os.environ, "PAGER": pager, "PATH": path, "TERM": "xterm", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "modeltop", "help", "extending"]
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        shown = b""
        try:
            while chunk := os.read(controller, 65_536):
                shown += chunk
        except OSError:  # Linux's end of a terminal
            pass
    os.close(controller)
    assert process.returncode == 0
    assert shown.startswith(first.encode())
    assert b"| --- |" not in shown


def test_a_topic_that_is_not_there_suggests_one_that_is(run):
    assert run("help", "nope").err == "modeltop: no topic is called nope: `modeltop help` lists the topics\n"
    assert run("help", "keyz").err == "modeltop: no topic is called keyz: did you mean keys?\n"


def test_the_overview_of_commands_leads_to_the_manual(run):
    assert "`modeltop help` the topics of the manual" in run("--help").out


def test_every_topic_is_in_the_package():
    assert {path.stem for path in FOLDER.iterdir()} == {*TOPICS}
