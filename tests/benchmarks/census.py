"""Counts of the source under monitor/ and tui/: size, structure and docstrings.

With MODELTOP_OTHER=DIR the checkout at DIR is counted as well, and both are compared.
"""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.base import BenchmarkContext, Result, benchmark
from tests.benchmarks.checkout import (
    FOLDERS,
    IMPORTED_AS,
    Checkout,
    Measurement,
    compare_checkouts,
    other_checkout,
    package_of,
    this_checkout,
)

MAX_COMPLEXITY = 10
SHORT_DOCSTRING_WORDS = 5
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Source:
    """Parsed module."""

    file: str
    """Relative to the checkout."""
    text: str
    module: ast.Module


@benchmark("census")
def census(_: BenchmarkContext) -> Iterator[Result]:
    """Count files, lines, packages, layers, duplicates and docstrings (MODELTOP_OTHER=DIR: beside another)."""
    other = other_checkout()
    yield from compare_checkouts(count(this_checkout()), count(other) if other is not None else None)


def count(checkout: Checkout) -> list[Measurement]:
    """Count everything in one checkout."""
    sources = read_sources(checkout)
    lines = sum(map(lines_of, sources))
    single_importer_files = files_with_one_importer(sources)
    single_importer_lines = sum(lines_of(source) for source in sources if source.file in single_importer_files)
    duplicate_classes = classes_defined_twice(sources)
    short, documented = short_docstrings(sources)
    return [
        Measurement("files", len(sources)),
        Measurement("lines", lines),
        Measurement(
            "packages",
            len({package_of(source.file) for source in sources}),
            note="folders and files directly in monitor/, and tui",
        ),
        Measurement("import layers", layers(checkout)),
        Measurement(
            "files with one importer, in their own folder",
            len(single_importer_files),
            note=f"{single_importer_lines:,} lines",
        ),
        Measurement(
            "class names defined twice", len(duplicate_classes), note=f"{sum(duplicate_classes.values())} definitions"
        ),
        Measurement(f"functions over complexity {MAX_COMPLEXITY}", ruff_violations(checkout, "C901")),
        Measurement("first lines of docstrings not imperative (D401)", ruff_violations(checkout, "D401")),
        Measurement(f"docstrings of {SHORT_DOCSTRING_WORDS} words or fewer", short, note=f"of {documented:,}"),
        Measurement("lines that are comments", 100 * sum(map(comment_lines, sources)) / max(lines, 1), " %"),
    ]


def lines_of(source: Source) -> int:
    """Count all lines of a module."""
    return len(source.text.splitlines())


def read_sources(checkout: Checkout) -> list[Source]:
    """Read and parse all modules of a checkout."""
    texts = {path.relative_to(checkout.root).as_posix(): path.read_text(encoding="utf-8") for path in checkout.files()}
    return [Source(file, text, ast.parse(text, file)) for file, text in texts.items()]


def layers(checkout: Checkout) -> int:
    """Count the layers of the longest of import-linter's contracts of the type `layers`."""
    settings = tomllib.loads((checkout.root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings.get("tool", {}).get("importlinter", {}).get("contracts", [])
    return max((len(contract["layers"]) for contract in contracts if contract["type"] == "layers"), default=0)


def files_with_one_importer(sources: list[Source]) -> set[str]:
    """Return the files that are imported by exactly one other, which lies in the same folder.

    They could be a part of it. Imports count wherever they stand, within functions and for types as well.
    """
    importers: dict[str, set[str]] = defaultdict(set)
    files = {source.file for source in sources}
    for source in sources:
        for imported in imported_files(source, files) - {source.file}:
            importers[imported].add(source.file)
    return {
        imported
        for imported, importing in importers.items()
        if len(importing) == 1 and {Path(file).parent for file in importing} == {Path(imported).parent}
    }


def imported_files(source: Source, files: set[str]) -> set[str]:
    """Return which of our files a module imports: the submodule where there is one, else what is named itself."""
    imported: set[str | None] = set()
    for node in ast.walk(source.module):
        if isinstance(node, ast.Import):
            imported |= {_file(alias.name, files) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, source.file)
            imported |= {_file(f"{base}.{alias.name}", files) or _file(base, files) for alias in node.names}
    return {file for file in imported if file is not None}


def _base(node: ast.ImportFrom, file: str) -> str:
    """Return what stands behind `from`, as an absolute name."""
    if not node.level:
        return node.module or ""
    return ".".join([*Path(file).parts[: -node.level], *filter(None, [node.module])])


def _file(name: str, files: set[str]) -> str | None:
    """Return the file of a module, by its name in an import statement; None where it is not ours."""
    first, *rest = name.split(".")
    if first not in IMPORTED_AS:
        return None
    path = "/".join([IMPORTED_AS[first], *rest])
    return next((file for file in (f"{path}.py", f"{path}/__init__.py") if file in files), None)


def classes_defined_twice(sources: list[Source]) -> Mapping[str, int]:
    """Return the names of classes that are defined more than once, private ones too, and how often."""
    nodes = (node for source in sources for node in ast.walk(source.module))
    counts = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))
    return {name: number for name, number in sorted(counts.items()) if number > 1}


def ruff_violations(checkout: Checkout, rule: str) -> int:
    """Count what ruff finds by one rule, whatever the checkout's own settings and `noqa` comments say.

    Raises:
        RuntimeError: Ruff could not run.
    """
    limit = f"lint.mccabe.max-complexity={MAX_COMPLEXITY}"
    settings = ["--isolated", "--ignore-noqa", "--no-cache", "--target-version", "py311", "--config", limit]
    argv = [sys.executable, "-m", "ruff", "check", *settings, "--select", rule, "--output-format", "json"]
    folders = [str(checkout.root / folder) for folder in FOLDERS]
    completed = subprocess.run([*argv, "--exit-zero", *folders], capture_output=True, text=True, check=False)
    if completed.returncode:
        raise RuntimeError(f"ruff: {completed.stderr.strip()[-300:]}")
    return sum(violation["code"] == rule for violation in json.loads(completed.stdout))


def short_docstrings(sources: list[Source]) -> tuple[int, int]:
    """Count the docstrings of modules, classes and functions: those of few words, and all."""
    nodes = (node for source in sources for node in ast.walk(source.module) if isinstance(node, DOCUMENTED))
    words = [len(text.split()) for text in map(ast.get_docstring, nodes) if text]
    return sum(number <= SHORT_DOCSTRING_WORDS for number in words), len(words)


def comment_lines(source: Source) -> int:
    """Count the lines on which nothing but a comment stands."""
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return sum(token.type == tokenize.COMMENT and token.line.lstrip().startswith("#") for token in tokens)
