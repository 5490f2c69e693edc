"""Rows of one date that differ in a column are told apart by it, or not read at all: never is one taken for another."""

from datetime import date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.series import FaultReason

DAYS = [str(date(2025, 1, 1) + timedelta(days=number)) for number in range(12)]
FIRST, SECOND = "churn", "fraud"
COLLIDE, TWO_LENGTHS = FaultReason.ROWS_COLLIDE, FaultReason.PERIODS_OF_TWO_LENGTHS


def two_a_day(header, first, second, days=DAYS, *, count=""):
    """Two rows of each day that differ in the second column and in the last: 0.5 and 0.25 plus the day's number."""
    rows = [
        f"{day},{part},{value + number / 100:.2f}{count}\n"
        for number, day in enumerate(days)
        for part, value in ((first, 0.5), (second, 0.25))
    ]
    return "".join([f"{header}\n", *rows])


def expected(*keys, days=DAYS):
    """The series of `two_a_day` under these keys."""
    return {
        key: [round(value + number / 100, 2) for number in range(len(days))]
        for key, value in zip(keys, (0.5, 0.25), strict=True)
    }


def read_values(history, values_of):
    return {key: [value for _, value in points] for key, points in values_of(history).items()}


def reasons(history):
    return {fault.reason for file in history.files for fault in file.faults}


def as_models(metric="accuracy"):
    return expected((FIRST, metric, "all"), (SECOND, metric, "all"))


def as_segments(*segments, metric="accuracy"):
    return expected(*(("m", metric, segment) for segment in segments))


def as_metrics(*metrics):
    return expected(*(("m", metric, "all") for metric in metrics))


@pytest.mark.parametrize(
    "name",
    [
        *("model_name", "Model", "model name", "MODEL_NAME", "modelName", "Model-Name"),
        *("name", "experiment", "experiment_name", "deployment", "model_id", "endpoint", "Pipeline"),
    ],
)
def test_a_column_that_is_called_like_a_model_is_the_model(history_folder, values_of, name):
    history = history_folder.read(two_a_day(f"date,{name},accuracy", FIRST, SECOND))
    assert read_values(history, values_of) == as_models()
    assert reasons(history) == set()


@pytest.mark.parametrize(
    ("name", "first", "second", "segments"),
    [
        pytest.param("country", "DE", "FR", ("country=DE", "country=FR"), id="text of few values"),
        pytest.param("team", "risk", "care", ("team=risk", "team=care"), id="text of a name nobody knows"),
        pytest.param("version", "2", "1", ("version=2", "version=1"), id="a version as a number"),
        pytest.param("version", "1.10", "1.9", ("version=1.10", "version=1.9"), id="a version with a point"),
        pytest.param("shard", "0", "1", ("shard=0", "shard=1"), id="a shard"),
        pytest.param("fold", "1", "2", ("fold=1", "fold=2"), id="a fold"),
        pytest.param("is_mobile", "True", "False", ("is_mobile=True", "is_mobile=False"), id="true and false"),
        pytest.param("zorp", "1", "2", ("zorp=1", "zorp=2"), id="whole numbers of a name nobody knows"),
        pytest.param("epoch", "1", "2", ("epoch=1", "epoch=2"), id="an epoch"),
        pytest.param("age_group", "18-25", "26-35", ("age_group=18-25", "age_group=26-35"), id="ranges"),
        pytest.param("Env", "prod", "", ("Env=prod", "all"), id="an empty cell is the row of all"),
        pytest.param("region", "north", "Total", ("region=north", "all"), id="so is a total"),
        pytest.param("label", "0", "1", ("label=0", "label=1"), id="a class"),
        pytest.param("threshold", "0.1", "0.2", ("threshold=0.1", "threshold=0.2"), id="a decision threshold"),
    ],
)
def test_a_column_of_few_values_is_a_segment(history_folder, values_of, name, first, second, segments):
    history = history_folder.read(two_a_day(f"date,{name},accuracy", first, second))
    assert read_values(history, values_of) == as_segments(*segments)
    (problem,) = history.problems
    assert f"rows of one date differ in `{name}`" in problem.message


