"""What can be asked for: `[logs.NAME]` of the configuration, and the flags over it."""

import argparse
from datetime import timedelta
from pathlib import Path

import pytest

from modeltop.cli import compute
from modeltop.config.load import Config, load
from modeltop.core.errors import ConfigError, UsageError
from modeltop.predictions.spec import LogSettings, LogSpec, Task

WHOLE = """
timezone = "Europe/Berlin"
[logs.churn]
source = ["logs/*.parquet", "s3://bucket/x.parquet"]
model = "churn"
timestamp = "at"
prediction = "yes"
label = "left"
score = "p"
id = "row"
labels = "labels.csv"
segments = ["plan", "country"]
features = "*"
task = "binary"
positive = 1
threshold = 0.4
period = "5000rows"
reference = "2025-01-01..2025-01-31"
cost = { fp = 1, fn = 20 }
label_delay = "7d"
since = "30d"
every = "1h"
spacing = "6h"
start = "2025-01-01"
per_class = true
engine = "local[2]"
"""


@pytest.fixture
def configured(tmp_path):
    def load_text(text):
        path = tmp_path / "modeltop.toml"
        path.write_text(text)
        return load(path)

    return load_text


def test_everything_that_a_flag_can_say_can_be_configured(configured, tmp_path):
    one = configured(WHOLE).logs["churn"]
    assert one == LogSettings(
        name="churn",
        spec=LogSpec(
            sources=(str(tmp_path / "logs/*.parquet"), "s3://bucket/x.parquet"),
            model="churn",
            timestamp="at",
            prediction="yes",
            label="left",
            scores=("p",),
            id="row",
            labels=str(tmp_path / "labels.csv"),
            segments=("plan", "country"),
            features=("*",),
            task=Task.BINARY,
            positive="1",
            threshold=0.4,
            period="5000rows",
            timezone="Europe/Berlin",
            reference="2025-01-01..2025-01-31",
            start="2025-01-01",
            every="6h",
        ),
        engine="local[2]",
        cost={"fp": 1, "fn": 20},
        label_delay=timedelta(days=7),
        per_class=True,
        since=timedelta(days=30),
        every=timedelta(hours=1),
    )


def test_all_stands_for_every_feature_as_it_does_for_the_flag(configured):
    assert configured('[logs.x]\nsource = "a"\nfeatures = "all"\n').logs["x"].spec.features == ("*",)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "logs.x.source: missing"),
        ("source = 3", "logs.x.source: a number where a string or an array of strings is expected"),
        ('source = "a"\nsegments = [1]', "logs.x.segments: an array of strings is expected"),
        ('source = "a"\ntask = "ranking"', "logs.x.task: 'ranking' is none of binary"),
        ('source = "a"\nlable = "y"', "logs.x.lable: unknown key; did you mean label?"),
        ('source = "a"\ncost = { fp = -1 }', "logs.x.cost.fp: -1 is negative"),
        ('source = "a"\ncost = { tp = 1 }', "logs.x.cost.tp: unknown key"),
        ('source = "a"\nevery = "often"', "logs.x.every: 'often' is no length of time"),
        ('source = "a"\nthreshold = nan', "logs.x.threshold: nan is not a finite number"),
    ],
)
def test_a_mistake_is_named_by_its_key(configured, line, told):
    with pytest.raises(ConfigError) as error:
        configured(f"[logs.x]\n{line}\n")
    assert told in str(error.value)


def asked(config, *words):
    parser = argparse.ArgumentParser()
    compute.configure(parser)
    return compute.settings(parser.parse_intermixed_args(words), config)


def test_flags_say_what_a_log_is():
    words = ["a.csv", "b.csv", "--score", "p", "--segment", "x", "--segment", "y", "--feature", "all", "--period", "W"]
    [one] = asked(Config(), *words, "--cost", "fp=1,fn=2.5", "--label-delay", "36h", "--task", "binary")
    assert one.spec == LogSpec(
        sources=("a.csv", "b.csv"),
        scores=("p",),
        segments=("x", "y"),
        features=("*",),
        period="W",
        task=Task.BINARY,
    )
    assert (one.cost, one.label_delay, one.engine) == ({"fp": 1, "fn": 2.5}, timedelta(hours=36), "duckdb")


def test_a_configured_log_is_asked_for_by_name_and_flags_hold_over_it(configured):
    config = configured(WHOLE)
    [one] = asked(config, "churn", "--period", "D", "--cost", "fn=3")
    assert (one.spec.period, one.spec.label, one.cost, one.name) == ("D", "left", {"fn": 3}, "churn")


def test_without_a_log_each_configured_one_is_computed(configured):
    config = configured('[logs.a]\nsource = "a"\n[logs.b]\nsource = "b"\n')
    assert [one.name for one in asked(config)] == ["a", "b"]


def test_a_file_called_as_a_configured_log_is_the_file(configured, tmp_path):
    config = configured('[logs.churn]\nsource = "a"\n')
    Path("churn").touch()
    assert asked(config, "churn")[0].spec.sources == ("churn",)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "name a log"),
        (["a.csv", "--cost", "fp"], "--cost fp: write the price"),
        (["a.csv", "--cost", "fp=1,tn=2"], "write the price"),
        (["a.csv", "--cost", "fp=-1"], "0 or more"),
        (["a.csv", "--cost", "fp=nan"], "0 or more"),
    ],
)
def test_an_impossible_flag_is_told_in_one_clause(words, told):
    with pytest.raises(UsageError, match=told):
        asked(Config(), *words)


@pytest.mark.parametrize("words", [["--label-delay", "soon"], ["--since", "0d"]])
def test_a_length_of_time_is_checked_as_it_is_parsed(words, capsys):
    with pytest.raises(SystemExit):
        asked(Config(), "a.csv", *words)
    assert f"argument {words[0]}: '{words[1]}' is no length of time: write a number and s," in capsys.readouterr().err


def test_names_and_files_do_not_go_together(configured):
    with pytest.raises(UsageError, match="do not go together"):
        asked(configured('[logs.churn]\nsource = "a"\n'), "churn", "x.csv")
