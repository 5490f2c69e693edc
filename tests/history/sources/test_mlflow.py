"""History from MLflow: the same from a server, a database and a file store as MLflow 3.17 has them."""

import math
import sqlite3
from contextlib import closing

import pytest

from modeltop.core.errors import SourceError
from modeltop.history.sources import mlflow, mlflow_stores
from modeltop.history.sources.mlflow import Model, Part, as_csv, to_csv
from modeltop.history.sources.mlflow_stores import Point

JAN_1 = 1_735_700_400_000  # 2025-01-01T03:00:00Z
DAY = 86_400_000
LONG_NAME = "churn: daily, " + "of the customers " * 6 + "it's"
EXPERIMENTS = {"1": "fraud", "2": LONG_NAME, "3": "empty"}
RUNS = {
    "1": {"a1": "nightly", "a2": "nightly"},
    "2": {"b1": "first"},
    "3": {},
}
METRICS = {
    "a1": {"accuracy": [(0, 0.95), (1, 0.94)], "val/f1": [(0, 0.9)], "system/cpu_utilization_percentage": [(0, 50.0)]},
    "a2": {"accuracy": [(2, 0.8)]},
    "b1": {"accuracy": [(0, float("nan"))]},
}
VERSIONS = {"1": ("a1", "None", ()), "2": ("a2", "None", ("champion",)), "3": ("b1", "Archived", ())}
FRAUD = [
    "2025-01-01T03:00:00+00:00,fraud,all,accuracy,0.95",
    "2025-01-01T03:00:00+00:00,fraud,all,val/f1,0.9",
    "2025-01-02T03:00:00+00:00,fraud,all,accuracy,0.94",
    "2025-01-03T03:00:00+00:00,fraud,all,accuracy,0.8",
]
CHURN = [f'2025-01-01T03:00:00+00:00,"{LONG_NAME}",all,accuracy,nan']


def values(run):
    return [(metric, JAN_1 + day * DAY, value) for metric, all_ in METRICS[run].items() for day, value in all_]


@pytest.fixture
def database(tmp_path):
    """Return the URI of a database, with the tables as MLflow makes them."""
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("""
            CREATE TABLE experiments (experiment_id INTEGER, name VARCHAR(256), lifecycle_stage VARCHAR(32));
            CREATE TABLE runs (run_uuid VARCHAR(32), name VARCHAR(250), experiment_id INTEGER, lifecycle_stage VARCHAR);
            CREATE TABLE metrics (key VARCHAR(250), value FLOAT NOT NULL, timestamp BIGINT, run_uuid VARCHAR(32),
                                  step BIGINT, is_nan BOOLEAN);
            CREATE TABLE model_versions (name VARCHAR, version INTEGER, run_id VARCHAR, current_stage VARCHAR);
            CREATE TABLE registered_model_aliases (name VARCHAR, alias VARCHAR, version INTEGER);
            INSERT INTO experiments VALUES (9, 'gone', 'deleted');
            INSERT INTO runs VALUES ('gone', 'gone', 1, 'deleted');
            INSERT INTO metrics VALUES ('accuracy', 0.1, 0, 'gone', 0, 0);
        """)
        connection.executemany("INSERT INTO experiments VALUES (?, ?, 'active')", EXPERIMENTS.items())
        for experiment, runs in RUNS.items():
            for run, name in runs.items():
                connection.execute("INSERT INTO runs VALUES (?, ?, ?, 'active')", (run, name, experiment))
                for metric, time, value in values(run):
                    row = (metric, 0.0 if math.isnan(value) else value, time, run, math.isnan(value))
                    connection.execute("INSERT INTO metrics VALUES (?, ?, ?, ?, 0, ?)", row)
        for number, (run, stage, aliases) in VERSIONS.items():
            connection.execute("INSERT INTO model_versions VALUES ('shop', ?, ?, ?)", (number, run, stage))
            for alias in aliases:
                connection.execute("INSERT INTO registered_model_aliases VALUES ('shop', ?, ?)", (alias, number))
    return f"sqlite:///{path}"