@pytest.mark.parametrize(
    ("header", "metrics"),
    [
        pytest.param("date,metric_name,metric_value", ("accuracy", "f1_score"), id="metric_name and metric_value"),
        pytest.param("timestamp,key,value", ("accuracy", "f1_score"), id="MLflow"),
        pytest.param("Time,Series,Value", ("accuracy", "f1_score"), id="Grafana"),
        pytest.param("date,tag,value", ("accuracy", "f1_score"), id="tbparse"),
        pytest.param("date,variable,value", ("accuracy", "f1_score"), id="pandas' melt"),
        pytest.param("date,metric,score", ("accuracy", "f1_score"), id="metric and score"),
        pytest.param("Date,Metric Name,Metric Value", ("accuracy", "f1_score"), id="words with blanks"),
        pytest.param("date,metricName,val", ("accuracy", "f1_score"), id="camel case"),
        pytest.param("date,name,value", ("accuracy", "f1_score"), id="name beside value"),
        pytest.param("time,_field,_value", ("accuracy", "f1_score"), id="InfluxDB"),
    ],
)
def test_the_long_shape_is_known_by_other_names(history_folder, values_of, header, metrics):
    history = history_folder.read(two_a_day(header, "accuracy", "f1"))
    assert read_values(history, values_of) == as_metrics(*metrics)
    assert history.problems == ()


def test_means_beside_their_deviations_are_the_values_of_the_long_shape(history_folder, values_of):
    rows = "".join(
        f"{day},{metric},{value},0.1\n" for day in DAYS for metric, value in (("accuracy", 0.5), ("f1", 0.6))
    )
    values = read_values(history_folder.read(f"date,metric,mean,std\n{rows}"), values_of)
    assert values == {("m", "accuracy", "all"): [0.5] * len(DAYS), ("m", "f1_score", "all"): [0.6] * len(DAYS)}


def test_a_column_of_metrics_beside_one_of_numbers_is_the_long_shape(history_folder, values_of):
    history = history_folder.read(two_a_day("date,metric,mean", "accuracy", "f1"))
    assert read_values(history, values_of) == as_metrics("accuracy", "f1_score")


@pytest.mark.parametrize(
    ("header", "rows", "keys"),
    [
        pytest.param(
            "date,model,name,accuracy",
            "{day},churn,a,0.5\n{day},churn,b,0.6\n",
            {("churn", "accuracy", "name=a"), ("churn", "accuracy", "name=b")},
            id="beside a model, a name is a segment",
        ),
        pytest.param(
            "date,country,device,accuracy",
            "{day},DE,ios,0.5\n{day},DE,web,0.6\n{day},FR,ios,0.7\n{day},FR,web,0.8\n",
            {("m", "accuracy", f"country={c},device={d}") for c in ("DE", "FR") for d in ("ios", "web")},
            id="two columns that only together tell rows apart",
        ),
        pytest.param(
            "date,country,device,channel,tenant,accuracy",
            "".join(
                f"{{day}},{country},{device},{channel},{tenant},0.{number + 50}\n"
                for number, (country, device, channel, tenant) in enumerate(product("ab", "cd", "ef", "gh"))
            ),
            {
                ("m", "accuracy", f"country={a},device={b},channel={c},tenant={d}")
                for a, b, c, d in product("ab", "cd", "ef", "gh")
            },
            id="four columns that only together tell rows apart",
        ),
        pytest.param(
            "date,experiment,split,accuracy",
            "{day},a,x,0.5\n{day},a,y,0.6\n{day},b,x,0.7\n{day},b,y,0.8\n",
            {(model, "accuracy", f"split={part}") for model in "ab" for part in "xy"},
            id="a model and a segment",
        ),
        pytest.param(
            "date,metric,dataset,value",
            "{day},accuracy,test,0.5\n{day},accuracy,holdout,0.6\n{day},latency_ms,test,9\n",
            {
                ("m", "accuracy", "dataset=test"),
                ("m", "accuracy", "dataset=holdout"),
                ("m", "latency_ms", "dataset=test"),
            },
            id="segments of the long shape",
        ),
        pytest.param(
            "date,segment,version,accuracy",
            "{day},country=DE,1,0.5\n{day},country=DE,2,0.6\n",
            {("m", "accuracy", "country=DE,version=1"), ("m", "accuracy", "country=DE,version=2")},
            id="a column within a segment",
        ),
        pytest.param(
            "date,country,currency,accuracy",
            "{day},DE,EUR,0.5\n{day},UK,GBP,0.6\n",
            {("m", "accuracy", "country=DE"), ("m", "accuracy", "country=UK")},
            id="of two that say the same, the better known",
        ),
        pytest.param(
            "date,run_id,country,accuracy",
            "{day},{day}a,DE,0.5\n{day},{day}b,FR,0.6\n",
            {("m", "accuracy", "country=DE"), ("m", "accuracy", "country=FR")},
            id="an id beside a column of few values",
        ),
    ],
)
def test_columns_that_tell_rows_apart_together(history_folder, header, rows, keys):
    history = history_folder.read(header + "\n" + "".join(rows.format(day=day) for day in DAYS))
    assert {(key.model, key.metric, key.segment) for key in history.series} == keys
    assert {len(series) for series in history.series.values()} == {len(DAYS)}


