"""What a person says that the columns are overrides what is inferred, and what was never said changes nothing."""

import datetime as dt
import re
import shlex
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.history.csv import date_formats
from modeltop.history.csv.layout import DecimalMark, Layout, Scale, Source, Sources, step_layout

DAYS = [dt.date(2025, 1, 1) + dt.timedelta(days=number) for number in range(8)]
ISO = [day.isoformat() for day in DAYS]


def table(header, *columns, delimiter=","):
    rows = zip(*columns, strict=True)
    return f"{header}\n" + "".join(delimiter.join(map(str, row)) + "\n" for row in rows)


@pytest.fixture
def read(history_folder, values_of):
    """Returns the values that a text has under a layout, by (model, metric, segment)."""

    def read(text, **said):
        return values_of(history_folder.read(text, sources=Sources(flags=Layout(**said))))

    return read


@pytest.fixture
def refusal(history_folder):
    """Returns the message with which a text is refused under a layout."""

    def refusal(text, **said):
        (problem,) = history_folder.read(text, sources=Sources(flags=Layout(**said))).problems
        assert problem.fatal
        return problem.message

    return refusal


def values(days, numbers):
    return [(f"{day}T00:00:00.000000", number) for day, number in zip(days, numbers, strict=True)]


# names of columns


def test_the_column_that_is_said_dates_the_rows_beside_one_called_date(read):
    text = table("date,measured,accuracy", ["2024-05-05"] * 8, ISO, [0.9] * 8)
    assert read(text, date="measured") == {("m", "accuracy", "all"): values(DAYS, [0.9] * 8)}


def test_a_column_that_is_said_may_hold_numbers_whatever_it_is_called(read):
    epochs = [int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()) for day in DAYS]
    text = table("bytes,accuracy", epochs, [0.9] * 8)
    assert read(text) == {}
    assert read(text, date="bytes") == {("m", "accuracy", "all"): values(DAYS, [0.9] * 8)}


def test_model_segments_and_count_are_read_from_the_columns_that_are_said(history_folder, values_of):
    text = table("date,who,land,tier,accuracy,cases", ISO, ["a", "b"] * 4, ["de"] * 8, [1, 1, 2, 2] * 2, *[[1] * 8] * 2)
    sources = Sources(flags=Layout(model="who", segments=("land", "tier"), count="cases"))
    history = history_folder.read(text, sources=sources)
    assert {key[0::2] for key in values_of(history)} == {
        (model, f"land=de,tier={tier}") for model in "ab" for tier in (1, 2)
    }
    assert {key[1] for key in values_of(history)} == {"accuracy"}
    assert all(series.support.tolist() == [1, 1] for series in history.series.values())


def test_a_column_called_model_is_none_where_another_one_is_said(read):
    text = table("date,model,name,psi", ISO, ["v1"] * 8, ["churn"] * 8, [1] * 8)
    assert [key[0] for key in read(text, model="name")] == ["churn"]


def test_metric_and_value_are_the_long_shape_whatever_they_are_called(read):
    text = table("date,what,how_much", ISO, ["accuracy", "psi"] * 4, [0.5] * 8)
    found = read(text, metric="what", value="how_much")
    assert found.keys() == {("m", "accuracy", "all"), ("m", "psi", "all")}


def test_a_value_beside_a_column_called_metric_is_the_long_shape_too(read):
    text = table("date,metric,how_much", ISO, ["accuracy", "psi"] * 4, [0.5] * 8)
    assert read(text, value="how_much") == read(text, metric="metric", value="how_much")


def test_another_column_of_dates_is_no_metric(read):
    epochs = [1736380800 + 86400 * number for number in range(8)]
    text = table("measured,created_at,accuracy", ISO, epochs, [0.9] * 8)
    assert read(text, date="measured").keys() == {("m", "accuracy", "all")}


def test_a_value_alone_is_the_only_metric(read):
    text = table("date,accuracy,f1,psi", ISO, *[[0.5] * 8] * 3)
    assert read(text, value="f1").keys() == {("m", "f1_score", "all")}


