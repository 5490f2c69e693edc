"""History from Prometheus, on answers that Prometheus 2.42 gave."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from modeltop.core.errors import SourceError
from modeltop.history.sources.prometheus import Grid, Samples, as_csv, to_csv

DAY = 86_400
NOON = datetime(2025, 1, 10, 12, tzinfo=UTC).timestamp()
FRAUD = {"__name__": "model_accuracy", "instance": "10.0.0.1:9100", "job": "scorer", "model": "fraud"}


def matrix(*series):
    result = [{"metric": labels, "values": values} for labels, values in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def vector(*series):
    result = [{"metric": labels, "value": value} for labels, value in series]
    return {"status": "success", "data": {"resultType": "vector", "result": result}}


def lines(data):
    return data.decode().splitlines()[1:]


@pytest.fixture
def prometheus(service):
    """Return a Prometheus with a gauge over three days and now."""
    values = [[NOON - DAY / 2 - 0.001 - days * DAY, f"0.9{days}"] for days in (2, 1, 0)]
    service.answers["/api/v1/query_range"] = matrix((FRAUD, values))
    service.answers["/api/v1/query"] = vector((FRAUD, [NOON, "0.8"]))
    service.answers["/api/v1/label/__name__/values"] = {"status": "success", "data": ["model_accuracy", "up"]}
    service.fetch = lambda rest: to_csv(f"prometheus:{service.url}{rest}", lambda: NOON)
    return service


def test_a_day_has_its_last_value_and_today_the_value_of_now(prometheus):
    assert lines(prometheus.fetch("?query=model_accuracy")) == [
        "2025-01-07T00:00:00+00:00,fraud,all,,model_accuracy,0.92",
        "2025-01-08T00:00:00+00:00,fraud,all,,model_accuracy,0.91",
        "2025-01-09T00:00:00+00:00,fraud,all,,model_accuracy,0.90",
        "2025-01-10T00:00:00+00:00,fraud,all,,model_accuracy,0.8",
    ]
    _, over, _ = prometheus.requests[0]
    assert (over["query"], over["step"]) == ("model_accuracy", f"{DAY}")
    assert float(over["end"]) == NOON - DAY / 2 - 0.001, "a sample at midnight is one of the next day"
    assert float(over["end"]) - float(over["start"]) == 89 * DAY, "90 days, with both ends"


@pytest.mark.parametrize(("step", "first"), [("1d", "2025-01-08"), ("6h", "2025-01-08T12:00"), ("1w", "2024-12-30")])
def test_steps_start_at_midnight_and_weeks_on_monday(step, first):
    lengths = {"1d": timedelta(days=1), "6h": timedelta(hours=6), "1w": timedelta(weeks=1)}
    grid = Grid.until(NOON, timedelta(days=2), lengths[step])
    assert grid.first == datetime.fromisoformat(first).replace(tzinfo=UTC).timestamp()


def test_labels_that_tell_series_apart_are_the_segment():
    one = [(0.0, "1")]
    series = [
        Samples({"__name__": "accuracy", "model": "m", "job": "j", "region": "eu", "env": "prod"}, one),
        Samples({"__name__": "accuracy", "model": "m", "job": "j", "region": "us", "env": "prod"}, one),
        Samples({"__name__": "accuracy", "model": "m", "job": "j", "env": "prod"}, one),
        Samples({"metric": "f1", "model": "m", "segment": "young", "job": "j"}, one),
        Samples({"__name__": "accuracy", "service": "shop"}, one),
        Samples({"__name__": "accuracy"}, [(0.5, "NaN")]),
    ]
    date = "1970-01-01T00:00:00"
    assert lines(as_csv(series)) == [
        f"{date}+00:00,m,region=eu,,accuracy,1",
        f"{date}+00:00,m,region=us,,accuracy,1",
        f"{date}+00:00,m,all,,accuracy,1",
        f"{date}+00:00,m,young,,f1,1",
        f"{date}+00:00,shop,all,,accuracy,1",
        f"{date}.500000+00:00,prometheus,all,,accuracy,NaN",
    ]


def test_versions_pods_and_instances_that_follow_one_another_are_one_series():
    def sample(version, instance, days, country="DE"):
        labels = {"__name__": "accuracy", "model": "m", "version": version, "instance": instance, "country": country}
        return Samples(labels, [(float(day * DAY), f"{version}@{day}") for day in days])

    read = lines(as_csv([sample("v2", "b", range(9, 20)), sample("v1", "a", range(10))]))
    values = {f"v1@{day}" for day in range(9)} | {f"v2@{day}" for day in range(9, 20)}
    assert {line.split(",", 2)[2] for line in read} == {f"all,{value[:2]},accuracy,{value}" for value in values}

    by_country = [sample("v1", "a", range(10)), sample("v2", "b", range(10, 20), "FR")]
    assert {line.split(",")[2] for line in lines(as_csv(by_country))} == {"country=DE", "country=FR"}


@pytest.mark.parametrize("last", [range(20), range(19, 20)])
def test_versions_that_are_served_side_by_side_are_segments(last):
    series = [
        Samples({"model": "m", "version": version}, [(float(day * DAY), "0.9") for day in days])
        for version, days in (("v1", range(20)), ("v2", last))
    ]
    assert {line.split(",")[2] for line in lines(as_csv(series, metric="accuracy"))} == {"version=v1", "version=v2"}


@pytest.mark.parametrize(
    ("query", "metric"),
    [
        ("avg by (model) (accuracy)", "accuracy"),
        ('100 * last_over_time(ml:accuracy{env=~"a|b", x!="y"}[1d] offset 1d)', "ml:accuracy"),
        ("accuracy > bool 0.5 and on(model) accuracy", "accuracy"),
        ("clamp_max(accuracy, Inf) # not loss", "accuracy"),
    ],
)
def test_a_result_without_a_name_has_that_of_the_metric_in_the_query(query, metric):
    assert lines(as_csv([Samples({"model": "m"}, [(0.0, "1")])], query=query))[0].split(",")[4] == metric


@pytest.mark.parametrize("query", ["sum(correct_total) / sum(predictions_total)", "vector(1)"])
def test_a_result_whose_name_the_query_leaves_open_has_to_be_named(query):
    series = [Samples({}, [(0.0, "1")])]
    with pytest.raises(SourceError, match="no name: add one, such as &metric=accuracy"):
        as_csv(series, query=query)
    assert lines(as_csv(series, query=query, metric="accuracy", model="m"))[0].endswith(",m,all,,accuracy,1")


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("?query=up&step=soon", "invalid step `soon`: write a number and s, m, h, d or w"),
        (
            "?query=up&step=1m",
            "Prometheus returns at most 11,000 points a series: use a larger step, such as &step=15m",
        ),
    ],
)
def test_an_address_that_cannot_be_fetched_sends_no_request(prometheus, rest, expected):
    with pytest.raises(SourceError) as caught:
        prometheus.fetch(rest)
    assert str(caught.value).startswith(expected)
    assert prometheus.requests == []


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (400, "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution",
         "Prometheus returns at most 11,000 points a series: use a larger step, such as &step=15m"),
        (422, "query processing would load too many samples into memory in query execution",
         "the query is too much for Prometheus (query processing would load too many samples"),
        (503, "query timed out in expression evaluation", "the query is too much for Prometheus (query timed out"),
        (400, "1:5: parse error: unclosed left parenthesis",
         "Prometheus cannot evaluate the query (1:5: parse error: unclosed left parenthesis): correct it, in quotes"),
    ],
)  # fmt: skip
def test_what_prometheus_refuses_comes_with_the_remedy(prometheus, status, error, expected):
    body = json.dumps({"status": "error", "errorType": "bad_data", "error": error}).encode()
    prometheus.answers["/api/v1/query_range"] = (status, body, {})
    with pytest.raises(SourceError) as caught:
        prometheus.fetch("?query=sum(model_accuracy)")
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("model_acuracy", "no metric is called model_acuracy; did you mean model_accuracy?"),
        ("model_accuracy", "samples older than 5 minutes count only in last_over_time(model_accuracy[1d])"),
        ("a / b", "check it in the web interface of Prometheus"),
    ],
)
def test_a_query_without_data_says_what_to_change(prometheus, query, expected):
    prometheus.answers["/api/v1/query_range"], prometheus.answers["/api/v1/query"] = matrix(), vector()
    with pytest.raises(SourceError) as caught:
        prometheus.fetch(f"?query={query}")
    assert str(caught.value) == f"no data for this query in the last 90 days: {expected}"


@pytest.mark.parametrize(
    "answer",
    [
        {"x": 1},
        {"data": {"resultType": "matrix", "result": [1]}},
        {"data": None},
        matrix(({}, [[1e300, "1"]])),
        matrix(({}, [[float("nan"), "1"]])),
    ],
)
def test_json_of_another_service_is_not_taken_for_an_answer(prometheus, answer):
    prometheus.answers["/api/v1/query_range"] = answer
    with pytest.raises(SourceError, match="its answer is not that of Prometheus"):
        prometheus.fetch("?query=up")


def test_a_part_of_the_data_is_an_error_and_a_note_on_the_query_is_none(prometheus):
    """Thanos answers without the stores that are down; the worst model may be theirs."""
    answer = prometheus.answers["/api/v1/query_range"]
    answer["warnings"] = ["PromQL warning: bucket label"]
    assert len(lines(prometheus.fetch("?query=model_accuracy"))) == 4
    answer["warnings"] += ["store eu is down"]
    with pytest.raises(SourceError, match=r"with a part of the data \(store eu is down\): see its log"):
        prometheus.fetch("?query=model_accuracy")


def test_without_a_query_the_metrics_of_models_are_named_to_choose_from(prometheus):
    names = ["go_threads", "latency_seconds", "model_accuracy", "up"]
    prometheus.answers["/api/v1/label/__name__/values"] = {"status": "success", "data": names}
    with pytest.raises(SourceError, match=r"Name a query: .*; it has model_accuracy, latency_seconds$"):
        prometheus.fetch("")
