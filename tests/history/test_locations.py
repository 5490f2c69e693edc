"""Paths at which there is no history are answered with the path that is meant, or with what to run."""

import os

import pytest

from modeltop.history.locations import as_typed, folder_reason, missing_reason, nearest_path

ROW = "date,accuracy\n2025-01-01,0.9\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(ROW if name.endswith("csv") else "x")
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("metrics/chrun.csv", "metrics/churn.csv"),
        ("metrcs/churn.csv", "metrics/churn.csv"),
        ("metrcs/chrun.csv", "metrics/churn.csv"),
        ("metrics/Churn.CSV", "metrics/churn.csv"),
        ("metrics/churn", "metrics/churn.csv"),
        ("./metrcs/", "./metrics"),
        ("metrics/zzz.csv", None),
        ("elsewhere/churn.csv", None),
        ("x" * 5000, None),
        ("a\0b", None),
    ],
)
def test_a_mistyped_path_names_the_nearest_one(here, typed, meant):
    here("metrics/churn.csv", "metrics/fraud.csv", "notes.txt")
    assert nearest_path(typed) == meant


def test_without_a_near_name_the_folder_is_named_that_has_some(here):
    here("metrics/churn.csv")
    assert missing_reason("metrics/zzz") == "no such file; metrics has 1 CSV file: `modeltop check metrics`"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("postgresql://db/x", "metrics: `psql postgresql://db/x --csv -c 'select * from TABLE' | modeltop check -`; "),
        ("postgres://db/x::t", "`psql postgres://db/x --csv -c 'select * from t' | modeltop check -`; "),
        ("postgres://ann:s3cret@db/x", "`modeltop compute 'postgres://***@db/x::TABLE'`"),
        ("snowflake://acc/db::predictions", "`modeltop compute snowflake://acc/db::predictions`"),
        ("s3://bucket/m/", "an S3 address, not a file: `aws s3 cp --recursive s3://bucket/m/ metrics/`"),
        ("gs://bucket/m", "a Google Cloud Storage address, not a file: `gcloud storage cp -r gs://bucket/m metrics/`"),
        ("abfss://c@a.dfs/x", "an Azure storage address"),
        ("hdfs://nn/x", "an address of a cluster's file system"),
        ("https://x.test/m.csv", "a web address, not a file: `curl -fL https://x.test/m.csv | modeltop check -`"),
        ("mlflow-artifacts:/x", "an MLflow address"),
        ("models:/churn/3", "an MLflow address, not a file: `modeltop check 'mlflow:http://HOST:5000?model=NAME'`"),
        ("runs:/abc/metrics", "an MLflow address"),
        ("wandb://team/run", "a Weights & Biases address"),
        ("file:///data/m.csv", "a file's address, not a file: `modeltop check /data/m.csv`"),
        ("ann@host:/data/m.csv", "an address on another host"),
        ("gopher://x", "an address, not a file"),
        ("-", "standard input is not read"),
        ("metrics/*.csv", "no file matches this pattern"),
        ("foo:bar.csv", "no such file or folder: `ls .` lists what is there"),
    ],
)  # fmt: skip
def test_an_address_is_called_one_with_what_to_do(here, address, reason):
    here()
    assert reason in missing_reason(address)


def test_pathlib_takes_a_slash_from_an_address_and_it_is_given_back():
    assert [as_typed(path) for path in ("s3:/b/x", "s3://b/x", "a/b", "C:/x", "/a:/b", "mlflow:/m")] == [
        "s3://b/x", "s3://b/x", "a/b", "C:/x", "/a:/b", "mlflow:/m",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["churn/2025.csv", "fraud/2025.csv"], "no metric files here, but 2 subfolders have some: `modeltop"),
        (["churn/2025.csv", "README"], "no metric files here, but a subfolder has some: `modeltop check --recursive"),
        (["eu/churn.parquet"], "no metric files here, but a subfolder has some: `modeltop check --recursive"),
        (["eu/churn/a.csv", "us/churn/a.csv"], "no metric files here, but 2 subfolders have some: `modeltop"),
        (["a.csv.xz", "b.csv.xz"], "no metric files here, but 2 compressed CSV files: unpack them, then `modeltop"),
        (["a.tsv"], "no metric files here, but 1 TSV file: name them: `modeltop check m/*.tsv`"),
        (["a.xlsx", "b.zip"], "no metric files here, but Excel (1), ZIP (1): "),
        (["events.out.tfevents.1.host"], "no metric files here, but 1 TensorBoard event file: download"),
        (["mlflow.db"], "no metric files here, but 1 database file: predictions: run `modeltop compute FILE::TABLE`"),
        (["0/ab/metrics/accuracy", "0/ab/params/lr"], "no metric files here: `ls m/*` lists what is there"),
        (["mlruns/0/meta.yaml"], "an MLflow file store, not CSV: `modeltop check mlflow:m/mlruns`"),
        (["metrics/accuracy", "params/lr", "meta.yaml"], "an MLflow file store, not CSV: `modeltop"),
        (["date=2025-01-01/part.parquet"],
         "no metric files here, but folders such as date=2025-01-01: `modeltop check --recursive m`; predictions"),
        (["date=2025-01-01/part.parquet", "_SUCCESS"], "no metric files here, but folders such as date=2025-01-01: "),
        ([".hidden.csv"], "an empty folder: name one with metric files"),
    ],
)  # fmt: skip
def test_a_folder_without_csv_files_says_what_it_holds_and_what_to_run(here, names, reason):
    here(*(f"m/{name}" for name in names))
    assert folder_reason("m").startswith(reason)


def test_the_store_of_a_folder_within_mlruns_is_named(here, tmp_path):
    here("mlruns/1/meta.yaml")
    assert folder_reason("mlruns/1").endswith(f"`modeltop check mlflow:{tmp_path}/mlruns`")


def test_a_folder_with_a_hundred_thousand_folders_below_costs_little(here, monkeypatch):
    here()
    scanned = []
    scandir = os.scandir
    monkeypatch.setattr("modeltop.history.locations.MAX_FOLDERS", 5)
    monkeypatch.setattr(os, "scandir", lambda path: scanned.append(path) or scandir(path))
    for outer in range(20):
        for inner in range(5):
            os.makedirs(f"m/{outer}/{inner}")  # noqa: PTH103  shorter
    folder_reason("m")
    assert len(scanned) <= 1 + 3 * 2 * 5 + 5


def test_the_store_of_a_watcher_that_has_just_begun_is_no_error(history_folder):
    (history_folder.folder / "state").mkdir()
    assert [problem.fatal for problem in history_folder.reader().read().problems] == [False]