def test_columns_that_are_models_have_one_metric_with_its_bounds(history_folder, values_of):
    text = table("date,churn,fraud,count", ISO, [0.9] * 8, [*[0.8] * 7, 1.5], [50] * 8)
    history = history_folder.read(text, sources=Sources(flags=Layout(models_as_columns="acc")))
    assert {key: len(found) for key, found in values_of(history).items()} == {
        ("churn", "accuracy", "all"): 8,
        ("fraud", "accuracy", "all"): 7,
    }
    assert [problem.message for problem in history.problems] == [
        "column `fraud`: 1.5 is not between 0 and 1: write a fraction, such as 0.015"
    ]


def test_the_counts_of_columns_that_are_models_are_no_models(history_folder):
    text = table("date,churn,churn_count,fraud", ISO, [0.9] * 8, [50] * 8, [0.8] * 8)
    history = history_folder.read(text, sources=Sources(flags=Layout(models_as_columns="accuracy")))
    assert [(key.model, series.support is not None) for key, series in history.series.items()] == [
        ("churn", True),
        ("fraud", False),
    ]
    assert not history.problems


def test_two_columns_of_one_model_are_refused(refusal):
    text = table("date,churn, churn ", ISO, [0.5] * 8, [0.9] * 8)
    assert refusal(text, models_as_columns="accuracy") == (
        "two columns are called churn, each a model: rename one of them"
    )


def test_a_column_of_text_is_no_model_where_columns_are(history_folder, values_of):
    text = table("date,churn,remark,fraud", ISO, [0.9] * 8, ["ok"] * 8, [0.8] * 8)
    history = history_folder.read(text, sources=Sources(flags=Layout(models_as_columns="accuracy")))
    assert [key[0] for key in values_of(history)] == ["churn", "fraud"]
    assert [problem.message for problem in history.problems] == ["column `remark` holds no numbers: it is no model"]


@pytest.mark.parametrize("key", ["date", "model", "metric", "value", "count", "segments"])
def test_a_name_that_the_header_does_not_have_is_one_line_with_the_nearest_and_all(refusal, key):
    text = table("Datum,Modell,Genauigkeit", ISO, ["a"] * 8, [0.9] * 8)
    said = {"segments": ("Modelle",)} if key == "segments" else {key: "Modelle"}
    said |= {"value": "Genauigkeit"} if key == "metric" else {}
    assert refusal(text, **said) == (
        f"`{key}` names the column Modelle, which is not in the header: did you mean Modell? "
        "The columns are Datum, Modell, Genauigkeit"
    )


def test_case_and_punctuation_of_a_name_do_not_count_where_one_column_alone_has_it(read, refusal):
    text = table("Run Date,accuracy", ISO, [0.9] * 8)
    assert read(text, date="run_date") == read(text, date="Run Date")
    assert "which is not in the header" in refusal(table("a b,a_b,c", ISO, ISO, [1] * 8), date="A-B")


# dates


@pytest.mark.parametrize(
    ("directives", "cell"),
    [
        ("%d/%m/%Y", "02/01/2025"),
        ("%d/%m/%Y", "02/01/2025 00:00"),
        ("%m-%d-%y", "01-02-25"),
        ("%Y%m%d", "20250102"),
        ("%d%m%Y %H%M", "02012025 0000"),
        ("%a %d. %B %Y", "Do 2. Januar 2025"),
        ("%b %e, %Y %I:%M %p", "Jan  2, 2025 12:00 AM"),
        ("%Y-%j", "2025-002"),
        ("%G-W%V-%u", "2025-W01-4"),
        ("%FT%T%z", "2025-01-02T02:00:00+02:00"),
        ("week %V of %G", "week 01 of 2025"),
    ],
)
def test_directives_of_strptime_read_what_they_describe(directives, cell):
    [moment] = date_formats.from_strptime(directives).read([cell])
    expected = dt.date(2024, 12, 30) if directives.startswith("week") else dt.date(2025, 1, 2)
    assert moment.astype(object) == dt.datetime(expected.year, expected.month, expected.day)  # noqa: DTZ001