@pytest.mark.parametrize(
    ("data", "reason", "words"),
    [
        pytest.param(
            "date,run_id,accuracy\n" + "".join(f"{day},{day}{run},0.{run}\n" for day in DAYS for run in (5, 6)),
            COLLIDE, "`run_id`", id="an id that is another in every row",
        ),
        pytest.param(
            "date,accuracy\n" + "".join(f"{day},0.{run}\n" for day in DAYS for run in (5, 6)),
            COLLIDE, "no column tells them apart", id="nothing tells them apart",
        ),
        pytest.param(two_a_day("date,zorp,accuracy", "0.1", "0.2"), COLLIDE, "`zorp`", id="a fraction"),
        pytest.param(
            two_a_day("date,time,accuracy", "08:00", "20:00", [day.replace("-", "") for day in DAYS]),
            COLLIDE, "cannot be read together", id="an hour of a date in figures",
        ),
        pytest.param(two_a_day("date,hour,accuracy", "8", "20"), COLLIDE, "date and time in one", id="hour as number"),
        pytest.param(two_a_day("date,,accuracy", "a", "b"), COLLIDE, "without a name", id="a column without a name"),
        pytest.param(
            "date,computed_at,accuracy\n"
            + "".join(f"{day},{day}T0{hour}:00:00Z,0.{hour}\n" for day in DAYS for hour in (5, 6)),
            COLLIDE, "`computed_at`", id="another date",
        ),
        pytest.param(
            "date,accuracy\n" + "".join(f"{day}T{hour},0.{n}\n" for day in DAYS for n, hour in enumerate(
                ("00:00", "12:00", "00:00"))),
            TWO_LENGTHS, "hourly and daily", id="days among hours in one form",
        ),
        pytest.param(
            "date,accuracy\n" + "".join(f"{day}T{hour},0.{n}\n" for day in DAYS[:2] for n, hour in enumerate(
                ("00:00", "12:00", "00:00"))),
            TWO_LENGTHS, "hourly and daily", id="two days among their hours",
        ),
    ],
)  # fmt: skip
def test_rows_that_nothing_usable_tells_apart_are_a_fault_and_no_values(history_folder, data, reason, words):
    history = history_folder.read(data)
    assert history.series == {}
    ((fault,),) = [file.faults for file in history.files]
    assert (fault.reason, fault.models) == (reason, ("m",))
    assert words in fault.message


