"""The settings of `modeltop compute`: flags, and the logs of the configuration that they override."""

import argparse
from datetime import timedelta
from pathlib import Path

import pytest

from modeltop.cli import compute
from modeltop.config.load import Config
from modeltop.core.errors import UsageError
from modeltop.predictions.spec import LogSpec, Task


def settings_of(config, *words):
    """Return the settings of the logs that the arguments of `compute` name."""
    parser = argparse.ArgumentParser()
    compute.configure(parser)
    return compute.settings(parser.parse_intermixed_args(words), config)


def test_flags_describe_a_log():
    words = ["a.csv", "b.csv", "--score", "p", "--segment", "x", "--segment", "y", "--feature", "all", "--period", "W"]
    [settings] = settings_of(Config(), *words, "--cost", "fp=1,fn=2.5", "--label-delay", "36h", "--task", "binary")
    assert settings.spec == LogSpec(
        sources=("a.csv", "b.csv"),
        scores=("p",),
        segments=("x", "y"),
        features=("*",),
        period="W",
        task=Task.BINARY,
    )
    assert (settings.cost, settings.label_delay, settings.engine) == (
        {"fp": 1, "fn": 2.5},
        timedelta(hours=36),
        "duckdb",
    )


def test_a_configured_log_is_named_and_flags_override_it(load_config):
    config = load_config(
        '[logs.churn]\nsource = "a"\nlabel = "left"\nperiod = "5000rows"\ncost = { fp = 1, fn = 20 }\n'
    )
    [settings] = settings_of(config, "churn", "--period", "D", "--cost", "fn=3")
    assert (settings.spec.period, settings.spec.label, settings.cost, settings.name) == (
        "D",
        "left",
        {"fn": 3},
        "churn",
    )


def test_without_a_log_each_configured_one_is_computed(load_config):
    config = load_config('[logs.a]\nsource = "a"\n[logs.b]\nsource = "b"\n')
    assert [settings.name for settings in settings_of(config)] == ["a", "b"]


def test_a_file_of_the_name_of_a_configured_log_is_the_file(load_config, tmp_path):
    config = load_config('[logs.churn]\nsource = "a"\n')
    Path("churn").touch()
    assert settings_of(config, "churn")[0].spec.sources == ("churn",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name a log"),
        (["a.csv", "--cost", "fp"], "--cost fp: write the price"),
        (["a.csv", "--cost", "fp=1,tn=2"], "write the price"),
        (["a.csv", "--cost", "fp=-1"], "0 or more"),
        (["a.csv", "--cost", "fp=nan"], "0 or more"),
    ],
)
def test_an_impossible_flag_is_reported_in_one_clause(words, message):
    with pytest.raises(UsageError, match=message):
        settings_of(Config(), *words)


@pytest.mark.parametrize("words", [["--label-delay", "soon"], ["--since", "0d"]])
def test_a_length_of_time_is_checked_as_it_is_parsed(words, capsys):
    with pytest.raises(SystemExit):
        settings_of(Config(), "a.csv", *words)
    assert f"argument {words[0]}: invalid duration '{words[1]}': write a number and s," in capsys.readouterr().err


def test_names_and_files_do_not_go_together(load_config):
    with pytest.raises(UsageError, match="cannot be mixed"):
        settings_of(load_config('[logs.churn]\nsource = "a"\n'), "churn", "x.csv")