PYTHON = ["%d/%m/%Y", "%m/%d/%Y", "%y-%m-%d", "%Y%m%d", "%d.%m.%Y %H:%M:%S", "%d %b %Y %I:%M %p", "%Y-%j", "%G-W%V-%u",
          "%A, %d %B %Y", "%H:%M %d-%m-%y", "%Y-%m-%dT%H:%M:%S.%f"]  # fmt: skip
MOMENTS = st.datetimes(dt.datetime(1975, 1, 1), dt.datetime(2068, 12, 31))  # noqa: DTZ001


@settings(max_examples=200, deadline=None)
@given(MOMENTS, st.sampled_from(PYTHON))
def test_directives_read_as_pythons_own_strptime_does(moment, directives):
    text = moment.strftime(directives)
    [found] = date_formats.from_strptime(directives).read([text])
    assert found.astype(object) == dt.datetime.strptime(text, directives)  # noqa: DTZ007  both are without a zone


@pytest.mark.parametrize("directives", ["%x", "%d.%m.", "%H:%M", "%Y", "%Y-%Y-%m", "date", "%"])
def test_directives_that_describe_no_date_are_refused_with_an_example(directives):
    with pytest.raises(ValueError, match=re.escape("write one such as %d/%m/%Y")):
        Layout(date_format=directives)


@pytest.mark.parametrize(("directives", "days"), [("%d/%m/%Y", [1, 2, 3]), ("%m/%d/%Y", [1, 32, 60])])
def test_the_format_that_is_said_decides_what_no_day_does(read, directives, days):
    text = table("date,accuracy", ["01/01/2025", "02/01/2025", "03/01/2025"], [0.9] * 3)
    expected = [dt.date(2025, 1, 1) + dt.timedelta(days=day - 1) for day in days]
    assert read(text, date_format=directives) == {("m", "accuracy", "all"): values(expected, [0.9] * 3)}


def test_the_format_that_is_said_counts_though_the_days_fit_another(history_folder):
    text = table("date,accuracy", ["13/01/2025", "01/02/2025", "02/02/2025"], [0.9] * 3)
    history = history_folder.read(text, sources=Sources(flags=Layout(date_format="%m/%d/%Y")))
    assert [len(series) for series in history.series.values()] == [2]
    assert history.problems[0].message == (
        "`13/01/2025` is not a date (month must be in 1..12): write one such as 01/31/2025"
    )


def test_the_zone_that_is_said_is_that_of_dates_without_one(read):
    text = table("date,accuracy", [f"{day} 12:00" for day in ISO], [0.9] * 8)
    [((moment, _), *_)] = read(text, timezone=ZoneInfo("Asia/Tokyo")).values()
    assert moment == "2025-01-01T03:00:00.000000"


def test_steps_are_dated_from_step_0_on_also_those_appended_later(history_folder, values_of):
    path = history_folder.write(table("epoch,step,val_acc", range(4), range(9, 49, 10), [0.9] * 4))
    said = Layout(date="epoch", start=dt.datetime(2025, 1, 1, tzinfo=dt.UTC), every=dt.timedelta(days=2))
    reader = history_folder.reader(path, sources=Sources(flags=said))
    assert [len(series) for series in reader.read().series.values()] == [4]
    history_folder.append(path, b"4,49,0.8\n")
    [found] = values_of(reader.read()).values()
    assert found == values(DAYS[:1] + [dt.date(2025, 1, 1 + 2 * n) for n in range(1, 5)], [*[0.9] * 4, 0.8])


