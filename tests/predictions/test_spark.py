"""The same log through DuckDB and through Spark: equal counts, sums within 1e-12."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOG = ROOT / "sample_data" / "predictions.csv.gz"
PARTS = {
    "model": "churn",
    "timestamp": "timestamp",
    "score": "score",
    "prediction": "prediction",
    "label": "churned",
    "id": "id",
    "segment": "country",
    "reference": "2025-06-01..2025-06-14",
    "now": "2025-07-01",
}
ASKED = [word for name, value in PARTS.items() for word in (f"--{name}", value)]
ASKED += ["--feature", "tenure", "--feature", "plan"]


def computed(folder: Path, *engine: str) -> dict[tuple[str, ...], dict[str, str]]:
    words = [sys.executable, "-m", "modeltop", "compute", str(LOG), *ASKED, "--store", str(folder), *engine]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    with next(folder.glob("*.computed.csv")).open(newline="") as file:
        return {(row["date"], row["segment"], row["provisional"]): row for row in csv.DictReader(file)}


@pytest.mark.spark
def test_the_same_log_gives_the_same_history(tmp_path):
    pytest.importorskip("pyspark", reason="needs the extra `spark`")
    duck = computed(tmp_path / "duck")
    spark = computed(tmp_path / "spark", "--engine", "local[2]")
    assert list(duck) == list(spark)
    for key, row in duck.items():
        for name, value in row.items():
            other = spark[key][name]
            if name.endswith("count") or name in ("date", "model", "segment", "provisional") or not value:
                assert other == value, (key, name)
            else:
                assert float(other) == pytest.approx(float(value), rel=1e-9, abs=1e-12), (key, name)