@pytest.fixture
def file_store(tmp_path):
    """Return a folder `mlruns`, with the YAML as PyYAML writes it."""
    root = tmp_path / "mlruns"

    def write(path, text):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    folded = "'churn: daily, of the customers of the customers of the customers of the customers\n"
    names = {"1": "fraud", "2": folded + "  of the customers of the customers it''s'", "3": '"empty"'}
    write("9/meta.yaml", "experiment_id: '9'\nlifecycle_stage: deleted\nname: gone\n")
    for experiment, runs in RUNS.items():
        write(f"{experiment}/meta.yaml", f"lifecycle_stage: active\nname: {names[experiment]}\nworkspace: default\n")
        for run, name in runs.items():
            write(f"{experiment}/{run}/meta.yaml", f"end_time: null\nlifecycle_stage: active\nrun_name: {name}\n")
            for metric, all_ in METRICS[run].items():
                text = "".join(f"{JAN_1 + day * DAY} {value} {day}\n" for day, value in all_)
                write(f"{experiment}/{run}/metrics/{metric}", text)
    write("1/a1/metrics/accuracy", (root / "1/a1/metrics/accuracy").read_text() + "17357004")
    for number, (run, stage, aliases) in VERSIONS.items():
        text = f"current_stage: {stage}\nname: shop\nrun_id: {run}\nversion: {number}\n"
        write(f"models/shop/version-{number}/meta.yaml", text)
        for alias in aliases:
            write(f"models/shop/aliases/{alias}", number)
    return str(root)


@pytest.fixture
def server(service):
    """Return the address of a tracking server, which gives two results a page."""
    mlflow_stores._ENDED.clear()

    def paged(key, results):
        def answer(parameters):
            start = int(parameters.get("page_token") or 0)
            more = {"next_page_token": str(start + 2)} if start + 2 < len(results(parameters)) else {}
            return {key: results(parameters)[start : start + 2], **more}

        return answer

    def run_of(run, name):
        latest = {metric: (time, value) for metric, time, value in values(run)}
        metrics = [{"key": key, "value": value, "timestamp": time} for key, (time, value) in latest.items()]
        return {"info": {"run_id": run, "run_name": name, "end_time": JAN_1}, "data": {"metrics": metrics}}

    def history(parameters):
        found = [each for each in values(parameters["run_id"]) if each[0] == parameters["metric_key"]]
        return [
            {"key": key, "value": "NaN" if math.isnan(value) else value, "timestamp": time, "step": 0}
            for key, time, value in found
        ]

    runs = {key: [run_of(run, name) for run, name in runs.items()] for key, runs in RUNS.items()}
    every = {run["info"]["run_id"]: run for group in runs.values() for run in group}
    experiments = [{"experiment_id": key, "name": name} for key, name in EXPERIMENTS.items()]
    models = [{"name": "shop", "aliases": [{"alias": "champion", "version": "2"}]}]
    versions = [
        {"name": "shop", "version": number, "run_id": run, "current_stage": stage}
        for number, (run, stage, _) in VERSIONS.items()
    ]
    service.answers |= {
        f"/api/2.0/mlflow/{method}": answer
        for method, answer in {
            "experiments/search": paged("experiments", lambda _: experiments),
            "runs/search": paged("runs", lambda parameters: runs[parameters["experiment_ids"][0]]),
            "runs/get": lambda parameters: {"run": every[parameters["run_id"]]},
            "metrics/get-history": paged("metrics", history),
            "registered-models/search": paged("registered_models", lambda _: models),
            "model-versions/search": paged("model_versions", lambda _: versions),
        }.items()
    }
    return service.url


@pytest.fixture(params=["server", "database", "file_store"])
def uri(request):
    return request.getfixturevalue(request.param)


def lines(data):
    return sorted(data.decode().splitlines()[1:])


def reason(address):
    with pytest.raises(SourceError) as caught:
        to_csv(address)
    return str(caught.value)