@pytest.mark.parametrize(
    ("header", "clock", "seconds"),
    [
        pytest.param("date,time,accuracy", ("08:00", "20:00"), (8 * 3600, 20 * 3600), id="minutes"),
        pytest.param("date,Time of day,accuracy", ("8:00:30", "20:00:00"), (8 * 3600 + 30, 20 * 3600), id="seconds"),
        pytest.param("Datum,Uhrzeit,accuracy", ("8:00 am", "8:00 pm"), (8 * 3600, 20 * 3600), id="halves of a day"),
    ],
)
@pytest.mark.parametrize("days", [DAYS[:1], DAYS])
def test_a_time_of_day_beside_the_date_is_a_part_of_it(history_folder, header, clock, seconds, days):
    history = history_folder.read(two_a_day(header, *clock, days))
    ((key, series),) = history.series.items()
    assert key.segment == "all"
    starts = [datetime.fromisoformat(day) + timedelta(seconds=second) for day in days for second in seconds]
    assert series.times.tolist() == starts
    assert reasons(history) == set()


def test_what_tells_rows_apart_is_no_part_of_the_date_because_times_differ_too(history_folder):
    rows = "".join(
        f"{day},{hour},{team},0.5{hour[1]}\n" for day in DAYS for hour, team in (("06:00", "a"), ("07:00", "b"))
    )
    assert {key.segment for key in history_folder.read(f"date,time,team,accuracy\n{rows}").series} == {
        "team=a",
        "team=b",
    }


def test_rows_of_all_among_segments_are_reported(history_folder):
    history = history_folder.read(two_a_day("date,country,accuracy", "DE", ""))
    (problem,) = history.problems
    assert "read as segments, empty as all rows" in problem.message
    assert "a rule with `segment`" in problem.message


def test_days_among_hours_are_a_segment(history_folder, values_of):
    rows = "".join(f"{day}T00:00:00Z,0.9\n{day}T12:00:00Z,0.95\n{day},0.92\n" for day in DAYS)
    history = history_folder.read("date,accuracy\n" + rows)
    values = read_values(history, values_of)
    assert values["m", "accuracy", "all"] == [0.9, 0.95] * len(DAYS)
    assert values["m", "accuracy", "period=day"] == [0.92] * len(DAYS)
    (problem,) = history.problems
    assert "period=day" in problem.message


def test_a_fault_is_about_the_models_whose_rows_collide(history_folder):
    rows = "".join(f"{day},a,0.5\n{day},a,0.6\n{day},b,0.7\n" for day in DAYS)
    history = history_folder.read("date,model,accuracy\n" + rows)
    assert [key.model for key in history.series] == ["b"]
    assert set(history.periods) == {"a", "b"}
    ((fault,),) = [file.faults for file in history.files]
    assert fault.models == ("a",)


ROWS = [f"{day},0.5\n" for day in DAYS]


@pytest.mark.parametrize(
    ("rows", "refused", "line"),
    [
        pytest.param([*ROWS, f"{DAYS[-1]},0.6\n"], DAYS[-1:], 14, id="of the newest date"),
        pytest.param([f"{DAYS[-1]},0.6\n", *ROWS], DAYS[-1:], 14, id="wherever the other row is"),
        pytest.param([*ROWS, *(f"{day},0.6\n" for day in DAYS[-3:])], DAYS[-3:], 16, id="of the newest three dates"),
        pytest.param([*ROWS, *(f"{day},0.6\n" for day in (DAYS[3], DAYS[-1]))], DAYS[-1:], 15, id="and of an old one"),
        pytest.param([*ROWS, f"{DAYS[3]},0.6\n"], [], 14, id="of an old date, where the later row counts"),
    ],
)
def test_a_few_values_that_differ_are_reported_and_the_newest_are_refused(history_folder, rows, refused, line):
    history = history_folder.read("date,accuracy\n" + "".join(rows))
    ((key, series),) = history.series.items()
    assert [str(time)[:10] for time in history.refused.get(key, ())] == refused
    assert len(series) == len(DAYS) - len(refused)
    (problem,) = history.problems
    assert problem.line == line
    assert f"on line {line}" in problem.message
    assert problem.message.endswith("keep one row a date" if refused else "the later row counts")


