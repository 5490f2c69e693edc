"""What a user installs: a wheel with two packages, which runs beside foreign files of the same folder names."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOREIGN = ("monitor.py", "monitor/__init__.py", "tui.py", "tui/__init__.py")
TEN_DAYS = ROOT / "sample_data" / "model_performance_tracking.csv"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A Python that sees the installed wheel, and our dependencies of this environment."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    packages = next(folder.glob("lib/python*/site-packages"))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    ours = next(Path(sys.prefix).glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(f"{ours}\n")
    return folder / "bin" / "python"


@pytest.fixture
def foreign(tmp_path):
    """A folder whose files would take over any import of `monitor` or `tui`."""
    for name in FOREIGN:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("import pathlib\npathlib.Path('taken-over').write_text(__name__)\n")
    return tmp_path


@pytest.mark.slow
def test_the_wheel_holds_two_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        assert any(name.endswith("architecture.md") for name in archive.namelist())
    assert {name for name in tops if not name.endswith(".dist-info")} == {"modeltop", "modeltop_tui"}


@pytest.mark.slow
@pytest.mark.parametrize("path", [None, "."], ids=["without PYTHONPATH", "with PYTHONPATH=."])
def test_foreign_folders_of_the_same_names_take_nothing_over(installed, foreign, path):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path:
        environment["PYTHONPATH"] = path
    command = [installed, "-m", "modeltop", "check", TEN_DAYS]
    run = subprocess.run(command, cwd=foreign, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr
    assert "model_performance_tracking" in run.stdout
    assert not (foreign / "taken-over").exists()


@pytest.mark.slow
def test_the_wheel_prints_its_manual_and_is_called_from_python(installed, tmp_path):
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    code = "import modeltop, sys; print(modeltop.check(sys.argv[1]).status)"
    calls = [("-m", "modeltop", "help", "rules"), ("-c", code, TEN_DAYS)]
    outputs = [
        subprocess.run(
            [installed, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        ).stdout
        for words in calls
    ]
    assert outputs[0].startswith("# Rules")
    assert outputs[1] == "critical\n"
