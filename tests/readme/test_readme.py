"""README promises nothing that does not run."""

import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from modeltop.cli.context import COMMANDS
from modeltop.config.load import load

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CODES = {
    "modeltop check sample_data/fleet": 2,
    "modeltop check sample_data/fleet --json": 2,
    "modeltop check sample_data/model_performance_tracking.csv --below accuracy=0.8 --below f1_score=0.8": 1,
    "modeltop check --store metrics": 2,
    "modeltop check --store computed --now 2025-07-01": 2,
    "modeltop watch --accept-clock --store metrics": 2,
}
"""What README's commands exit with where it is not 0; in `metrics` lies the ten-day table beside what was recorded."""


def commands() -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    lines = [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines]


@pytest.fixture
def workspace(tmp_path_factory) -> Path:
    """A working directory as README has it: the samples, a folder of metrics, two files."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    for name in ("metrics", "more"):
        (folder / name).mkdir()
    for name in ("metrics/a.csv", "a.csv", "b.csv", "more/c.csv"):
        shutil.copy(ROOT / "sample_data" / "model_performance_tracking.csv", folder / name)
    scripts = folder / "bin"
    scripts.mkdir()
    script = scripts / "modeltop"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m modeltop_tui "$@"\n')
    script.chmod(0o755)
    return folder


def test_every_command_of_readme_runs(workspace):
    """In README's order: later commands build on what earlier ones wrote."""
    path = f"{workspace / 'bin'}:{os.environ['PATH']}"
    env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    env |= {"PATH": path, "PYTHONPATH": str(ROOT / ".dev"), "HOME": str(workspace)}
    for command in commands():
        shell = ["sh", "-c", command]
        done = subprocess.run(
            shell, cwd=workspace, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        assert done.returncode == CODES.get(command, 0), f"{command}\n{done.stderr}"
        assert "Traceback" not in done.stderr, command


def test_the_python_of_readme_runs(workspace):
    blocks = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    env = {**os.environ, "PYTHONPATH": str(ROOT / ".dev"), "HOME": str(workspace)}
    assert blocks
    for block in blocks:
        subprocess.run([sys.executable, "-c", block], cwd=workspace, env=env, check=True, capture_output=True)


def test_readme_has_commands_to_test():
    assert len(commands()) > 10


def test_every_command_is_spoken_of():
    assert [name for name in COMMANDS if f"modeltop {name}" not in README and name != "open"] == []


def test_the_configuration_of_readme_is_valid(tmp_path):
    blocks = re.findall(r"^```toml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    text = "\n".join(sorted(blocks, key=lambda block: block.startswith("[")))  # keys of no table come first
    (tmp_path / "modeltop.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "modeltop.toml")
    assert [rule.name for rule in config.rules] == [rule["name"] for rule in tomllib.loads(text)["rules"]]


async def test_the_screens_and_keys_of_readme_are_those_of_the_app():
    screens = runpy.run_path(str(Path(__file__).with_name("screens.py")))
    assert await screens["renewed"](README) == README, "run: python tests/readme/screens.py"