def test_of_many_series_with_two_values_one_line_is_reported(history_folder):
    metrics = ("accuracy", "recall", "f1_score")
    rows = "".join(f"{day},0.5,0.5,0.5\n" for day in DAYS)
    history = history_folder.read(f"date,{','.join(metrics)}\n{rows}{DAYS[-1]},0.6,0.6,0.5\n")
    assert {key.metric for key in history.refused} == {"accuracy", "recall"}
    assert [problem.count for problem in history.problems] == [2]


def test_a_later_file_settles_two_values_of_one_date(history_folder):
    header = "date,model,accuracy\n"
    rows = [row.replace(",", ",m,") for row in [*ROWS, f"{DAYS[-1]},0.6\n"]]
    history = history_folder.read(header + "".join(rows), f"{header}{DAYS[-1]},m,0.7\n")
    (series,) = history.series.values()
    assert (series.latest, history.refused) == (0.7, {})


def test_a_second_model_at_a_single_date_is_a_model(history_folder, values_of):
    rows = "".join(f"{day},{FIRST},0.5\n" for day in DAYS)
    history = history_folder.read(f"date,name,accuracy\n{rows}{DAYS[-1]},{SECOND},0.2\n")
    values = read_values(history, values_of)
    assert values == {(FIRST, "accuracy", "all"): [0.5] * len(DAYS), (SECOND, "accuracy", "all"): [0.2]}


@pytest.mark.parametrize("clock", ["T00:00", ""])
def test_a_single_daily_value_among_hours_is_reported(history_folder, clock):
    rows = "".join(f"{day}T{hour:02}:00,0.5\n" for day in DAYS for hour in range(24))
    history = history_folder.read(f"date,accuracy\n{rows}{DAYS[-1]}{clock},0.6\n")
    (problem,) = history.problems
    if clock:
        assert f"{DAYS[-1]} has different values of accuracy" in problem.message
    else:
        assert {key.segment: len(series) for key, series in history.series.items()} == {
            "all": 24 * len(DAYS),
            "period=day": 1,
        }


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("date,accuracy\n" + "".join(f"{day},0.5\n" for day in (*DAYS, *DAYS[:3])), id="equal rows"),
        pytest.param(
            "date,accuracy\n" + "".join(f"{day},0.1\n" for day in DAYS[:3]) + "".join(f"{day},0.5\n" for day in DAYS),
            id="corrections of three dates",
        ),
        pytest.param(
            "date,accuracy\n" + "".join(f"{day},0.4999999999\n{day},0.5\n" for day in DAYS), id="two precisions"
        ),
        pytest.param(
            "date,team,accuracy\n" + "".join(f"{day},risk,0.5\n" for day in DAYS), id="the same text in every row"
        ),
        pytest.param(
            "date,comment,accuracy\n" + "".join(f"{day},run of {day},0.5\n" for day in DAYS), id="a comment on each row"
        ),
        pytest.param(
            "date,name,accuracy\n" + "".join(f"{day},{day[-1]},0.5\n" for day in DAYS), id="names, one row a date"
        ),
        pytest.param(
            "date,version,accuracy\n" + "".join(f"{day},{day[-1]},0.5\n" for day in DAYS), id="versions, one row a date"
        ),
        pytest.param(
            "date,accuracy,provisional\n" + "".join(f"{day},0.4,true\n{day},0.5,\n" for day in DAYS),
            id="final values after provisional ones",
        ),
        pytest.param(
            "date,accuracy,recall\n" + "".join(f"{day},0.5,\n{day},,0.5\n" for day in DAYS), id="a row per metric"
        ),
    ],
)
def test_rows_that_do_not_collide_are_read_as_they_are(history_folder, values_of, data):
    history = history_folder.read(data)
    values = read_values(history, values_of)
    assert values.pop(("m", "accuracy", "all")) == [0.5] * len(DAYS)
    assert {metric for _, metric, _ in values} <= {"recall"}
    assert reasons(history) == set()


def test_a_model_of_one_row_a_date_is_known_by_its_column(history_folder):
    history = history_folder.read("date,model_name,accuracy\n" + "".join(f"{day},churn,0.5\n" for day in DAYS))
    assert list(history.periods) == ["churn"]


