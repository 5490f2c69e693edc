"""`[sources.NAME]`: every setting arrives as its flag would say it, and every mistake is named with its key."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from modeltop.config.sources import parse_flags
from modeltop.core.errors import ConfigError, UsageError
from modeltop.history.csv.layout import DecimalMark, Layout, Scale

ALL = {
    "date": ('"Datum"', Layout(date="Datum")),
    "date_format": ('"%d/%m/%Y"', Layout(date_format="%d/%m/%Y")),
    "model": ('"Modell"', Layout(model="Modell")),
    "segments": ('["Land", "Region"]', Layout(segments=("Land", "Region"))),
    "value": ('"Wert"', Layout(value="Wert")),
    "metric": ('"Kennzahl"\nvalue = "Wert"', Layout(metric="Kennzahl", value="Wert")),
    "count": ('"Anzahl"', Layout(count="Anzahl")),
    "timezone": ('"Asia/Tokyo"', Layout(timezone=ZoneInfo("Asia/Tokyo"))),
    "scale": ('"percent"', Layout(scale=Scale.PERCENT)),
    "decimal": ('","', Layout(decimal=DecimalMark.COMMA)),
    "models_as_columns": ('"accuracy"', Layout(models_as_columns="accuracy")),
    "start": (
        '2025-01-01\nevery = "6h"\ndate = "step"',
        Layout(date="step", start=datetime(2025, 1, 1, tzinfo=UTC), every=timedelta(hours=6)),
    ),
}


@pytest.mark.parametrize("key", ALL)
def test_a_setting_and_its_flag_say_the_same(load_config, key):
    text, layout = ALL[key]
    (source,) = load_config(f'[sources.one]\npath = "*.csv"\n{key} = {text}\n').sources.tables
    assert (source.name, source.layout) == ("one", layout)
    words = layout.to_flags()
    flags = {}
    for name, value in zip(words[::2], words[1::2], strict=True):
        field = name[2:].replace("-", "_")
        flags[field] = [*flags.get(field, []), value] if field == "segments" else value
    assert parse_flags(flags) == layout


def test_a_path_is_relative_to_the_folder_of_the_configuration_and_an_address_is_itself(load_config):
    text = '[sources.one]\npath = ["exports/*.csv", "mlflow:*", "~/x"]\ndate = "ts"\n'
    config = load_config(text)
    folder = config.path.parent.absolute()
    assert config.sources.tables[0].paths == (f"{folder}/exports/*.csv", "mlflow:*", str(Path("~/x").expanduser()))
    assert config.sources.layout_of(f"{folder}/exports/a.csv") == Layout(date="ts")
    assert config.sources.layout_of(f"{folder}/a.csv") == Layout()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('date = "ts"', "sources.one.path: missing", id="no path"),
        pytest.param(
            'path = "a"\ndates = "ts"', "sources.one.dates: unknown key; did you mean date?", id="unknown key"
        ),
        pytest.param(
            'path = "a"\nscale = "per cent"', "sources.one.scale: 'per cent' is not one of percent", id="word"
        ),
        pytest.param('path = "a"\ndate_format = "%x"', "sources.one: '%x' has the unknown directive %x", id="format"),
        pytest.param('path = "a"\nevery = "1d"', "sources.one: `start`, the date of step 0", id="half of two"),
    ],
)
def test_a_mistake_is_named_with_its_key(load_config, text, message):
    with pytest.raises(ConfigError) as caught:
        load_config(f"[sources.one]\n{text}\n")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"every": "3"}, "--every: invalid duration '3'"),
        ({"date_format": "%x"}, "'%x' has the unknown directive %x"),
        ({"segments": ["a", ""]}, "--segments is empty"),
        ({"models_as_columns": ""}, "--models-as-columns is empty"),
    ],
)
def test_a_wrong_flag_is_called_by_its_name(flags, message):
    with pytest.raises(UsageError) as caught:
        parse_flags(flags)
    assert str(caught.value).startswith(message)
