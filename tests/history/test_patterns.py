"""Patterns and `**`: files of folders below, found again as they come."""

import pytest

ROW = "date,accuracy\n2025-01-01,0.9\n"


@pytest.fixture
def tree(history_folder, monkeypatch):
    """Two models in folders, a hidden folder, and files that are no history."""
    monkeypatch.chdir(history_folder.folder)
    for name in ("m/churn/2025.csv", "m/fraud/2025.csv", "m/.git/x.csv", "m/notes.txt", "m/deep/er/ranker.csv"):
        history_folder.write(ROW, name)
    return history_folder


def models(history):
    return sorted(history.periods)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("m/**", ["churn/2025", "fraud/2025", "ranker"]),
        ("./m/**", ["churn/2025", "fraud/2025", "ranker"]),
        ("**", ["churn/2025", "fraud/2025", "ranker"]),
        ("m/**/*.csv", ["churn/2025", "fraud/2025", "ranker"]),
        ("**/r*.csv", ["ranker"]),
        ("m/*", ["churn/2025", "fraud/2025"]),
        ("m/*/2025.csv", ["churn/2025", "fraud/2025"]),
        ("m/[cf]*/202?.csv", ["churn/2025", "fraud/2025"]),
        ("m/**/er/*", ["ranker"]),
    ],
)
def test_a_pattern_reads_what_matches(tree, pattern, expected):
    history = tree.reader(pattern).read()
    assert (history.problems, models(history)) == ((), expected)


def test_an_absolute_pattern_is_read_alike(tree):
    assert models(tree.reader(f"{tree.folder}/m/**").read()) == ["churn/2025", "fraud/2025", "ranker"]


def test_files_and_folders_that_come_later_are_found(tree):
    reader = tree.reader("m/**")
    reader.read()
    tree.now = tree.folder.stat().st_mtime + 100
    reader.read()
    assert not reader.has_changed()
    tree.write(ROW, "m/deep/new/recommender.csv")
    assert reader.has_changed()
    assert models(reader.read()) == ["churn/2025", "fraud/2025", "ranker", "recommender"]


@pytest.mark.parametrize("pattern", ["m/*/2025.csv", "m/**/2025.csv", "m/*"])
def test_a_new_match_of_any_pattern_is_found(tree, pattern):
    reader = tree.reader(pattern)
    reader.read()
    tree.now = tree.folder.stat().st_mtime + 100
    reader.read()
    assert not reader.has_changed()
    tree.write(ROW, "m/search/2025.csv")
    assert reader.has_changed()
    assert "search/2025" in models(reader.read())


def test_the_files_of_a_store_that_are_no_history_are_left_alone(tree):
    tree.write("date,model,accuracy\n2025-01-01,churn,0.9\n", "s/churn-88b2072e.csv")
    tree.write("{}\n", "s/state/journal.000001.jsonl")
    tree.write(ROW, "s/evidence/churn-88b2072e.csv")
    history = tree.reader("s/**").read()
    assert (history.problems, models(history)) == ((), ["churn"])


def test_a_link_to_a_folder_above_is_no_endless_tree(tree):
    (tree.folder / "m" / "up").symlink_to(tree.folder)
    (tree.folder / "m" / "deep" / "again").symlink_to(tree.folder / "m")
    assert models(tree.reader("m/**").read()) == ["churn/2025", "fraud/2025", "ranker"]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("m/*.parquet", "no file matches this pattern"),
        ("empty/**", "an empty folder"),
        ("absent/**", "no file matches"),
    ],
)
def test_a_pattern_without_a_match_is_one_line(tree, pattern, reason):
    (tree.folder / "empty").mkdir()
    (problem,) = tree.reader(pattern).read().problems
    assert (problem.source, problem.fatal) == (pattern, True)
    assert problem.message.startswith(reason)


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tree):
    tree.write(ROW, "a[1].csv")
    assert models(tree.reader("a[1].csv").read()) == ["a[1]"]