def test_files_of_the_store_may_correct_all_their_rows(history_folder, values_of):
    rows = "".join(f"{day},m,all,,{value},\n" for value in (0.4, 0.5) for day in DAYS)
    history = history_folder.read("date,model,segment,count,accuracy,provisional\n" + rows)
    assert read_values(history, values_of) == {("m", "accuracy", "all"): [0.5] * len(DAYS)}
    assert history.problems == ()


def test_metrics_of_the_store_may_be_called_key_and_value(history_folder):
    rows = "".join(f"{day},m,all,,1,2,3,\n" for day in DAYS)
    history = history_folder.read("date,model,segment,count,key,value,version,provisional\n" + rows)
    assert {key.metric for key in history.series} == {"key", "value", "version"}


def test_a_later_file_corrects_an_earlier_one(history_folder, values_of):
    wrong, right = ("date,accuracy\n" + "".join(f"{day},{value}\n" for day in DAYS) for value in (0.4, 0.5))
    names = "date,model,accuracy\n"
    history = history_folder.read(
        wrong.replace("date,accuracy\n", names).replace(",0", ",m,0"),
        right.replace("date,accuracy\n", names).replace(",0", ",m,0"),
    )
    assert read_values(history, values_of) == {("m", "accuracy", "all"): [0.5] * len(DAYS)}
    assert reasons(history) == set()


def test_a_young_file_is_told_apart_by_a_known_name(history_folder, values_of):
    history = history_folder.read(two_a_day("date,country,accuracy", "DE", "FR", DAYS[:1]))
    assert read_values(history, values_of) == expected(
        ("m", "accuracy", "country=DE"), ("m", "accuracy", "country=FR"), days=DAYS[:1]
    )


FILES = [
    two_a_day("date,country,accuracy", "DE", "FR"),
    two_a_day("date,name,accuracy", FIRST, SECOND),
    two_a_day("date,time,accuracy", "6:00", "18:00"),
    two_a_day("date,accuracy,recall", "0.8", "0.9"),
    two_a_day("date,metric_name,value", "accuracy", "f1"),
    "date,run_id,accuracy\n" + "".join(f"{day},{day}{run},0.{run}\n" for day in DAYS for run in (5, 6)),
    "date,a,b,accuracy\n" + "".join(f"{day},{a},{b},0.{a}{b}\n" for day in DAYS for a in (1, 2) for b in (3, 4)),
    "date,accuracy\n" + "".join(f"{day},0.5\n" for day in DAYS) + f"{DAYS[0]},0.6\n",
    "date,accuracy\n" + "".join(f"{day},0.5\n" for day in DAYS) + "date,recall,accuracy\n2025-03-01,0.6,0.7\n",
    "title;\n# a comment\ndate;accuracy\n;%\n" + "".join(f"{day};0.5\n" for day in DAYS) + "Total;0.5\n",
]


