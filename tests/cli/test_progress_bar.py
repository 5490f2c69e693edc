"""The progress bar: on a terminal, one line, erased at its end; elsewhere nothing."""

import io

import pytest

from modeltop.cli import progress_bar
from modeltop.cli.progress_bar import progress_line, show_progress
from modeltop.predictions.progress import ReadProgress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(progress_bar, "PAUSE", 0.0)
    monkeypatch.setenv("TERM", "xterm")


def test_rows_and_bytes_are_shown_on_one_line_that_is_erased_at_its_end():
    err = Terminal()
    with show_progress(err) as show:
        for fraction in (0.25, 0.5):
            show(ReadProgress("reading", fraction, int(fraction * 1000), 1000, int(fraction * 4e6), int(4e6)))
    assert "\n" not in err.getvalue()
    assert "500 of 1,000 rows  2 of 4 MB" in err.getvalue()
    assert err.getvalue().endswith(progress_bar.ERASE)


def test_progress_after_the_end_is_not_drawn():
    err = Terminal()
    with show_progress(err) as show:
        pass
    before = err.getvalue()
    show(ReadProgress("reading", 1.0, 1, 1, 1, 1))
    assert err.getvalue() == before


def test_a_file_or_a_dumb_terminal_gets_no_bar(monkeypatch):
    with show_progress(io.StringIO()) as show:
        assert show is None
    monkeypatch.setenv("TERM", "dumb")
    with show_progress(Terminal()) as show:
        assert show is None


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (ReadProgress("reading", None, 5, None, 0, None), "reading  5 rows"),
        (ReadProgress("a\x1b[2J", None, 5, 7, 3_000_000, None), "a\\x1b[2J  5 of 7 rows  3 MB"),
        (ReadProgress("r", 1.0, 5, 5, 0, None), f"r {'━' * 24} 100 %  5 of 5 rows"),
        (ReadProgress("r", 2.0, 5, 5, 0, None), f"r {'━' * 24} 200 %  5 of 5 rows"),
    ],
)
def test_unknown_quantities_are_left_out(progress, line):
    assert progress_line(progress) == line
