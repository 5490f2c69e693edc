"""The shape of the code: ten packages, their public faces, names that stand for one thing, one module per file."""

import ast
import re
import sys
from collections import defaultdict
from functools import cache, reduce
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "history", "rules", "diagnosis", "predictions", "alerting", "config", "report", "service", "cli")
SOURCES = [path for folder in ("monitor", "tui") for path in sorted((ROOT / folder).rglob("*.py"))]
FACE = re.compile(r"Public face: (.*?)\.?\s*\Z", re.DOTALL)


@cache
def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def package_of(path):
    """The package that a source file belongs to, or None for the files beside the packages and for the screen."""
    folder, *inner = path.relative_to(ROOT).parts
    return inner[0] if folder == "monitor" and len(inner) > 1 else None


def imported_modules(path):
    """Every module of ours that a file imports, with late imports; `from package import module` names the module."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "modeltop":
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                file = ROOT / "monitor" / Path(*dotted.split(".")[1:])
                is_module = file.with_suffix(".py").exists() or file.is_dir()
                yield dotted if is_module else node.module


def public_face(package):
    text = ast.get_docstring(tree(ROOT / "monitor" / package / "__init__.py")) or ""
    match = FACE.search(text)
    assert match, f"monitor/{package}/__init__.py names no public face"
    names = re.findall(r"[\w.]+", match[1])
    for name in names:
        file = ROOT / "monitor" / package / Path(*name.split("."))
        assert file.with_suffix(".py").exists() or (file / "__init__.py").exists(), f"{package}.{name} is no module"
    return names


def test_ten_packages_and_nothing_beside_them():
    entries = {path.name for path in (ROOT / "monitor").iterdir() if path.name != "__pycache__"}
    assert entries == {*PACKAGES, "api.py", "help", "__init__.py", "__main__.py", "py.typed"}


@pytest.mark.parametrize("package", [name for name in PACKAGES if name != "core"])
def test_other_packages_import_only_from_the_public_face(package):
    face = public_face(package)
    allowed = [f"modeltop.{package}.{name}" for name in face]
    strangers = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in SOURCES
        if package_of(path) != package
        for module in imported_modules(path)
        if module.split(".")[1:2] == [package]
        and not any(module == name or module.startswith(f"{name}.") for name in allowed)
    }
    assert strangers == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_in_one_sentence_what_it_is_for(package):
    text = ast.get_docstring(tree(ROOT / "monitor" / package / "__init__.py")) or ""
    first = text.split("\n\n")[0].replace("\n", " ")
    assert first.endswith(".")
    assert len(first) > 30


def test_no_class_name_is_defined_twice():
    definitions = defaultdict(list)
    for path in SOURCES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef):
                definitions[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert {name: lines for name, lines in definitions.items() if len(lines) > 1} == {}


def test_no_module_is_loaded_under_two_names():
    names = defaultdict(set)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).resolve().is_relative_to(ROOT) and not name.startswith("__"):
            names[Path(file).resolve()].add(name)
    duplicates = {str(file.relative_to(ROOT)): modules for file, modules in names.items() if len(modules) > 1}
    assert {file: modules for file, modules in duplicates.items() if file.startswith(("monitor/", "tui/"))} == {}


def is_defined(name):
    """Whether a dotted name is a module, or an attribute of one."""
    words = name.split(".")
    for end in range(len(words), 0, -1):
        try:
            module = import_module(".".join(words[:end]))
        except ModuleNotFoundError:
            continue
        try:
            reduce(getattr, words[end:], module)
        except AttributeError:
            return False
        return True
    return False


@pytest.mark.parametrize("name", re.findall(r"`(modeltop[\w.]*)`", (ROOT / "monitor/help/architecture.md").read_text()))
def test_each_name_in_the_architecture_topic_exists(name):
    assert is_defined(name)
    assert not is_defined(f"{name}.no_such_name")