def test_epochs_may_be_negative_and_have_fractions(read):
    said = {"date": "epoch", "start": dt.datetime(2025, 1, 2, tzinfo=dt.UTC), "every": dt.timedelta(days=2)}
    text = table("epoch,accuracy", ["-0.5", "0", "0.50", "1.0"], [0.9] * 4)
    assert read(text, **said) == {("m", "accuracy", "all"): values(DAYS[:4], [0.9] * 4)}


@pytest.mark.parametrize(
    ("steps", "every"),
    [(range(12), "1d"), (range(0, 1200, 100), "864s"), (range(9, 9000, 10), "6s"), (["x"], "1d"), ([0, 10**9], "1s")],
)
def test_the_example_dates_a_day_from_row_to_row_and_a_minute_in_a_long_log(steps, every):
    assert step_layout("step", map(str, steps)).to_flags()[-1] == every


def test_steps_without_their_dates_are_asked_for(refusal):
    message = refusal(table("n,accuracy", range(8), [0.9] * 8), date="n")
    assert message.startswith("column `n` holds numbers of steps, not dates: use `--date n --start 2025-01-01")


def test_a_step_beyond_all_years_is_refused_by_its_row(history_folder):
    said = Layout(date="n", start=dt.datetime(2025, 1, 1, tzinfo=dt.UTC), every=dt.timedelta(days=300))
    history = history_folder.read(table("n,accuracy", [*range(7), 10**11], [0.9] * 8), sources=Sources(flags=said))
    assert [len(series) for series in history.series.values()] == [7]
    assert "its year is outside" in history.problems[0].message


# numbers


@pytest.mark.parametrize(
    ("said", "value"), [({"decimal": DecimalMark.POINT}, 1.234), ({"decimal": DecimalMark.COMMA}, 1234)]
)
def test_the_decimal_mark_that_is_said_decides_what_a_point_is(read, said, value):
    text = table("date;latency_ms", ISO, ["1.234"] * 8, delimiter=";")
    assert read(text, **said) == {("m", "latency_ms", "all"): values(DAYS, [value] * 8)}


def test_percent_that_is_said_does_not_make_a_hundredth_of_fractions(history_folder, values_of):
    text = "date,accuracy\n" + "".join(f"2025-01-{day:02},{95 if day % 2 else 0.95}\n" for day in range(1, 15))
    history = history_folder.read(text, sources=Sources(flags=Layout(scale=Scale.PERCENT)))
    assert not history.series
    assert "holds fractions, such as 0.95, and percent, such as 95: write one of them" in history.problems[0].message
    text = "date,error_rate\n" + "".join(f"2025-01-{day:02},{1.2 if day % 2 else 0.3}\n" for day in range(1, 15))
    (points,) = values_of(history_folder.read(text, sources=Sources(flags=Layout(scale=Scale.PERCENT)))).values()
    assert {value for _, value in points} == {0.012, 0.003}


@pytest.mark.parametrize(("scale", "value"), [(Scale.PERCENT, 0.009), (Scale.FRACTION, 0.9)])
def test_the_scale_that_is_said_decides_what_is_percent(read, scale, value):
    text = table("date,accuracy,latency_ms", ISO, ["0.9"] * 8, [5] * 8)
    found = read(text, scale=scale)
    assert found["m", "accuracy", "all"] == values(DAYS, [value] * 8)
    assert found["m", "latency_ms", "all"] == values(DAYS, [5] * 8)


# contradictions, and where a layout is from


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"every": dt.timedelta(1)}, "go together"),
        ({"start": dt.datetime(2025, 1, 1, tzinfo=dt.UTC), "every": dt.timedelta(1)}, "with `date`"),
        ({"metric": "name"}, "give `value` too"),
        ({"models_as_columns": "accuracy", "model": "name"}, "give no `model`"),
        ({"value": "x", "count": "x"}, "`value` and `count` both name the column x"),
        ({"model": "x", "segments": ("y", "x")}, "`model` and `segments` both name the column x"),
    ],
)
def test_what_contradicts_itself_is_refused(said, message):
    with pytest.raises(ValueError, match=message):
        Layout(**said)


