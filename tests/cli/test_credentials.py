"""A password or a token that is typed is never printed, stored or sent, wherever it was typed."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeltop.cli import main
from modeltop.cli.crash_log import log_lines
from modeltop.core.series import ReadProblem

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.~"
SECRETS = st.text(LETTERS + "!$%^*+:/?#@", min_size=6, max_size=24).map("pw{}".format)
VALUES = st.text(LETTERS, min_size=6, max_size=24).map("pw{}".format)
ADDRESSES = ("postgres://ann:{}@db/x", "https://{}@host/m.csv", "s3://k:{}@bucket/x::t")
TOKENS = ("https://x.test/m.csv?token={}", "m.csv?api_key={}&v=1", "gs://b/x?X-Amz-Signature={}")
DATA_COMMANDS = (
    "check {}", "check --json {}", "alerts {}", "alerts --json --history {}", "report {}", "report --format json {}",
    "report --format html {}", "report --format markdown {}", "export {}", "init --print {}", "rules test {}", "{}",
    "watch --once {}", "watch --once --json {}", "watch --status {}", "watch --dry-run {}", "ack x {}",
    "note --list m {}", "note m {} f.csv", "note {} text f.csv", "ack f --why {} f.csv", "story f {}",
    "silence list {}", "silence add --model {} --why x f.csv", "silence add --model m --why {} f.csv",
)  # fmt: skip
OPTIONS = (
    "check --store {}", "check --config {}", "check --now {} f.csv", "check --below {} f.csv", "check --password {}",
    "record {} accuracy=0.9", "record m {}", "record m accuracy=0.9 --segment {}", "record m accuracy=0.9 --store {}",
    "export f.csv --csv {}", "compute {}", "compute log.csv --label {}", "compute log.csv --model {}", "completion {}",
    "compute log.csv --engine {}", "compute log.csv --store {}", "watch --test {}",
    "compute log.csv --labels {} --id id",
)  # fmt: skip


def stored(folder: Path) -> str:
    """Everything that is under a folder: names and contents."""
    paths = [path for path in folder.rglob("*") if path.name not in ("f.csv", "log.csv")]
    return "\n".join([*map(str, paths), *(path.read_text("utf-8", "replace") for path in paths if path.is_file())])


@pytest.fixture
def here(tmp_path):
    (tmp_path / "f.csv").write_text(
        "date,accuracy\n" + "".join(f"2025-01-{d:02},0.{9 - d // 8}\n" for d in range(1, 31))
    )
    (tmp_path / "log.csv").write_text("id,timestamp,prediction,label\n1,2025-01-01,1,1\n2,2025-01-02,0,0\n")
    return tmp_path


@pytest.mark.parametrize("command", [*DATA_COMMANDS, *OPTIONS])
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=SECRETS, template=st.sampled_from(ADDRESSES))
def test_a_typed_password_is_in_no_output_and_in_no_file(here, capsys, command, secret, template):
    main.main([word.format(template.format(secret)) for word in command.split(" ")])
    printed = capsys.readouterr()
    assert secret not in printed.out + printed.err + stored(here)


@pytest.mark.parametrize("command", DATA_COMMANDS)
@settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secret=VALUES, template=st.sampled_from(TOKENS))
def test_a_typed_token_is_in_no_output_and_in_no_file(here, capsys, command, secret, template):
    main.main([word.format(template.format(secret)) for word in command.split(" ")])
    printed = capsys.readouterr()
    assert secret not in printed.out + printed.err + stored(here)


def test_a_file_that_a_download_named_after_its_token_is_a_model_without_it(run, here):
    (here / "m.csv?token=hunter2hunter2").write_text("date,accuracy\n2025-01-01,0.9\n")
    outcome = run("check", "--json", "m.csv?token=hunter2hunter2")
    assert '"model": "m.csv?token=***"' in outcome.out
    assert "hunter2" not in outcome.out + outcome.err


def test_the_log_of_a_crash_has_no_password():
    error = RuntimeError("could not connect to postgres://ann:hunter2@db/x")
    assert "hunter2" not in "\n".join(log_lines(error))


def test_a_read_problem_has_no_password_whoever_makes_it():
    problem = ReadProblem("postgres://ann:hunter2@db/x", "no answer from postgres://ann:hunter2@db/x")
    assert "hunter2" not in f"{problem} {problem.source} {problem.message}"