@settings(max_examples=60, deadline=None)
@given(data=st.sampled_from(FILES), cuts=st.sets(st.integers(1, 400), max_size=5))
def test_a_file_that_grows_is_read_as_at_once(make_history_folder, as_plain_data, data, cuts):
    growing = make_history_folder()
    raw, previous = data.encode(), 0
    path = growing.write(b"")
    reader = growing.reader(path)
    for cut in [*sorted(cut for cut in cuts if cut < len(raw)), len(raw)]:
        growing.append(path, raw[previous:cut])
        previous = cut
        history = reader.read()
    assert as_plain_data(history) == as_plain_data(growing.reader(path).read())


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_other_columns_and_their_order_change_no_value(make_history_folder, values_of, data):
    header = ["date", "country", "accuracy"]
    rows = [[day, part, f"0.{n:02}{p}"] for n, day in enumerate(DAYS) for p, part in enumerate(("DE", "FR"), start=1)]
    for _ in range(data.draw(st.integers(0, 2))):
        name, cells = data.draw(
            st.sampled_from(
                [
                    ("owner", ["risk"] * len(rows)),
                    ("row_id", [f"r{number}" for number in range(len(rows))]),
                    ("", [str(number) for number in range(len(rows))]),
                    ("run", [str(number * 7919) for number in range(len(rows))]),
                    ("recall", [f"0.{number:03}" for number in range(len(rows))]),
                ]
            )
        )
        header, rows = [*header, name], [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    order = data.draw(st.permutations(range(len(header))))
    lines = [",".join(row[index] for index in order) + "\n" for row in rows]
    for place in sorted(data.draw(st.sets(st.integers(1, len(lines) - 1), max_size=3)), reverse=True):
        lines.insert(place, ",".join(header[index] for index in order) + "\n")
    text = ",".join(header[index] for index in order) + "\n" + "".join(lines)
    history = make_history_folder().read(text)
    expected_values = {
        ("m", "accuracy", f"country={part}"): [float(row[2]) for row in rows if row[1] == part] for part in ("DE", "FR")
    }
    found = {key: values for key, values in read_values(history, values_of).items() if key[1] == "accuracy"}
    assert found == expected_values or (reasons(history) == {COLLIDE} and found == {})


@settings(max_examples=40, deadline=None)
@given(parts=st.integers(2, 5), order=st.randoms(use_true_random=False))
def test_a_long_file_cut_by_a_column_has_the_same_series(make_history_folder, values_of, parts, order):
    cells = [(day, f"c{part}", metric) for day in DAYS for part in range(parts) for metric in ("accuracy", "recall")]
    rows = [f"{day},{part},{metric},0.{number:03}\n" for number, (day, part, metric) in enumerate(cells)]
    whole = make_history_folder().read("date,country,metric,value\n" + "".join(rows))
    order.shuffle(rows)
    shuffled = make_history_folder().read("date,country,metric,value\n" + "".join(rows))
    assert values_of(shuffled) == values_of(whole)
    for part in range(parts):
        own = sorted(row.replace(f",c{part},", ",") for row in rows if f",c{part}," in row)
        alone = values_of(make_history_folder().read("date,metric,value\n" + "".join(own)))
        for metric in ("accuracy", "recall"):
            assert alone["m", metric, "all"] == values_of(whole)["m", metric, f"country=c{part}"]


@pytest.mark.parametrize("header", ["date,accuracy", "year,accuracy"])
def test_many_rows_of_a_single_date_are_no_corrections(history_folder, header):
    day = DAYS[0] if header.startswith("date") else "2025"
    rows = "".join(f"{day},0.{90 + row}\n" for row in range(9))
    history = history_folder.read(f"{header}\n{rows}")
    assert reasons(history) == {COLLIDE}
    assert not history.series


def test_rows_of_the_long_shape_that_nothing_tells_apart_are_not_read(history_folder):
    rows = [f"{day},a,accuracy,{value}\n" for day in DAYS for value in (0.5, 0.25)]
    history = history_folder.read("date,model,metric,value\n" + "".join(rows))
    assert (dict(history.series), reasons(history)) == ({}, {COLLIDE})


def test_the_profile_table_of_databricks_is_read_with_its_slices(history_folder):
    rows = [
        f'"{{""start"":""2025-01-{day:02}T00:00:00.000Z"",""end"":""2025-01-{day + 1:02}T00:00:00.000Z""}}",1 day,'
        f"{key},{value},{column},1000,{accuracy if column == ':table' else ''}\n"
        for day in range(1, 11)
        for key, value, accuracy in (("", "", 0.9), ("country", "EU", 0.92), ("country", "US", 0.88))
        for column in (":table", "age", "income")
    ]
    header = "window,granularity,slice_key,slice_value,column_name,count,accuracy_score\n"
    history = history_folder.read(header + "".join(rows))
    assert {(key.metric, key.segment): (len(each), each.values[0]) for key, each in history.series.items()} == {
        ("accuracy", "all"): (10, 0.9),
        ("accuracy", "slice_value=EU"): (10, 0.92),
        ("accuracy", "slice_value=US"): (10, 0.88),
    }