def test_without_a_selection_each_experiment_with_metrics_is_a_model(uri):
    assert lines(to_csv(f"mlflow:{uri}")) == sorted(FRAUD + CHURN)


def test_experiments_are_selected_by_name_or_id(uri):
    assert lines(to_csv(f"mlflow:{uri}?experiment=fraud")) == FRAUD
    assert lines(to_csv(f"mlflow:{uri}?experiment=2")) == CHURN
    assert lines(to_csv(f"mlflow:{uri}?experiment=1&experiment=2&experiment=fraud")) == sorted(FRAUD + CHURN)


def test_the_address_of_a_page_in_a_browser_selects_what_it_shows(server):
    assert lines(to_csv(f"mlflow:{server}/#/experiments/2/runs/b1?searchFilter=&viewState=x")) == CHURN
    shop = lines(to_csv(f"mlflow:{server}?model=shop"))
    assert lines(to_csv(f"mlflow:{server}/#/models/shop")) == shop
    assert lines(to_csv(f"mlflow:{server}/#/models/shop/versions/2")) == lines(to_csv(f"mlflow:{server}?model=shop/2"))


def test_versions_of_a_registered_model_that_follow_one_another_are_one_series_with_its_versions(uri):
    expected = [
        "2025-01-01T03:00:00+00:00,shop,all,1,accuracy,0.95",
        "2025-01-01T03:00:00+00:00,shop,all,1,val/f1,0.9",
        "2025-01-02T03:00:00+00:00,shop,all,1,accuracy,0.94",
        "2025-01-03T03:00:00+00:00,shop,all,2,accuracy,0.8",
    ]
    data = to_csv(f"mlflow:{uri}?model=shop")
    assert data.startswith(b"timestamp,model,segment,version,metric,value\n")
    assert lines(data) == expected, "an archived version is left out"
    assert lines(to_csv(f"mlflow:{uri}?model=shop@champion")) == expected[3:]
    assert lines(to_csv(f"mlflow:{uri}?model=shop/1")) == expected[:3]


def test_what_is_not_found_comes_with_what_there_is(uri):
    assert reason(f"mlflow:{uri}?experiment=frad") == "no experiment is called frad: did you mean fraud?"
    assert reason(f"mlflow:{uri}?experiment=x").startswith("no experiment is called x: there are churn: daily, of")
    assert reason(f"mlflow:{uri}?model=shop/7").startswith("no registered model, version or alias is called shop/7")
    assert reason(f"mlflow:{uri}?experiment=empty") == "no metrics in empty: log some with mlflow.log_metric"


def test_an_answer_of_another_service_is_no_crash(service, server):
    for answer in ({"experiments": [{"id": 1}]}, {"experiments": 1}):
        service.answers["/api/2.0/mlflow/experiments/search"] = answer
        assert reason(f"mlflow:{server}").startswith("its answer is not that of MLflow")


def test_an_address_is_history_as_a_file_is(history_folder, uri):
    history = history_folder.reader(f"mlflow:{uri}?experiment=fraud").read()
    assert {(key.model, key.metric, len(series)) for key, series in history.series.items()} == {
        ("fraud", "accuracy", 3),
        ("fraud", "f1_score", 1),
    }
    (problem,) = history_folder.reader(f"mlflow:{uri}?experiment=frad").read().problems
    assert (problem.message, problem.fatal) == ("no experiment is called frad: did you mean fraud?", True)


def part(name, days, *, base=0.9):
    return Part(name, [Point("accuracy", JAN_1 + day * DAY, base) for day in days])


def test_runs_or_versions_measured_side_by_side_are_segments():
    model = Model("shop", "version", [part("1", range(60)), part("2", range(30, 90), base=0.8)])
    found = {line.split(",")[2] for line in lines(as_csv([model]))}
    assert found == {"version=1", "version=2"}
    canary = Model("shop", "version", [part("1", range(60)), part("2", range(55, 90), base=0.8)])
    assert {line.split(",")[2] for line in lines(as_csv([canary]))} == {"all"}


