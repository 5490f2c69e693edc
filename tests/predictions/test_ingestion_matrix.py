"""Every type of a column in every format, against a counting loop in plain Python: a table of what was counted.

`python -m tests.predictions.test_ingestion_matrix` prints it.
"""

import sqlite3
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from modeltop.core.errors import SourceError
from modeltop.predictions.engines.base import open_engine
from modeltop.predictions.queries.aggregate import aggregate
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec

START = datetime(2025, 1, 13, 21, 30, 5, tzinfo=UTC)
ZONE = timezone(timedelta(hours=2))
MISSING = 2
ROWS = [
    (START + timedelta(minutes=67 * row), (None, 0, 1, 1, 0)[row % 5], row % 7 % 2, (row * 37 % 64 + 0.5) / 65)
    for row in range(120)
]
"""Time, label, prediction and score: many times are near midnight, so that a wrong zone moves rows to another day."""


def text(pattern):
    return lambda moments: [moment.strftime(pattern) for moment in moments]


def stamps(dtype):
    def convert(moments):
        moments = pd.Series([moment.replace(tzinfo=None) for moment in moments])
        unit, _, zone = dtype.partition(" ")
        moments = moments.astype(f"datetime64[{unit}]")
        return moments.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else moments

    return convert


def epoch(factor, kind=int):
    return lambda moments: [kind(moment.timestamp() * factor) for moment in moments]


def mapped(words):
    return lambda values: [None if value is None else words[value] for value in values]


def typed(dtype, words=(0, 1)):
    return lambda values: pd.Series(mapped(words)(values), dtype=dtype)


def decimals(values):
    return [None if value is None else Decimal(f"{value:.4f}") for value in values]


TIMES = {
    "text": text("%Y-%m-%d %H:%M:%S"),
    "text, T and Z": text("%Y-%m-%dT%H:%M:%SZ"),
    "text, offset": lambda moments: [moment.astimezone(ZONE).isoformat() for moment in moments],
    "text, dd.mm.yyyy": text("%d.%m.%Y %H:%M:%S"),
    "text, mm/dd/yyyy": text("%m/%d/%Y %I:%M:%S %p"),
    "date": lambda moments: [moment.date() for moment in moments],
    **{f"datetime64[{unit}]": stamps(unit) for unit in ("s", "ms", "us", "ns")},
    **{f"datetime64[{unit}, UTC]": stamps(f"{unit} UTC") for unit in ("s", "ms", "us", "ns")},
    "datetime64[ns, Europe/Berlin]": stamps("ns Europe/Berlin"),
    **{f"epoch {unit}": epoch(factor) for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9))},
    "epoch float": epoch(1, float),
    "epoch text": epoch(1, str),
    "epoch ms text": epoch(1000, lambda number: str(int(number))),
}  # fmt: skip
OUTCOMES = {
    "text": typed(object, ("0", "1")),
    "text, yes and no": typed(object, ("no", "yes")),
    "text, True and False": typed(object, ("False", "True")),
    "int": typed("Int64"),
    "int8": typed("Int8"),
    "float": typed("float64"),
    "float32": typed("float32"),
    "bool": typed("boolean", (False, True)),
    "bool and missing": typed(object, (False, True)),
    "category": lambda values: pd.Series(mapped(("no", "yes"))(values)).astype("category"),
    "category of numbers": lambda values: pd.Series(mapped((0, 1))(values)).astype("category"),
    "decimal": decimals,
}
SCORES = {
    "float": pd.Series,
    "float32": lambda values: pd.Series(values, dtype="float32"),
    "text": lambda values: [repr(value) for value in values],
    "decimal": decimals,
    "decimal comma": lambda values: [f"{value:.4f}".replace(".", ",") for value in values],
    "percent": lambda values: [f"{value:.2%}" for value in values],
}
COLUMNS = {"timestamp": TIMES, "label": OUTCOMES, "prediction": OUTCOMES, "score": SCORES}
PLAIN = {"timestamp": "text", "label": "int", "prediction": "int", "score": "float"}
CASES = [(role, name) for role, kinds in COLUMNS.items() for name in kinds]


def to_csv(frame, folder, **options):
    frame.to_csv(folder / "log.csv", index=False, **options)
    return folder / "log.csv"


def to_gzip(frame, folder, **options):
    frame.to_csv(folder / "log.csv.gz", index=False, **options)
    return folder / "log.csv.gz"


