"""The metric files of ../shared/cases, made again in small code, and the pieces that further files are made of.

The base is one series of 35 days: accuracy about 0.95 for 30 days, then 0.80 for 5 (`ACCURACY`, from 1 January 2025).
A right reader of any file made of it is critical since 31 January, and its newest value is 0.7998 of 4 February.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

SHARED = Path(__file__).parents[2] / ".." / "shared" / "cases"

ACCURACY = (
    *(0.9552, 0.9558, 0.9503, 0.9469, 0.9456, 0.9501, 0.9459, 0.9443, 0.9508, 0.9505, 0.9522, 0.9463),
    *(0.95, 0.9497, 0.944, 0.9522, 0.9513, 0.9596, 0.9508, 0.9494, 0.9549, 0.9508, 0.9536, 0.9485),
    *(0.9509, 0.9541, 0.9528, 0.9505, 0.9457, 0.9518, 0.8003, 0.8029, 0.8009, 0.8044, 0.7998),
)
"""Critical from its 31st value on."""
HEALTHY = (*ACCURACY[:30], 0.9503, 0.9529, 0.9509, 0.9544, 0.9498)
"""The same 30 values, then 5 of the same kind."""
LOSS = tuple(round(1 - value, 4) for value in ACCURACY)
FIRST = dt.date(2025, 1, 1)
FALL = dt.datetime(2025, 1, 31, tzinfo=dt.UTC)
NEWEST = dt.datetime(2025, 2, 4, tzinfo=dt.UTC)

Files = dict[str, bytes]
Cells = Iterable[object]


def days(count: int = 35, first: dt.date = FIRST) -> list[dt.date]:
    """That many dates in a row."""
    return [first + dt.timedelta(days=number) for number in range(count)]


def table(header: str, rows: Iterable[Cells], delimiter: str = ",") -> bytes:
    """A CSV file; `header` is written as it is."""
    return "".join(f"{line}\n" for line in (header, *(delimiter.join(map(str, row)) for row in rows))).encode()


def wide(header: str, *columns: Sequence[object], dates: Sequence[object] = (), delimiter: str = ",") -> bytes:
    """A date column and the columns beside it."""
    dates = dates or days(len(columns[0]))
    return table(header, zip(dates, *columns, strict=True), delimiter)


def crlf(data: bytes) -> bytes:
    """Line ends of Windows."""
    return data.replace(b"\n", b"\r\n")


def blocks(*parts: bytes) -> bytes:
    """Tables one after the other, each with its header, as a logger writes that starts anew."""
    return b"".join(parts)


def lines(data: bytes, first: int, last: int | None = None) -> bytes:
    """Some rows of a table, counted from 0, without its header."""
    return b"".join(data.splitlines(keepends=True)[1:][first:last])


def epoch(date: dt.date) -> int:
    """Seconds from 1970 to midnight UTC of a date."""
    return int(dt.datetime(date.year, date.month, date.day, tzinfo=dt.UTC).timestamp())


def percent(value: float, digits: int = 2) -> str:
    """0.9552 as 95.52."""
    return f"{value * 100:.{digits}f}"


def comma(value: object) -> str:
    """A decimal comma."""
    return str(value).replace(".", ",")


def thousands(number: int, mark: str) -> str:
    """1234 as 1,234, with another mark where one is given."""
    return f"{number:,}".replace(",", mark)


def in_turn(*columns: Sequence[object]) -> list[tuple[object, ...]]:
    """The rows of several tables of the same length, first rows first."""
    return [row for together in zip(*columns, strict=True) for row in together]


def latency(count: int = 35) -> list[int]:
    """120 to 124 ms, again and again."""
    return [120 + number % 5 for number in range(count)]


def two_parts(name: str, falling: object, steady: object, rest: Cells = (), model: str | None = "churn") -> bytes:
    """Two rows a day that differ in one column: the one's accuracy falls to 0.80, the other's is 0.95."""
    before = [] if model is None else [model]
    header = ["date", *(["model"] if before else []), name, "accuracy", *(["count"] if rest else [])]
    rows = in_turn(
        [(day, *before, falling, value, *rest) for day, value in zip(days(), ACCURACY, strict=True)],
        [(day, *before, steady, 0.95, *rest) for day in days()],
    )
    return table(",".join(header), rows)


# K1: rows that differ only in a column that modeltop does not know


def mlflow_metric_history() -> Files:
    rows = [
        ("f3a1", "accuracy", value, epoch(day) * 1000, step)
        for step, (day, value) in enumerate(zip(days(), ACCURACY, strict=True))
    ]
    return {"history.csv": table("run_id,key,value,timestamp,step", rows)}


def metric_name_and_metric_value() -> Files:
    rows = in_turn(
        [(day, "churn", "accuracy", value) for day, value in zip(days(), ACCURACY, strict=True)],
        [(day, "churn", "latency_ms", value) for day, value in zip(days(), latency(), strict=True)],
    )
    return {"history.csv": table("date,model,metric_name,metric_value", rows)}


def grafana_series_time_value() -> Files:
    rows = [
        (name, f"{day}T08:02:00.000Z", value)
        for name, values in (("accuracy", ACCURACY), ("latency_ms", latency()))
        for day, value in zip(days(), values, strict=True)
    ]
    return {"grafana.csv": table("Series;Time;Value", rows, ";")}


def hourly_and_daily() -> Files:
    hours = [(f"{day}T{hour:02}:00:00Z", "churn", 0.95 if hour else 0.9) for day in days() for hour in (0, 6, 12, 18)]
    return {
        "hourly.csv": table("date,model,accuracy", hours),
        "daily.csv": table("date,model,accuracy", [(day, "churn", 0.95) for day in days()]),
    }


def segment_by_another_name() -> Files:
    return {"churn.csv": two_parts("country", "DE", "FR", rest=(500,))}


def model_by_another_name() -> Files:
    return {"metrics.csv": two_parts("model_name", "churn", "fraud", model=None)}


def number_of_a_shard() -> Files:
    return {"metrics.csv": two_parts("shard", 0, 1)}


# K2: values that are refused


def percent_with_decimal_comma() -> Files:
    cells = [f"{comma(percent(value, 1))} %" for value in ACCURACY]
    return {"churn.csv": crlf(wide("date;accuracy;count", cells, [1234] * 35, delimiter=";"))}


def percent_from_0_to_100() -> Files:
    f1 = [percent(value - 0.02) for value in ACCURACY]
    return {"churn.csv": wide("date,accuracy,f1_score", [percent(value) for value in ACCURACY], f1)}


def percent_of_low_values() -> Files:
    return {"churn.csv": wide("date,error_rate,accuracy", [5.0] * 30 + [20.0] * 5, ACCURACY)}


def percent_sign() -> Files:
    return {"churn.csv": wide("date,accuracy", [f"{percent(value, 1)}%" for value in ACCURACY])}


def percent_against_a_limit() -> Files:
    return {"churn.csv": wide("date,accuracy", [percent(value) for value in ACCURACY])}


# K3: a header that comes again


def columns_reordered() -> Files:
    precision = [round(value - 0.1, 4) for value in HEALTHY]
    first = wide("date,accuracy,precision", HEALTHY[:15], precision[:15])
    second = wide("date,precision,accuracy", precision[15:], HEALTHY[15:], dates=days()[15:])
    return {"churn.csv": blocks(first, second)}


# K4: dates of other shapes


def long_with_float_epoch() -> Files:
    rows = [
        (step, "accuracy", value, f"{epoch(day)}.409364")
        for step, (day, value) in enumerate(zip(days(), ACCURACY, strict=True))
    ]
    return {"tb.csv": table("step,metric,value,timestamp", rows)}


def epoch_in_scientific_notation() -> Files:
    return {"tb.csv": wide("timestamp,accuracy", ACCURACY, dates=[f"{epoch(day):.6e}" for day in days()])}


def wandb_history() -> Files:
    rows = [
        (step, step * 60.5, epoch(day) + 0.5, value, value, value)
        for step, (day, value) in enumerate(zip(days(), ACCURACY, strict=True))
    ]
    return {"wandb.csv": table("_step,_runtime,timestamp,val/accuracy,val/f1,eval_f1", rows)}


def german_dates() -> Files:
    dates = [f"{day:%d.%m.%Y}" for day in days()]
    cells = [comma(value) for value in ACCURACY]
    return {"churn.csv": crlf(wide("date;accuracy;count", cells, [1234] * 35, dates=dates, delimiter=";"))}


def us_dates() -> Files:
    return {"churn.csv": wide("date,accuracy", ACCURACY, dates=[f"{day:%m/%d/%Y}" for day in days()])}


def iso_weeks() -> Files:
    return {"churn.csv": wide("date,accuracy", ACCURACY, dates=[f"2025-W{week:02}" for week in range(1, 36)])}


def log_of(stamp: str, count: int = 20) -> bytes:
    """A prediction log of that many days, 120 rows a day: 113 right on the first day, 2 fewer each day."""
    rows = []
    for number, day in enumerate(days(count)):
        midnight = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
        for row in range(120):
            label = row % 2
            prediction = label if row < 113 - 2 * number else 1 - label
            score = round(0.1 + 0.3 * row / 120 + 0.5 * prediction, 4)
            when = (midnight + dt.timedelta(minutes=12 * row)).strftime(stamp)
            rows.append((number * 120 + row, when, score, prediction, label))
    return table("id,timestamp,score,prediction,label", rows)


def log_with_us_datetimes() -> Files:
    return {"log.csv": log_of("%m/%d/%Y %I:%M %p")}


def log_with_day_first_slashes() -> Files:
    return {"log.csv": log_of("%d/%m/%Y %H:%M")}


# K9: thousands separators


def german_thousands() -> Files:
    counts = [thousands(1234 + number, ".") for number in range(35)]
    return {"churn.csv": wide("date;accuracy;count", [comma(v) for v in ACCURACY], counts, delimiter=";")}


def english_thousands_quoted() -> Files:
    counts = [f'"{thousands(1234 + number, ",")}"' for number in range(35)]
    return {"churn.csv": wide("date,accuracy,count", ACCURACY, counts)}


def english_thousands_in_a_semicolon_file() -> Files:
    counts = [thousands(12345 + number, ",") for number in range(35)]
    return {"churn.csv": wide("date;accuracy;count", ACCURACY, counts, delimiter=";")}


# K10: rows of the future


def rows_of_the_future() -> Files:
    mistyped = [dt.date(2052, 1, 30) if day == dt.date(2025, 1, 30) else day for day in days()]
    typed = [0.95 if day.year == 2052 else value for day, value in zip(mistyped, ACCURACY, strict=True)]
    ahead = [dt.date(2052, 1, 30), dt.date(2052, 1, 31)]
    steady = [0.95] * 35
    return {
        "churn.csv": wide("date,accuracy", typed, dates=mistyped),
        "crit.csv": wide("date,accuracy", [*ACCURACY, 0.95, 0.95], dates=[*days(), *ahead]),
        "fraud.csv": wide("date,accuracy", ["0.80"] * 35),
        "quiet.csv": wide("date,accuracy", steady),
        "quiet2.csv": wide("date,accuracy", [*steady, 0.95], dates=[*days(), ahead[0]]),
    }


# K11: a metric that stops coming


def accuracy_stops() -> Files:
    def stopping(values: Sequence[object], empty: int) -> bytes:
        cells = [*values, *[""] * empty]
        return wide("date,accuracy,precision", cells, [0.9] * len(cells))

    return {
        "churn.csv": stopping(ACCURACY[:33], 2),
        "twenty.csv": stopping(ACCURACY, 25),
        "stopped.csv": stopping([0.95] * 35, 60),
    }


def f1_stops() -> Files:
    cells = [*[0.92] * 35, *[""] * 60]
    return {"churn.csv": wide("date,model,f1_score,latency_ms", ["churn"] * 95, cells, [120] * 95)}


# K14: names of other tools


def wandb_names() -> Files:
    rows = [
        (step, step * 60.5, day, value, f"{value - 0.01:.4f}", f"{value + 0.01:.4f}", value)
        for step, (day, value) in enumerate(zip(days(), ACCURACY, strict=True))
    ]
    header = "_step,_runtime,timestamp,val/accuracy,val/accuracy__MIN,val/accuracy__MAX,Val F1"
    return {"wandb.csv": table(header, rows)}


def nannyml_flat() -> Files:
    rows = [
        (
            *(f"[{step * 100}:{step * 100 + 99}]", step, f"{day} 00:00:00", f"{day} 23:59:59"),
            *("reference" if step < 10 else "analysis", value, "1.0", "0.93", value < 0.93),
        )
        for step, (day, value) in enumerate(zip(days(), ACCURACY, strict=True))
    ]
    rest = "chunk_end_date,chunk_period,accuracy_value,accuracy_upper_threshold,accuracy_lower_threshold,accuracy_alert"
    return {
        "nannyml.csv": table(f"chunk_key,chunk_index,chunk_start_date,{rest}", rows),
        "renamed.csv": table(f"chunk_key,chunk_index,date,{rest}", rows),
    }


def models_as_columns() -> Files:
    return {"accuracy.csv": wide("date,churn,fraud,search", ACCURACY, [0.97] * 35, [0.91] * 35)}


# K17: a file that is written anew


def thirty_days_of(value: float) -> bytes:
    """Accuracy of 30 days, the same on each."""
    return wide("date,accuracy", [f"{value:.3f}"] * 30)


def rewritten() -> Files:
    return {"churn.csv": thirty_days_of(0.812)}


# K18: extreme values


def infinity_as_the_largest_float() -> Files:
    loss = [*LOSS[:20], 1.7976931348623157e308, *LOSS[21:]]
    return {"churn.csv": wide("date,accuracy,log_loss", ACCURACY, loss)}


# K19: local hours that come twice


def local_hours() -> Files:
    first = dt.datetime(2025, 10, 24)  # noqa: DTZ001  a local time without its zone is what is wrong with the file
    naive, offsets = [], []
    for hour in range(78):
        summer = hour <= 50
        local = first + dt.timedelta(hours=hour if summer else hour - 1)
        value = 0.8 if hour == 50 else 0.95
        naive.append((f"{local:%Y-%m-%d %H:%M:%S}", value))
        offsets.append((f"{local:%Y-%m-%dT%H:%M:%S}{'+02:00' if summer else '+01:00'}", value))
    return {
        "modeltop.toml": b'timezone = "Europe/Berlin"\n',
        "naive.csv": table("date,accuracy", naive),
        "offsets.csv": table("date,accuracy", offsets),
    }


CASES: Mapping[str, Callable[[], Files]] = {
    "04b-columns-reordered-mid-file": columns_reordered,
    "06-tbparse-long-float-epoch": long_with_float_epoch,
    "06b-epoch-in-scientific-notation": epoch_in_scientific_notation,
    "07-mlflow-metric-history": mlflow_metric_history,
    "07c-long-with-metric_name-metric_value": metric_name_and_metric_value,
    "09-mlflow-infinity-as-max-float": infinity_as_the_largest_float,
    "10b-wandb-history": wandb_history,
    "10c-wandb-history-iso": wandb_names,
    "11-grafana-series-time-value": grafana_series_time_value,
    "15b-german-excel-english-header": german_dates,
    "15c-german-thousands-in-count": german_thousands,
    "15e-english-thousands-quoted": english_thousands_quoted,
    "15f-english-thousands-in-semicolon-file": english_thousands_in_a_semicolon_file,
    "15g-percent-with-decimal-comma": percent_with_decimal_comma,
    "16-us-dates": us_dates,
    "18-percent-0-to-100": percent_from_0_to_100,
    "18b-percent-low-values": percent_of_low_values,
    "19-percent-sign": percent_sign,
    "20-iso-week": iso_weeks,
    "21b-nannyml-flat": nannyml_flat,
    "23-hourly-and-daily-of-one-model": hourly_and_daily,
    "26-local-hours-over-the-end-of-summer-time": local_hours,
    "28-models-as-columns": models_as_columns,
    "38-missing-data-while-an-alert-fires": accuracy_stops,
    "38c-the-f1-column-is-left-empty-from-some-day-on": f1_stops,
    "40-one-row-in-the-far-future": rows_of_the_future,
    "45-rule-limit-above-all-refused": percent_against_a_limit,
    "46-segment-column-by-another-name": segment_by_another_name,
    "46b-model-column-by-another-name": model_by_another_name,
    "46d-environment-as-number-of-a-shard": number_of_a_shard,
    "47b-rewritten-same-size-and-mtime": rewritten,
    "67c-us-datetime": log_with_us_datetimes,
    "67e-day-first-slashes": log_with_day_first_slashes,
}
"""A case of ../shared/cases, and its files made here."""


def put(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write files into a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder
