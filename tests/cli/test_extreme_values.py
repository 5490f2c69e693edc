"""Numbers at the ends of double precision: no command warns or fails, and what stands for infinity is no number."""

import json
import re
from datetime import date, timedelta

import pytest

ACCURACY = [0.945 + number * 7 % 11 / 1000 for number in range(30)] + [0.80] * 5
LOSS = [round(1 - value, 4) for value in ACCURACY]


def write(path, **columns):
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(35)]
    rows = [",".join(map(str, row)) for row in zip(days, *columns.values(), strict=True)]
    path.write_text("\n".join([",".join(["date", *columns]), *rows, ""]))
    return path


@pytest.mark.parametrize("scale", [1e150, 1e200, 1e299, 1e-290, 5e-324])
@pytest.mark.parametrize(
    "columns",
    [
        pytest.param(lambda scale: {"accuracy": ACCURACY, "log_loss": [value * scale for value in LOSS]}, id="all"),
        pytest.param(lambda scale: {"zorp": [(value - 0.9) * scale for value in ACCURACY]}, id="of both signs"),
        pytest.param(lambda scale: {"accuracy": ACCURACY, "log_loss": [*LOSS[:20], scale, *LOSS[21:]]}, id="one"),
        pytest.param(lambda scale: {"accuracy": ACCURACY, "zorp": [scale, -scale] * 17 + [scale]}, id="in turn"),
    ],
)
def test_no_size_of_a_number_makes_a_library_warn(run, tmp_path, columns, scale):
    path = write(tmp_path / "m.csv", **columns(scale))  # warnings are errors here
    for words in (["check"], ["report"], ["report", "--format", "html"], ["alerts"], ["export"], ["init"]):
        outcome = run(words[0], path, *words[1:], *(["--config", tmp_path / "new.toml"] if words == ["init"] else []))
        assert outcome.code in {0, 1, 2, 3}, outcome.err
        assert "an error of its own" not in outcome.err


@pytest.mark.parametrize("cell", ["inf", "1.797e308", "-1.7976931348623157e+308", "1e301", "9.9e999"])
@pytest.mark.parametrize("place", [0, 20, 34])
def test_what_stands_for_infinity_is_in_no_baseline_and_no_text(run, tmp_path, cell, place):
    loss = [cell if number == place else value for number, value in enumerate(LOSS)]
    path = write(tmp_path / "m.csv", accuracy=ACCURACY, log_loss=loss)
    outcome = run("check", path, "--json")
    alerts = [each for each in json.loads(outcome.out)["alerts"] if each["metric"] == "log_loss"]
    assert [each["limit"] < 0.3 for each in alerts if each["condition"] == "threshold"] == [True]
    for words in (["check"], ["report"]):
        assert not re.search(r"e\+?30\d|e\+?999", run(words[0], path).out)


LONG = "a" * 300


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["check", "m.csv", "--now", "9999-12-31T23:59:59-12:00"], 3, "invalid date '9999-12-31T23:59:59-12:00'"),
        (["check", LONG], 3, "File name too long"),
        (["export", "m.csv", "--csv", LONG], 2, "longer than file systems allow"),
        (["note", "m", "text", "--store", LONG], 2, "longer than file systems allow"),
        (["silence", "m", "--why", "frozen", "--for", "999999w", "--store", "."], 2, "30 days at most"),
    ],
)
def test_words_at_the_ends_of_what_is_possible_are_one_line(run, tmp_path, monkeypatch, words, code, message):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "m.csv", accuracy=ACCURACY)
    outcome = run(*words)
    assert (outcome.code, "an error of its own" in outcome.err) == (code, False), outcome.err
    assert message.lower() in (outcome.out + outcome.err).lower()
