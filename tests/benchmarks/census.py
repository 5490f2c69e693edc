"""Counts of the source under monitor/ and tui/: how much there is, and how hard it is to find one's way in it.

With MODELTOP_OTHER=DIR the checkout at DIR is counted as well, and both stand side by side.
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

from tests.benchmarks.base import Bench, Finding, row
from tests.benchmarks.checkout import FOLDERS, IMPORTED_AS, Figure, Tree, here, other, package, side_by_side

COMPLEXITY = 10
WORDS = 5
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Source:
    """One module, read and parsed."""

    file: str
    """Relative to the checkout."""
    text: str
    module: ast.Module


@row("census")
def census(_: Bench) -> Iterator[Finding]:
    """Count files, lines, packages, layers, duplicates and docstrings (MODELTOP_OTHER=DIR: beside another)."""
    compared = other()
    yield from side_by_side(count(here()), count(compared) if compared is not None else None)


def count(tree: Tree) -> list[Figure]:
    """Count everything in one checkout."""
    sources = read_sources(tree)
    lines = sum(len(source.text.splitlines()) for source in sources)
    lonely = files_with_one_importer(sources)
    lonely_lines = sum(len(source.text.splitlines()) for source in sources if source.file in lonely)
    repeated = classes_defined_twice(sources)
    short, documented = short_docstrings(sources)
    return [
        Figure("files", len(sources)),
        Figure("lines", lines),
        Figure(
            "packages",
            len({package(source.file) for source in sources}),
            note="folders and files directly in monitor/, and tui",
        ),
        Figure("import layers", layers(tree)),
        Figure("files with one importer, in their own folder", len(lonely), note=f"{lonely_lines:,} lines"),
        Figure("class names defined twice", len(repeated), note=f"{sum(repeated.values())} definitions"),
        Figure(f"functions over complexity {COMPLEXITY}", ruff_findings(tree, "C901")),
        Figure("first lines of docstrings not imperative (D401)", ruff_findings(tree, "D401")),
        Figure(f"docstrings of {WORDS} words or fewer", short, note=f"of {documented:,}"),
        Figure("lines that are comments", 100 * sum(map(comment_lines, sources)) / max(lines, 1), " %"),
    ]


def read_sources(tree: Tree) -> list[Source]:
    """Read and parse all modules of a checkout."""
    texts = ((path.relative_to(tree.root).as_posix(), path.read_text(encoding="utf-8")) for path in tree.files())
    return [Source(file, text, ast.parse(text, file)) for file, text in texts]


def layers(tree: Tree) -> int:
    """Count the layers of the longest of import-linter's contracts of the type `layers`."""
    settings = tomllib.loads((tree.root / "pyproject.toml").read_text(encoding="utf-8"))
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
        for imported, found in importers.items()
        if len(found) == 1 and {Path(file).parent for file in found} == {Path(imported).parent}
    }


def imported_files(source: Source, files: set[str]) -> set[str]:
    """Return which of our files a module imports: the submodule where there is one, else what is named itself."""
    found: set[str | None] = set()
    for node in ast.walk(source.module):
        if isinstance(node, ast.Import):
            found |= {_file(alias.name, files) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, source.file)
            found |= {_file(f"{base}.{alias.name}", files) or _file(base, files) for alias in node.names}
    return {file for file in found if file is not None}


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
    times = Counter(node.name for node in nodes if isinstance(node, ast.ClassDef))
    return {name: number for name, number in sorted(times.items()) if number > 1}


def ruff_findings(tree: Tree, rule: str) -> int:
    """Count what ruff finds by one rule, whatever the checkout's own settings and `noqa` comments say.

    Raises:
        RuntimeError: Ruff could not run.
    """
    limit = f"lint.mccabe.max-complexity={COMPLEXITY}"
    settings = ["--isolated", "--ignore-noqa", "--no-cache", "--target-version", "py311", "--config", limit]
    argv = [sys.executable, "-m", "ruff", "check", *settings, "--select", rule, "--output-format", "json"]
    folders = [str(tree.root / folder) for folder in FOLDERS]
    done = subprocess.run([*argv, "--exit-zero", *folders], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ruff: {done.stderr.strip()[-300:]}")
    return sum(finding["code"] == rule for finding in json.loads(done.stdout))


def short_docstrings(sources: list[Source]) -> tuple[int, int]:
    """Count the docstrings of modules, classes and functions: those of few words, and all."""
    nodes = (node for source in sources for node in ast.walk(source.module) if isinstance(node, DOCUMENTED))
    words = [len(text.split()) for text in map(ast.get_docstring, nodes) if text]
    return sum(number <= WORDS for number in words), len(words)


def comment_lines(source: Source) -> int:
    """Count the lines on which nothing but a comment stands."""
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return sum(token.type == tokenize.COMMENT and token.line.lstrip().startswith("#") for token in tokens)
