"""`modeltop inspect`: one screen for each file, and a table of the configuration that says the same."""

import io
import json
import sys

import pytest

from tests.cases.foreign_files import CASES, put, wide
from tests.cases.run_modeltop import UNKNOWN, alone, check, run

GERMAN = "Datum;Modell;Genauigkeit;Anzahl\n" + "".join(f"{day:02}.01.2025;churn;95,5 %;1.234\n" for day in range(1, 32))
WIDE = "date," + ",".join(f"metric_number_{number}" for number in range(40)) + "\n" + "2025-01-01" + ",1" * 40 + "\n"
CONFIG = """\
# ours
timezone = "Asia/Tokyo"   # as the exports

[sources.german]   # not this one
path = "x.csv"

[sources.auswertung]
path = "old.csv"
date = "ts"

# about the rules
[[rules]]
name = "floor"
metric = "accuracy"
check = "threshold"
warn = { below = 0.9 }
"""


@pytest.fixture
def work(tmp_path):
    with alone(tmp_path) as folder:
        yield folder


@pytest.mark.parametrize("name", CASES)
def test_every_case_fits_on_one_screen(work, name):
    files = CASES[name]()
    put(files, work)
    for path in files:
        if path.endswith(".csv"):
            outcome = run("inspect", path)
            assert outcome.code in (0, 1), outcome.text
            lines = outcome.out.splitlines()
            assert sum(1 + max(0, len(line) - 1) // 80 for line in lines) <= 24, outcome.out


def test_a_file_of_many_columns_fits_too_and_names_the_rest(work):
    put({"m.csv": WIDE.encode()}, work)
    lines = run("inspect", "m.csv").out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 400
    assert any(line.startswith("and 35 more: metric_number_5,") for line in lines)


def test_the_screen_has_columns_periods_and_settings(work):
    put({"auswertung.csv": GERMAN.encode()}, work)
    outcome = run("inspect", "auswertung.csv")
    assert outcome.code == 0
    assert "Datum        date             %d.%m.%Y          by its cells" in outcome.out
    assert "2025-01-03  churn   1234     0.955" in outcome.out
    assert (
        "\nSame settings: --date Datum --date-format %d.%m.%Y --model Modell --count Anzahl --decimal ,\n"
        in outcome.out
    )


def test_columns_that_may_be_models_come_with_the_flag_that_reads_them_so(work):
    (work / "quality.csv").write_text("Datum;Betrug;Storno\n05.01.2025;0,95;0,91\n06.01.2025;0,95;0,91\n")
    assert "if each is a model, use `--models-as-columns METRIC`" in " ".join(run("inspect", "quality.csv").out.split())
    read = run("inspect", "quality.csv", "--models-as-columns", "accuracy").out
    assert "METRIC" not in read
    assert "models as columns" in read


def test_a_file_that_is_not_read_says_why_and_the_exit_code_is_1(work):
    put({"a.csv": b"epoch,accuracy\n0,0.9\n1,0.9\n", "b.csv": GERMAN.encode()}, work)
    outcome = run("inspect", "a.csv", "b.csv")
    assert outcome.code == 1
    assert "--date epoch --start 2025-01-01 --every 1d`" in outcome.words
    assert run("inspect", "a.csv", "--date", "epoch", "--start", "2025-01-01", "--every", "1d").code == 0


def test_json_has_every_column_and_the_settings(work):
    put({"auswertung.csv": GERMAN.encode()}, work)
    (record,) = json.loads(run("inspect", "auswertung.csv", "--json").out)
    assert record["settings"] == {
        "date": "Datum", "date_format": "%d.%m.%Y", "model": "Modell", "count": "Anzahl", "decimal": ",",
    }  # fmt: skip
    assert [column["role"] for column in record["columns"]] == ["date", "model", "metric", "count"]
    assert record["columns"][2]["examples"] == ["95,5 %"] * 3
    assert (record["rows"], record["models"], record["shape"]) == (31, ["churn"], "wide")


def test_write_keeps_all_else_of_the_configuration_and_check_uses_it(work):
    put({"auswertung.csv": GERMAN.encode()}, work)
    (work / "modeltop.toml").write_text(CONFIG)
    outcome = run("inspect", "auswertung.csv", "--date-format", "%d.%m.%Y", "--write")
    assert (outcome.code, outcome.err) == (0, "modeltop: [sources.auswertung] is written to modeltop.toml\n")
    new = '[sources.auswertung]\npath = "auswertung.csv"\ndate = "Datum"\ndate_format = "%d.%m.%Y"\nmodel = "Modell"\n'
    old = '[sources.auswertung]\npath = "old.csv"\ndate = "ts"\n'
    assert (work / "modeltop.toml").read_text() == CONFIG.replace(old, f'{new}count = "Anzahl"\ndecimal = ","\n')


def test_check_reads_by_the_table_that_was_written(work):
    put({"churn.csv": wide("date,accuracy", [0.9] * 12, dates=[f"01/{day:02}/2025" for day in range(1, 13)])}, work)
    assert check("churn.csv").code == UNKNOWN
    assert run("inspect", "churn.csv", "--date-format", "%m/%d/%Y", "--write").code == 0
    assert check("churn.csv").newest("accuracy").date.isoformat() == "2025-01-12T00:00:00+00:00"


def test_write_makes_a_configuration_with_one_table_for_files_that_are_alike(work):
    put({"exports/a.csv": GERMAN.encode(), "exports/b.csv": GERMAN.encode(), "c.csv": b"ts,f1\n2025-01-01,1\n"}, work)
    assert run("inspect", "exports", "c.csv", "--write").code == 0
    text = (work / "modeltop.toml").read_text()
    assert '[sources.a]\npath = ["exports/a.csv", "exports/b.csv"]\n' in text
    assert '\n\n[sources.c]\npath = "c.csv"\ndate = "ts"\n' in text


class Terminal(io.BytesIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_a_terminal_is_asked_before_the_configuration_is_written(work, monkeypatch, capsys, answer):
    from modeltop.cli.main import main

    put({"auswertung.csv": GERMAN.encode()}, work)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Terminal(f"{answer}\n".encode())))
    assert main(["inspect", "auswertung.csv", "--write"]) == 0
    assert "Write this to modeltop.toml? [y/N]" in capsys.readouterr().err
    assert (work / "modeltop.toml").exists() is (answer == "y")


