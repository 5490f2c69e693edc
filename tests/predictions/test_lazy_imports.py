"""Engines are imported where logs are read, and nowhere else."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"ibis", "duckdb", "pyarrow", "pyspark", "scipy", "sklearn", "pandas", "sqlglot"}
CONFIGURED = '[logs.churn]\nsource = "logs/*.parquet"\nevery = "1h"\n'


def imported_packages(code, folder):
    program = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    process = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / ".dev"), "HOME": str(folder), "PATH": ""},
    )
    return {name.split(".")[0] for name in process.stderr.split()}


@pytest.mark.parametrize(
    "words", [["check", str(ROOT / "sample_data" / "fleet")], ["record", "churn", "accuracy=0.9", "--store", "s"]]
)
def test_check_and_record_import_no_engine_even_where_logs_are_configured(tmp_path, words):
    (tmp_path / "modeltop.toml").write_text(CONFIGURED)
    packages = imported_packages(f"from modeltop.cli.main import main\nmain({words!r})", tmp_path)
    assert "modeltop" in packages
    assert packages & HEAVY == set()


def test_the_app_imports_no_engine(tmp_path):
    assert imported_packages("import modeltop_tui.app", tmp_path) & HEAVY == set()


def test_the_help_of_compute_imports_no_engine(tmp_path):
    assert (
        imported_packages("from modeltop.cli.main import main\nmain(['compute', '--help'])", tmp_path) & HEAVY == set()
    )


def test_computing_imports_no_pandas(tmp_path):
    (tmp_path / "log.csv").write_text("timestamp,score,label\n2025-01-01,0.7,1\n2025-01-01,0.2,0\n")
    words = ["compute", "log.csv", "--store", "s"]
    packages = imported_packages(f"from modeltop.cli.main import main\nmain({words!r})", tmp_path)
    assert (tmp_path / "s").is_dir()
    assert "pandas" not in packages
