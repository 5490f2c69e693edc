"""`-` reads metrics from standard input, so that any query can be checked without a file."""

import gzip
import json
import os
import pty
import subprocess
import sys

import pandas as pd
import pytest

ROWS = [(f"2025-01-{day:02}", 0.95 if day < 20 else 0.8) for day in range(1, 26)]
CSV = "date,accuracy\n" + "".join(f"{date},{value}\n" for date, value in ROWS)
JSON = json.dumps([{"date": date, "accuracy": value} for date, value in ROWS])
PSQL = "day,model,accuracy\n" + "".join(f"{date} 00:00:00+00,churn,{value}\n" for date, value in ROWS)


@pytest.mark.parametrize(
    "data",
    [
        CSV.encode(),
        CSV.encode("utf-16"),
        gzip.compress(CSV.encode()),
        gzip.compress(CSV.encode("utf-16")),
        JSON.encode(),
        pd.DataFrame(ROWS, columns=["date", "accuracy"]).to_parquet(),
    ],
    ids=["CSV", "UTF-16", "gzip", "UTF-16 in gzip", "JSON", "Parquet"],
)
def test_every_format_is_checked_as_a_file_is(run, data):
    outcome = run("check", "-", stdin=data)
    assert (outcome.code, outcome.err) == (2, "")
    assert outcome.lines[0] == "CRITICAL: stdin accuracy 0.800 < 0.90"


@pytest.mark.parametrize(
    "command", ["inspect", "check", "alerts", "report", "export", "rules test", "init --print", "open", "check --json"]
)
def test_every_command_reads_it(run, command):
    outcome = run(*command.split(), "-", stdin=PSQL.encode())
    assert "churn" in outcome.out
    assert outcome.code in (0, 2)


def test_the_explanation_of_a_model_of_it_is_printed(run):
    assert "Declining?" in run("check", "--explain", "-", "churn", stdin=PSQL.encode()).out


def test_it_is_one_path_among_others(run, tmp_path):
    (tmp_path / "fraud.csv").write_text(CSV)
    out = run("export", "--csv", "-", "fraud.csv", "-", stdin=PSQL.encode()).out
    assert {line.split(",")[1] for line in out.splitlines()[1:]} == {"churn", "fraud"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing came in: try the command in front of the pipe by itself"),
        (b" \n", "nothing came in: try the command in front of the pipe by itself"),
        (b"2025-01-01,0.9\n2025-01-02,0.8\n", "`(echo date,accuracy; COMMAND) | modeltop check -`"),
        (b"2025-01-01,churn,0.9,12\n", "`(echo date,model,accuracy,metric2; COMMAND) | modeltop check -`"),
        (b"%PDF-1.7\n", "a PDF document, not CSV: pipe CSV, JSON or Parquet"),
        (
            gzip.compress(b"2025-01-01,0.9\n2025-01-02,0.8\n", mtime=0),
            "`(echo date,accuracy; COMMAND) | modeltop check -`",
        ),
        (b"\x1f\x8b\x08", "this gzip file is cut off"),
        (b"psql: error: connection failed\n", "the log of a program"),
    ],
)
def test_what_is_no_table_is_one_line_with_the_remedy(run, data, reason):
    outcome = run("check", "-", stdin=data)
    assert outcome.code == 3
    assert outcome.lines[0].startswith("UNKNOWN: stdin: ")
    assert reason in " ".join(outcome.out.split())
    assert "Traceback" not in outcome.out + outcome.err


def test_a_prediction_log_is_sent_to_a_file(run):
    log = "timestamp,y_true,y_pred\n" + "".join(f"2025-01-01 00:00:{n:02},1,0\n" for n in range(60))
    out = " ".join(run("check", "-", stdin=log.encode()).out.split())
    assert "`modeltop compute FILE --timestamp timestamp" in out


def test_too_much_of_it_is_refused(run, monkeypatch):
    monkeypatch.setattr("modeltop.history.files.MAX_BYTES", 100)
    outcome = run("check", "-", stdin=CSV.encode())
    assert (outcome.code, "came in: aggregate it by period" in outcome.err) == (3, True)


def test_a_watcher_has_no_use_for_it(run):
    outcome = run("watch", "--once", "-", stdin=CSV.encode())
    assert (outcome.code, outcome.out) == (2, "")
    assert "standard input ends, so it cannot be watched" in outcome.err


def test_a_terminal_in_its_place_is_answered_at_once(tmp_path):
    main, child = pty.openpty()
    command = [sys.executable, "-m", "modeltop", "check", "-"]
    done = subprocess.run(command, stdin=child, capture_output=True, timeout=60, cwd=tmp_path, check=False)
    os.close(main)
    os.close(child)
    assert done.returncode == 3
    assert b"nothing is piped in. Try: COMMAND | modeltop check -" in done.stderr


def test_recursive_reads_the_folders_below(run, tmp_path):
    for name in ("churn", "fraud"):
        (tmp_path / "m" / name).mkdir(parents=True)
        (tmp_path / "m" / name / f"{name}.csv").write_text(CSV)
    assert run("check", "m").code == 3
    outcome = run("check", "--recursive", "m")
    assert outcome.lines[0].startswith("CRITICAL: 2 critical of 2 models")
    assert run("check", "--recursive", "m/churn/churn.csv").code == 2


def test_an_acknowledgement_of_a_folder_holds_with_and_without_the_folders_below(run, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "churn.csv").write_text(CSV)
    assert run("ack", "churn", "--why", "known", "m", "--recursive").code == 0
    assert "known" in run("check", "m").out
    assert "known" in run("check", "m/").out
