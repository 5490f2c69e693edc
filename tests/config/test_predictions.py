"""`[logs.NAME]` of the configuration: its keys, and mistakes that are named by their key."""

from datetime import timedelta

import pytest

from modeltop.core.errors import ConfigError
from modeltop.predictions.spec import LogSettings, LogSpec, Task

ALL_KEYS = """
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


def test_every_flag_has_a_key(load_config, tmp_path):
    assert load_config(ALL_KEYS).logs["churn"] == LogSettings(
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


def test_all_stands_for_every_feature_as_it_does_for_the_flag(load_config):
    assert load_config('[logs.x]\nsource = "a"\nfeatures = "all"\n').logs["x"].spec.features == ("*",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "logs.x.source: missing"),
        ("source = 3", "logs.x.source: a number where a string or an array of strings is expected"),
        ('source = "a"\nsegments = [1]', "logs.x.segments: an array of strings is expected"),
        ('source = "a"\ntask = "ranking"', "logs.x.task: 'ranking' is not one of binary"),
        ('source = "a"\nlable = "y"', "logs.x.lable: unknown key; did you mean label?"),
        ('source = "a"\ncost = { fp = -1 }', "logs.x.cost.fp: -1 is negative"),
        ('source = "a"\ncost = { tp = 1 }', "logs.x.cost.tp: unknown key"),
        ('source = "a"\nevery = "often"', "logs.x.every: invalid duration 'often'"),
        ('source = "a"\nthreshold = nan', "logs.x.threshold: nan is not a finite number"),
    ],
)
def test_a_mistake_is_named_by_its_key(load_config, line, message):
    with pytest.raises(ConfigError) as error:
        load_config(f"[logs.x]\n{line}\n")
    assert message in str(error.value)