def test_runs_that_logged_other_values_at_the_same_times_have_a_column():
    daily = [
        part(f"{region}-{day}", [day], base=0.9 if region == "eu" else 0.8)
        for day in range(9)
        for region in ("eu", "us")
    ]
    data = as_csv([Model("shop", "run", daily)])
    assert data.startswith(b"timestamp,model,segment,run,metric,value\n")
    assert "2025-01-01T03:00:00+00:00,shop,all,us-0,accuracy,0.8" in lines(data)


def test_a_time_that_no_calendar_has_is_left_for_the_reader_to_refuse():
    assert lines(as_csv([Model("m", "run", [Part("a", [Point("loss", 10**18, 1.0)])])])) == [f"{10**18},m,all,loss,1.0"]


def test_the_run_of_several_versions_is_read_once_under_the_newest(database):
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as connection, connection:
        connection.execute("INSERT INTO model_versions VALUES ('shop', 10, 'a1', 'None')")
    found = [line.split(",")[3] for line in lines(to_csv(f"mlflow:{database}?model=shop"))]
    assert sorted(found) == ["10", "10", "10", "2"]


def test_a_run_that_has_ended_is_fetched_once_however_often_its_server_is_polled(service, server):
    def histories():
        return sum(path.endswith("get-history") for path, *_ in service.requests)

    first = to_csv(f"mlflow:{server}?experiment=fraud")
    before = histories()
    assert to_csv(f"mlflow:{server}?experiment=fraud") == first
    assert histories() == before > 0


def test_users_and_tokens_are_taken_from_the_variables_of_mlflow(service, server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0k")
    to_csv("mlflow:?experiment=fraud")
    assert {headers["Authorization"] for _, _, headers in service.requests} == {"Bearer t0k"}
    service.requests.clear()
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ann")
    to_csv("mlflow:")
    assert {headers["Authorization"] for _, _, headers in service.requests} == {"Basic YW5uOg=="}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("", "which MLflow? Name its tracking URI (http://HOST:5000, sqlite:///mlflow.db or a folder mlruns)"),
        ("postgresql://ann:s3cret@db/x", "cannot read `postgresql://***@db/x`, only http://HOST:5000, sqlite"),
        ("sqlite:////no/such.db", "there is no database /no/such.db: check the path"),
        ("/no/mlruns", "there is no folder /no/mlruns: check the path"),
        ("http://127.0.0.1:1", "connection refused: start MLflow, or correct host and port"),
    ],
)
def test_a_place_that_cannot_be_read_says_what_to_name(monkeypatch, uri, expected):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert reason(f"mlflow:{uri}").startswith(expected)


def test_other_files_and_folders_are_not_taken_for_mlflow(tmp_path):
    (tmp_path / "x.db").write_text("no database")
    assert reason(f"mlflow:{tmp_path}/x.db").startswith("not a database of MLflow, or of another version (file is")
    assert reason(f"mlflow:sqlite:///{tmp_path}/x.db").startswith("not a database of MLflow")
    assert reason(f"mlflow:{tmp_path}") == "not a file store of MLflow: name its folder mlruns"
    with closing(sqlite3.connect(tmp_path / "y.db")) as connection, connection:
        connection.execute("CREATE TABLE t (x)")
    assert "(no such table: experiments)" in reason(f"mlflow:{tmp_path}/y.db")


def test_a_database_is_opened_to_read_only(database):
    store = mlflow_stores.open_store(database)
    with closing(store), pytest.raises(SourceError, match="readonly"):
        store._select("INSERT INTO metrics VALUES ('a', 1, 1, 'a1', 0, 0)")


def test_a_path_with_two_slashes_is_that_path(database):
    path = database.removeprefix("sqlite://")
    assert lines(to_csv(f"mlflow:/{path}?experiment=fraud")) == FRAUD


def test_too_many_values_are_refused_with_the_remedy(database, monkeypatch):
    monkeypatch.setattr(mlflow, "MAX_VALUES", 4)
    assert reason(f"mlflow:{database}") == "more than 4 values: name an experiment, such as ?experiment=NAME"
