"""A file that is no metric history is called by its name, with the command that helps."""

import gzip
import io
import os
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import pytest

LOG = "id,timestamp,score,prediction,label\n" + "".join(
    f"{row},2025-01-{1 + row // 100:02} {row % 24:02}:{row % 60:02}:{row % 59:02},0.{row % 10},{row % 2},{row % 2}\n"
    for row in range(300)
)
HISTORY = "date,accuracy\n" + "".join(f"2025-01-{day:02},0.9\n" for day in range(1, 31))
PYTHON = '`python -c "import pandas as p; p.'


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return stream.getvalue()


def tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("churn.csv"))
    return stream.getvalue()


def sqlite_file(folder) -> bytes:
    path = folder / "made.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE metrics (value REAL)")
    return path.read_bytes()


BINARY = {
    "p.csv.gz": (gzip.compress(LOG.encode()), "a prediction log, not metrics: run `modeltop compute p.csv.gz"),
    "m.csv.bz2": (b"BZh91AY&SY", "a bzip2 file, not CSV: `bunzip2 -c m.csv.bz2 > m.csv`"),
    "m.csv.xz": (b"\xfd7zXZ\0\0", "an xz file"),
    "m.csv.zst": (b"\x28\xb5\x2f\xfd\x04", "a Zstandard file"),
    "m.zip": (zipped("churn.csv"), "a ZIP archive, not CSV: unpack it: `unzip m.zip`"),
    "m.tar": (tarred(), "a tar archive, not CSV: unpack it: `tar -xf m.tar`"),
    "m.7z": (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    "m.xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook (XLSX), not CSV: save it as CSV"),
    "m.ods": (zipped("mimetype"), "an ODS spreadsheet"),
    "m.npz": (zipped("accuracy.npy"), "a NumPy archive (npz)"),
    "m.pt": (zipped("m/data.pkl"), "a PyTorch checkpoint"),
    "m.keras": (zipped("metadata.json"), "a Keras model"),
    "run-1.wandb": (b":W&B\xe1\xbe\x00\xd2", "a run of Weights & Biases, not CSV: `wandb sync` it"),
    "m.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (XLS)"),
    "m.parquet": (b"PAR1\x15\x04", "damaged Parquet ("),
    "m.feather": (b"ARROW1\0\0", f"an Arrow (Feather) file, not CSV: write it as CSV: {PYTHON}read_feather("),
    "m.orc": (b"ORC\n", "an ORC file"),
    "m.avro": (b"Obj\x01\x04", "an Avro file"),
    "m.h5": (b"\x89HDF\r\n\x1a\n", "an HDF5 file, such as a Keras model"),
    "m.npy": (b"\x93NUMPY\x01", "a NumPy array (npy)"),
    "m.pkl": (b"\x80\x05\x95\x10", "a Python pickle"),
    "m.duckdb": (bytes(8) + b"DUCK" + bytes(20), "a DuckDB database, not CSV: predictions: run `modeltop compute m"),
    "m.pdf": (b"%PDF-1.7\n", "a PDF document"),
    "m.png": (b"\x89PNG\r\n\x1a\n", "a PNG image, not CSV: export the numbers behind it"),
    "weights.bin": (bytes(range(1, 200)) + bytes(50), "a binary file"),
}
TEXTS = {
    "pretty.json": ('{\n  "accuracy": 0.9\n}\n', "no date column in the header"),
    "run.json": ('{"run_uuid": "a", "metrics": {"accuracy": 0.9}}', "an MLflow run, not its history"),
    "classes.json": ('{"0": {"precision": 0.9}, "macro avg": {}}', "a classification report of scikit-learn"),
    "trainer_state.json": (
        '{"best_metric": 1, "log_history": [{"epoch": 1, "step": 10, "eval_accuracy": 0.9}]}',
        "a training log (epoch, step) without dates",
    ),
    "app.log": ("2025-01-01 00:00:00 INFO started, 3 workers\n", "the log of a program"),
    "notes.txt": ("hello\nworld\n", "a text file without columns, not CSV: write it as CSV, as `duckdb -csv`"),
    "shown.txt": ("┌──────┬───┐\n│ date │ n │\n└──────┴───┘\n", "a table drawn for a screen, not CSV: write it as CSV"),
    "bare.csv": ("2025-01-01,0.9\n2025-01-02,0.8\n", "no header, the first line is data: put the names"),
    "wandb-summary.json": ('{"_step": 9, "accuracy": 0.9}', "a training log (_step) without dates"),
    "eval.ipynb": ('{"cells": [], "nbformat": 4}', "a Jupyter notebook"),
    "p.jsonl": (
        "".join(f'{{"ts": "2025-01-01 00:00:{n}", "y_true": {n % 2}, "y_pred": 1}}\n' for n in range(10, 60)),
        "run `modeltop compute p.jsonl --timestamp ts --label y_true --prediction y_pred`",
    ),
    "page.csv": ("<!DOCTYPE html><html><title>Sign in</title>", "a web page (HTML), not CSV: download the CSV file"),
    "error.csv": ('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML file"),
    "pointer.csv": ("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "a Git LFS pointer, not the file"),
    "m.csv.dvc": ("outs:\n- md5: 00\n  path: m.csv\n", "a DVC pointer, not the file itself: `dvc pull m.csv.dvc`"),
    "accuracy": (
        "1735689600000 0.95 0\n1735776000000 0.94 1\n",
        "a metric of an MLflow file store (time, value, step), not CSV: `modeltop check mlflow:mlruns`",
    ),
    "meta.yaml": ("artifact_uri: mlflow-artifacts:/1\nexperiment_id: '1'\n", "a YAML file"),
    "modeltop.toml": ("[watch]\nevery = '1m'\n", "a configuration file, not CSV: pass it by --config"),
    "metrics.prom": ("# HELP accuracy Share\naccuracy 0.9\n", "Prometheus metrics at one moment, not CSV: `modeltop"),
    "lightning.csv": ("epoch,step,train_loss,val_acc\n0,9,0.04,\n0,9,,0.95\n", "a training log (epoch, step) without"),
    "keras.csv": ("epoch,accuracy,loss,val_accuracy\n0,0.9,0.1,0.8\n", "a training log (epoch) without dates: add"),
    "wandb.csv": ('"Step","r - val/acc","r - val/acc__MAX"\n"0","0.9","0.9"\n', "a training log (Step) without dates"),
    "log.csv": ("customer_id,y_pred\n1,0\n2,1\n", "a prediction log, not metrics: run `modeltop compute"),
    "train.csv": ("age,income,target\n31,10,0\n32,11,1\n", "a labeled data set (label `target`) without"),
    "features.csv": (
        "customer_id,age\n" + "".join(f"{n},{n % 9}\n" for n in range(30)),
        "a feature table without predictions: add the model's predictions as a column, then `modeltop compute features",
    ),
}  # fmt: skip
UNKNOWN = {
    "plain.csv": ("accuracy,f1\n0.9,0.8\n", "no date column in the header"),
    "one.csv": ("accuracy\n0.9\n", "no date column in the header"),
}


@pytest.mark.parametrize("name", [*BINARY, *TEXTS, *UNKNOWN])
def test_a_file_of_another_format_is_called_by_its_name_with_what_to_do(history_folder, monkeypatch, name):
    monkeypatch.chdir(history_folder.folder)
    data, reason = (BINARY | TEXTS | UNKNOWN)[name]
    history_folder.write(data, name)
    (problem,) = history_folder.reader(name).read().problems
    assert reason in problem.message
    assert problem.fatal
    assert "outage" not in problem.message


def test_an_sqlite_file_is_answered_with_both_commands(history_folder, monkeypatch, tmp_path):
    monkeypatch.chdir(history_folder.folder)
    history_folder.write(sqlite_file(tmp_path), "m.db")
    (problem,) = history_folder.reader("m.db").read().problems
    assert problem.message == (
        f"an SQLite database, not CSV: predictions: run `modeltop compute sqlite://{Path.cwd()}/m.db::TABLE`; "
        "MLflow: `modeltop check mlflow:m.db`; other metrics: "
        "`sqlite3 -header -csv m.db 'SELECT * FROM TABLE' | modeltop check -`"
    )


def test_json_that_was_written_a_second_ago_is_json_and_no_line_in_the_making(history_folder):
    path = history_folder.write('{"metrics": {"accuracy": 0.9}}', "report.json", age=1)
    (problem,) = history_folder.reader(path).read().problems
    assert problem.message.startswith("no date column")


def test_history_whose_header_lost_its_date_is_an_error_in_a_folder_too(history_folder):
    history_folder.write("date,accuracy\n2025-01-01,0.9\n", "good.csv")
    history_folder.write("dat,accuracy\nx,0.9\n", "churn.csv")
    history_folder.write("id,name\n1,a\n", "other.csv")
    problems = {os.path.basename(each.source): each.fatal for each in history_folder.reader().read().problems}  # noqa: PTH119
    assert problems == {"churn.csv": True, "other.csv": False}


def test_a_file_that_was_history_and_is_none_any_more_is_an_error_in_a_folder_too(history_folder):
    path = history_folder.write("date,x\n2025-01-01,0.9\n", "churn.csv")
    reader = history_folder.reader()
    reader.read()
    path.unlink()
    history_folder.write("a,x\nb,0.9\n", "churn.csv")
    assert [problem.fatal for problem in reader.read().problems] == [True]


def test_a_scalar_of_tensorboard_is_the_metric_that_its_file_is_named_after(history_folder):
    history_folder.write(
        "Wall time,Step,Value\n1735689600.9,0,0.95\n1735776000.9,1,0.94\n", "run-a-tag-eval_accuracy.csv"
    )
    assert [key.metric for key in history_folder.reader().read().series] == ["accuracy"]


def test_a_header_in_the_making_is_still_waited_for(history_folder):
    path = history_folder.write("date,accu", age=1)
    (problem,) = history_folder.reader(path).read().problems
    assert (problem.fatal, "no end yet" in problem.message) == (True, True)


def test_names_that_need_quotes_are_quoted_in_commands(history_folder, monkeypatch):
    monkeypatch.chdir(history_folder.folder)
    history_folder.write(b"BZh", "my metrics.csv.bz2")
    (problem,) = history_folder.reader("my metrics.csv.bz2").read().problems
    assert "`bunzip2 -c 'my metrics.csv.bz2' > 'my metrics.csv'`" in problem.message