def test_a_configuration_that_is_wrong_is_not_written_to(work):
    put({"auswertung.csv": GERMAN.encode()}, work)
    (work / "modeltop.toml").write_text("stale_aftr = 3\n")
    assert run("inspect", "auswertung.csv", "--write").code == 2
    assert (work / "modeltop.toml").read_text() == "stale_aftr = 3\n"


@pytest.mark.parametrize("name", ["a[1].csv", "b?.csv"])
def test_what_it_writes_is_about_that_file(work, name):
    put({name: GERMAN.encode()}, work)
    assert run("inspect", name, "--scale", "percent", "--write").code == 0
    assert "modeltop.toml" in run("paths").out
    assert "given" in run("inspect", name).out


def test_a_password_in_an_address_is_neither_shown_nor_written(work, monkeypatch):
    monkeypatch.setattr("modeltop.history.sources.prometheus.to_csv", lambda _: b"date,accuracy\n2025-01-01,0.9\n")
    address = "prometheus:http://ann:s3cret@prom:9090?query=last_over_time(accuracy[1d])"
    shown = run("inspect", address, "--value", "accuracy", "--write").text
    written = (work / "modeltop.toml").read_text()
    assert "s3cret" not in shown + written
    assert "[sources.prom-9090-query-last_over_time-accuracy-1d]" in written
    assert "given" in run("inspect", address).out
