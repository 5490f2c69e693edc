"""What cannot be decided names the flags that decide it: copied literally, they lead to a right reading."""

import datetime as dt
import re
import shlex
import shutil

import pytest

from tests.cases.foreign_files import ACCURACY, CASES, NEWEST, SHARED, put, table, wide
from tests.cases.run_modeltop import CRITICAL, UNKNOWN, WARNING, check, export, run

DAYS = [dt.date(2025, 1, 1) + dt.timedelta(days=number) for number in range(12)]
FALLING = [*[0.95] * 9, 0.8, 0.8, 0.8]
UNDECIDED = {
    "a training log": (table("epoch,step,loss,val_acc", (
        row for number, value in enumerate(ACCURACY)
        for row in ((number, 10 * number, 0.1, ""), (number, 10 * number + 9, "", value))
    )), "metrics.csv"),
    "a training log with several rows an epoch": (table("epoch,step,accuracy", (
        (number // 5, number, value) for number, value in enumerate(ACCURACY)
    )), "metrics.csv"),
    "days and months": (wide("date,accuracy", FALLING, dates=[f"{day:%m/%d/%Y}" for day in DAYS]), "churn.csv"),
    "days and months of two digits, with a time": (
        wide("date,accuracy", FALLING, dates=[f"{day:%d-%m-%y} 14:00" for day in DAYS]), "churn.csv"
    ),
    "two columns of dates": (table("created,measured,accuracy", (
        (day, day + dt.timedelta(days=2), value) for day, value in zip(DAYS, FALLING, strict=True)
    )), "churn.csv"),
    "a decimal comma or thousands": (
        wide("date;latency_ms", ["1,234"] * 12, dates=DAYS, delimiter=";"), "churn.csv"
    ),
    "a column of two values a date": (table("date,note id,accuracy", (
        (day, f"{number}/{day.day}", 0.9 + number / 100) for day in DAYS for number in range(2)
    )), "churn.csv"),
}  # fmt: skip
"""Files in which something is open, each under its name."""


def flags_in(text):
    """The command lines that a message names, in its order."""
    flags = [match[1] for match in re.finditer(r"`(?:modeltop check \S+ )?(--[^`…]+)`", " ".join(text.split()))]
    return [shlex.split(each) for each in dict.fromkeys(flags)]


@pytest.mark.parametrize("name", UNDECIDED)
def test_every_flag_that_a_message_names_is_accepted_and_reads_all_rows(work, name):
    data, path = UNDECIDED[name]
    put({path: data}, work)
    refused = check(path)
    assert refused.code == UNKNOWN
    found = flags_in(refused.text)
    assert found
    for words in found:
        decided = check(path, *words)
        assert decided.code in (0, 1, 2), (words, decided.text)
        assert not decided.mentions("use `--")
        assert len(export(path, *words)) >= len(FALLING)


@pytest.mark.parametrize("first", ["month", "day"])
def test_the_first_flag_and_the_second_read_other_days(work, first):
    put({"churn.csv": UNDECIDED["days and months"][0]}, work)
    day_first, month_first = flags_in(check("churn.csv").text)
    words, last = (month_first, "2025-01-12") if first == "month" else (day_first, "2025-12-01")
    assert words == ["--date-format", "%m/%d/%Y" if first == "month" else "%d/%m/%Y"]
    assert export("churn.csv", *words)[-1]["date"].startswith(last)


def case(name, work):
    if (SHARED / name).is_dir():
        shutil.copytree(SHARED / name, work, dirs_exist_ok=True)
    elif name in CASES:
        put(CASES[name](), work)
    else:
        pytest.skip("../shared/cases is not beside this checkout")


@pytest.mark.parametrize(
    ("name", "path"), [("01-lightning-alternating", "metrics.csv"), ("10-wandb-chart-export", "wandb.csv")]
)
def test_a_shared_training_log_is_read_by_the_flags_of_its_message(work, name, path):
    case(name, work)
    refused = check(path)
    assert refused.code == UNKNOWN
    (words,) = flags_in(refused.text)
    decided = check(path, *words)
    assert decided.code == CRITICAL
    assert (decided.newest("accuracy").date, decided.newest("accuracy").value) == (NEWEST, ACCURACY[-1])


def test_models_in_columns_are_said_to_be_and_the_flag_reads_them(work):
    case("28-models-as-columns", work)
    asked = check("accuracy.csv")
    assert asked.code == WARNING
    assert asked.mentions("`churn`, `fraud`, `search` are no metrics that are known here")
    (words,) = flags_in(asked.shown.err)
    decided = check("accuracy.csv", *words)
    assert decided.models == {"churn": "critical", "fraud": "ok", "search": "ok"}
    assert decided.newest("accuracy", model="churn").value == ACCURACY[-1]


def test_a_german_export_is_read_by_its_names_and_the_same_settings(work):
    case("15-german-excel", work)
    source = '[sources.german]\npath = "auswertung.csv"\nvalue = "Genauigkeit"\n'
    (work / "modeltop.toml").write_text(f'{source}[metrics.accuracy]\naliases = ["Genauigkeit"]\n')
    checked = check("auswertung.csv")
    assert checked.models == {"churn": "critical"}
    assert (checked.newest("accuracy").date, checked.newest("accuracy").value) == (NEWEST, 0.8)


@pytest.mark.parametrize(
    "command", ["check", "alerts", "report", "export", "open", "story churn", "rules test", "init -"]
)
def test_every_command_that_reads_paths_has_the_flags(work, command):
    put({"churn.csv": wide("when,then,accuracy", FALLING, FALLING, dates=DAYS)}, work)
    assert "'%x' has the unknown directive %x" in run(*command.split(), "churn.csv", "--date-format", "%x").words
    if command != "story churn":
        outcome = run(*command.split(), "churn.csv", "--date", "whn")
        assert re.search(
            r"`date` names the column whn, .* in the header:? did you mean when\?", outcome.words, re.IGNORECASE
        )


def test_silence_keeps_the_flags_that_it_has_and_the_others_are_there(work):
    words = run("silence", "--help").words
    assert "--date-format" in words
    assert words.count("--model GLOB") == 1 + words.count("[--model GLOB]")
