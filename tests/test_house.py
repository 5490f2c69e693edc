"""The house: what may import what, held by running it rather than by reading it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(("modeltop", *path.relative_to(ROOT / "monitor").with_suffix("").parts)).removesuffix(".__init__")
    for path in (ROOT / "monitor").rglob("*.py")
    if "_samples" not in path.parts
)
ENGINES = (
    "modeltop.predictions.engines.duckdb",
    "modeltop.predictions.engines.spark",
)
"""They stand behind an extra and are imported by name; what their libraries import is not ours to say."""
LATE = ("ibis", "duckdb", "pyarrow", "pyspark", "scipy", "sklearn", "urllib3", "smtplib", "apprise")
OUTSIDE = ("textual", "rich", "plotext", "modeltop_tui", "pandas", "click")


def imported_by(modules: list[str]) -> set[str]:
    code = f"import sys, importlib\nfor name in {modules!r}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_core_reaches_neither_the_screen_nor_pandas_at_import():
    assert imported_by([name for name in MODULES if name not in ENGINES]) & set(OUTSIDE) == set()


def test_no_start_waits_for_what_reads_logs_or_sends_messages():
    starts = [
        "modeltop_tui.app",
        "modeltop.service.pipeline",
        *(name for name in MODULES if name.startswith("modeltop.cli.")),
    ]
    assert imported_by(starts) & set(LATE) == set()


def test_the_app_does_not_wait_for_pandas():
    assert "pandas" not in imported_by(["modeltop_tui.app"])


CHECKS = """
from modeltop.cli.main import main
main(["check", "sample_data/fleet"])
"""
OPENS = """
import asyncio
from modeltop.cli.main import main

def open_app(pipeline, options):
    from modeltop_tui.app import ModeltopApp
    from modeltop_tui.workers.poller import Poller

    async def show():
        app = ModeltopApp(Poller(pipeline), options)
        async with app.run_test(size=(120, 40)) as pilot:
            while app.main_screen.screen_state.snapshot is None:
                await pilot.pause(0.01)
            await pilot.pause()

    asyncio.run(show())
    return 0

main(["sample_data/fleet"], open_app=open_app)
"""


@pytest.mark.parametrize("code", [CHECKS, OPENS], ids=["check", "first frame"])
def test_no_start_waits_for_masked_arrays(code):
    program = (
        f"import sys, numpy\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before, file=sys.stderr)"
    )
    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    added = done.stderr.split()
    assert "modeltop.rules.replay" in added
    assert "numpy.ma" not in added, "np.median and np.unique import it: use those of modeltop.core.stats.robust"


def test_the_entry_point_imports_no_textual_before_it_is_known_that_the_app_is_wanted():
    assert imported_by(["modeltop_tui.__main__"]) & {"textual", "rich", "plotext"} == set()


def test_plotext_stands_behind_one_file():
    users = [path.name for path in (ROOT / "tui").rglob("*.py") if "import plotext" in path.read_text(encoding="utf-8")]
    assert len(users) == 1