def test_flags_count_more_than_the_table_and_replace_one_that_they_contradict():
    one = Source("one", ("/data/*.csv",), Layout(date="ts", date_format="%d/%m/%Y"))
    every = Source("every", ("/data",), Layout(model="name"))
    steps = Layout(date="epoch", start=dt.datetime(2025, 1, 1, tzinfo=dt.UTC), every=dt.timedelta(1))
    assert Sources((one, every)).layout_of("/data/a.csv") == one.layout
    assert Sources((one, every)).layout_of("/data/a.tsv") == every.layout
    assert Sources((one, every)).layout_of("/other/a.csv") == Layout()
    dated = Sources((Source("a", ("/data",), Layout(date="day", date_format="%Y-%m", model="name")),), steps)
    assert dated.layout_of("/data/a.csv") == Layout(date="epoch", model="name", start=steps.start, every=steps.every)
    assert Sources((one,), Layout(model="m")).layout_of("/data/a.csv") == one.layout.overridden(Layout(model="m"))
    assert Sources((one,), steps).layout_of("/data/a.csv") == steps


def test_an_address_is_matched_as_it_is_written():
    source = Source("runs", ("mlflow:*",), Layout(model="name"))
    assert source.matches("mlflow:http://host/1")
    assert not source.matches("/mlflow:x")


# any table


NAMES = ["when", "which one", "land", "Nr", "acc of all", "F-1"]


@settings(max_examples=60, deadline=None)
@given(
    st.permutations(range(6)),
    st.permutations(NAMES),
    st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ab"), st.sampled_from(["de", "fr"]), st.integers(1, 99)),
             min_size=1, max_size=30, unique_by=lambda row: row[:3]),
    st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%y%m%d", "%d %b %Y"]),
    st.booleans(),
)  # fmt: skip
def test_a_renamed_and_shuffled_table_with_its_layout_equals_the_plain_one(
    make_history_folder, order, names, drawn, directives, is_comma
):
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=day) for day, *_ in drawn]
    scores = [(f"{0.5 + share / 200:.4f}", f"{share / 100:.3f}") for *_, share in drawn]
    plain = [
        (day.isoformat(), model, f"{names[2]}={land}", str(share * 10), *score)
        for day, (_, model, land, share), score in zip(days, drawn, scores, strict=True)
    ]
    other = [
        (day.strftime(directives), model, land, count, *(each.replace(".", "," if is_comma else ".") for each in score))
        for day, (_, model, land, _), (_, _, _, count, *score) in zip(days, drawn, plain, strict=True)
    ]
    said = Layout(
        date=names[0], date_format=directives, model=names[1], segments=(names[2],), count=names[3],
        decimal=DecimalMark.COMMA if is_comma else DecimalMark.POINT, scale=Scale.FRACTION,
    )  # fmt: skip
    expected = make_history_folder().read(table("date,model,segment,count,x,y", *zip(*plain, strict=True)))
    header = ";".join(names[index] for index in order)
    text = table(header, *([row[index] for row in other] for index in order), delimiter=";")
    found = make_history_folder().read(text, sources=Sources(flags=said))

    def all_of(history, metrics):
        return {
            (key.model, metrics.get(key.metric, key.metric), key.segment): (
                series.times.tolist(), series.values.tolist(), series.rows.tolist()
            )
            for key, series in history.series.items()
        }  # fmt: skip

    renamed = {key.metric: new for key in found.series for new in "xy" if _is(key.metric, names[4 + "xy".index(new)])}
    assert all_of(found, renamed) == all_of(expected, {})


def _is(metric, name):
    return metric in (name, {"F-1": "f1_score"}.get(name))


def test_the_words_of_a_layout_say_it_again_on_a_command_line():
    said = Layout(date="run date", date_format="%d/%m/%Y", segments=("a", "b"), scale=Scale.PERCENT)
    assert shlex.join(said.to_flags()) == (
        "--date 'run date' --date-format %d/%m/%Y --segments a --segments b --scale percent"
    )