def to_json(frame, folder):
    frame.to_json(folder / "log.jsonl", orient="records", lines=True, date_format="iso", date_unit="us")
    return folder / "log.jsonl"


def to_parquet(frame, folder):
    frame.to_parquet(folder / "log.parquet", index=False)
    return folder / "log.parquet"


def to_folder(frame, folder):
    for part in (0, 1):
        frame[part::2].to_parquet(folder / f"{part}.parquet", index=False)
    return folder


def to_csv_folder(frame, folder):
    for part in (0, 1):
        frame[part::2].to_csv(folder / f"{part}.csv", index=False)
    return folder


def to_hive(frame, folder):
    for part in (0, 1):
        (folder / f"part={part}").mkdir()
        frame[part::2].to_parquet(folder / f"part={part}" / "0.parquet", index=False)
    return folder


def to_duckdb(frame, folder):
    with duckdb.connect(folder / "log.duckdb") as base:
        base.sql("CREATE TABLE log AS SELECT * FROM frame")
    return f"{folder / 'log.duckdb'}::log"


def to_sqlite(frame, folder):
    frame = frame.astype({name: float for name in frame if isinstance(frame[name].dropna().iloc[0], Decimal)})
    with sqlite3.connect(folder / "log.sqlite") as base:
        frame.to_sql("log", base, index=False)
    base.close()
    return f"sqlite://{folder / 'log.sqlite'}::log"


FORMATS = {
    "CSV": to_csv,
    "CSV ;": lambda frame, folder: to_csv(frame, folder, sep=";", decimal=","),
    "CSV UTF-16": lambda frame, folder: to_csv(frame, folder, encoding="utf-16"),
    "gz": to_gzip,
    "gz UTF-16": lambda frame, folder: to_gzip(frame, folder, encoding="utf-16"),
    "JSON": to_json,
    "Parquet": to_parquet,
    "folder": to_folder,
    "CSVs": to_csv_folder,
    "hive": to_hive,
    "DuckDB": to_duckdb,
    "SQLite": to_sqlite,
}


def frame_of(role, kind):
    chosen = PLAIN | {role: kind}
    columns = dict(zip(COLUMNS, zip(*ROWS, strict=True), strict=True))
    return pd.DataFrame({name: COLUMNS[name][chosen[name]](list(values)) for name, values in columns.items()})


def counted_by_hand():
    """Count rows by day, label and prediction, and add up the scores, one row at a time."""
    counts = Counter()
    for moment, label, prediction, score in ROWS:
        day = moment.date().isoformat()
        counts[day, MISSING if label is None else label, prediction] += 1
        counts[day, "score"] += score
    return {key: round(value, 2) for key, value in counts.items()}


def counted(source, engine):
    counts = {}
    for batch in aggregate(resolve(LogSpec(sources=(str(source),)), engine), engine):
        for index, day in enumerate(batch.period.astype("M8[D]").astype(str)):
            of_day = batch.aggregate.count[index].sum(axis=-1)
            counts |= {(day, *key): count for key, count in np.ndenumerate(of_day) if count}
            counts[day, "score"] = round(float(batch.aggregate.score[index].sum()), 2)
    return counts


def compared(role, kind, form, folder, engine):
    """Return `=` where the counts are those of the loop, else what is wrong."""
    try:
        counts = counted(FORMATS[form](frame_of(role, kind), folder), engine)
    except SourceError as error:
        return str(error)
    return "=" if counts == counted_by_hand() else f"other counts: {counts}"


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_each_type_of_each_column_is_counted_as_by_hand(form, tmp_path, engine):
    wrong = {}
    for role, kind in CASES:
        folder = tmp_path / f"{role} {CASES.index((role, kind))}"
        folder.mkdir()
        if (result := compared(role, kind, form, folder, engine)) != "=":
            wrong[role, kind] = result
    assert not wrong


def main():
    print(f"{'column':11}{'type':31}" + " ".join(FORMATS))
    with open_engine() as engine:
        for role, kind in CASES:
            results = {}
            for form in FORMATS:
                with tempfile.TemporaryDirectory() as folder:
                    results[form] = compared(role, kind, form, Path(folder), engine)
            print(f"{role:11}{kind:31}" + " ".join(f"{result[:1]:{len(form)}}" for form, result in results.items()))


if __name__ == "__main__":
    main()
