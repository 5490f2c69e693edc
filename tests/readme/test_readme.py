"""README and the topics of the manual promise nothing that does not run."""

import argparse
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import modeltop
from modeltop.cli.context import COMMANDS, load_command
from modeltop.cli.help import topics
from modeltop.config.load import load

ROOT = Path(__file__).parents[2]
SCREENS = runpy.run_path(str(Path(__file__).with_name("screens.py")))
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in SCREENS["TEXTS"]}
README = TEXTS["README"]
CODES = {
    "modeltop check sample_data/fleet": 2,
    "modeltop check sample_data/fleet --json": 2,
    "modeltop check sample_data/fleet ranker --explain": 2,
    "modeltop check sample_data/model_performance_tracking.csv --below accuracy=0.8 --below f1_score=0.8": 1,
    "modeltop check --store metrics": 2,
    "modeltop check --store computed --now 2025-07-01": 2,
    "modeltop watch --accept-clock --store metrics": 2,
}
"""What commands exit with where it is not 0; in `metrics` is the ten-day table beside what was recorded."""


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def commands(text: str) -> list[str]:
    lines = [line[2:] for block in blocks(text, "console") for line in block.splitlines() if line.startswith("$ ")]
    return [re.sub(r"\s+#.*", "", line).strip() for line in lines]


@pytest.fixture
def workspace(tmp_path_factory) -> Path:
    """A working directory as the texts have it: the samples, a folder of metrics, two files."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    for name in ("metrics", "more"):
        (folder / name).mkdir()
    for name in ("metrics/fraud.csv", "a.csv", "b.csv", "more/c.csv"):
        shutil.copy(ROOT / "sample_data" / "model_performance_tracking.csv", folder / name)
    scripts = folder / "bin"
    scripts.mkdir()
    script = scripts / "modeltop"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m modeltop_tui "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.fixture
def environment(workspace) -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    path = f"{workspace / 'bin'}:{os.environ['PATH']}"
    return env | {"PATH": path, "PYTHONPATH": str(ROOT / ".dev"), "HOME": str(workspace)}


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if commands(text)])
def test_every_command_runs(name, workspace, environment):
    """In the text's order: later commands build on what earlier ones wrote."""
    for command in commands(TEXTS[name]):
        shell = ["sh", "-c", command]
        done = subprocess.run(
            shell, cwd=workspace, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
        assert done.returncode == CODES.get(command, 0), f"{command}\n{done.stderr}"
        assert "Traceback" not in done.stderr, command


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if blocks(text, "python")])
def test_the_python_runs(name, workspace, environment):
    for block in blocks(TEXTS[name], "python"):
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=workspace, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_in_a_sentence_exists_with_its_options(name):
    for words in re.findall(r"`modeltop ([a-z]+\b[^`|]*)`", TEXTS[name]):
        command, *rest = words.split()
        parser = argparse.ArgumentParser()
        load_command(command)[0](parser)
        options = {option for action in parser._actions for option in action.option_strings}
        assert {word for word in rest if word.startswith("--")} <= options, words


def test_there_are_commands_to_test():
    assert len([command for text in TEXTS.values() for command in commands(text)]) > 30


def test_every_command_is_spoken_of():
    texts = "\n".join(TEXTS.values())
    assert [name for name in COMMANDS if f"modeltop {name}" not in texts and name != "open"] == []


def test_the_configuration_of_the_topics_is_valid(tmp_path):
    tables = [block for text in TEXTS.values() for block in blocks(text, "toml")]
    text = "\n".join(sorted(tables, key=lambda block: block.startswith("[")))  # keys of no table come first
    (tmp_path / "modeltop.toml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "modeltop.toml")
    assert [rule.name for rule in config.rules] == [rule["name"] for rule in tomllib.loads(text)["rules"]]


def test_readme_is_short_and_shows_a_picture():
    assert len(README.encode()) <= 9_000
    assert "](.github/screen.svg)" in README


def test_readme_names_every_topic_and_links_to_files_that_exist():
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert [link for link in links if not (ROOT / link).is_file()] == []
    assert {f"monitor/help/{name}.md" for name in topics()} <= {*links}


@pytest.mark.parametrize("name", TEXTS)
def test_every_topic_that_a_text_names_exists(name):
    assert {*re.findall(r"`modeltop help ([a-z-]+)`", TEXTS[name])} <= {*topics()}


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if SCREENS["SECTION"].search(text)])
async def test_screens_keys_and_output_are_those_of_the_app(name):
    assert await SCREENS["renewed"](TEXTS[name]) == TEXTS[name], "run: python tests/readme/screens.py"


async def test_the_picture_shows_what_the_app_shows():
    _, svg, _ = await SCREENS["screen"](*SCREENS["PICTURE_SIZE"])
    kept = SCREENS["PICTURE"].read_text(encoding="utf-8")
    words = SCREENS["words_of_picture"]
    assert words(kept) == words(svg) != [], "run: python tests/readme/screens.py"
    assert "url(http" not in kept


def keys_of(value, path="") -> set[str]:
    """Every key of nested objects by its path; of a list those of its members together."""
    if isinstance(value, dict):
        return {f"{path}.{key}" for key in value} | {
            inner for key, part in value.items() for inner in keys_of(part, f"{path}.{key}")
        }
    return {inner for part in value for inner in keys_of(part, path)} if isinstance(value, list) else set()


def test_the_json_of_formats_has_the_keys_that_check_prints():
    (example,) = blocks(TEXTS["formats"], "json")
    shown = keys_of(json.loads(example))
    printed = keys_of(modeltop.check([ROOT / "sample_data" / "fleet", "nope.csv"]).to_dict())
    optional = {key for key in shown if key.startswith((".shared_starts.", ".errors."))}
    assert shown - optional == printed - optional
