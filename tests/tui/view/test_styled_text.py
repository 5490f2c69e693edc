"""Lines measured in terminal cells."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeltop.core.text import display_width
from modeltop_tui.view.metrics import downsample_means
from modeltop_tui.view.styled_text import fit, plain_text, spark, to_ascii, with_ascii_arrows, wrap

texts = st.text(alphabet="ab 宽é▲…", max_size=30)


@pytest.mark.parametrize(
    ("cells", "width", "shown"),
    [
        pytest.param((("fraud", ""),), 8, "fraud   ", id="filled with spaces"),
        pytest.param((("fraud-detector", ""),), 8, "fraud-d…", id="clipped, and it shows"),
        pytest.param((("fraud", ""), ("-detector", "")), 5, "frau…", id="what follows is missed"),
        pytest.param((("宽宽宽", ""),), 4, "宽… ", id="a wide character is not halved"),
        pytest.param((), 3, "   ", id="nothing at all"),
        pytest.param((("x", ""),), 0, "", id="no room"),
    ],
)
def test_a_line_takes_exactly_its_cells(cells, width, shown):
    assert plain_text(fit(cells, width)) == shown


@given(st.lists(st.tuples(texts, st.sampled_from(["", "dim"])), max_size=4), st.integers(0, 40))
def test_no_line_is_wider_or_narrower_than_asked(spans, width):
    assert display_width(plain_text(fit(tuple(spans), width))) == width


@given(texts, st.integers(2, 40), st.sampled_from(["", "  "]))
def test_wrapped_text_loses_nothing_but_spaces_and_stays_within_its_width(text, width, indent):
    lines = [plain_text(line) for line in wrap(text, max(width, len(indent) + 2), indent=indent)]
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(display_width(line) <= max(width, len(indent) + 2) for line in lines)


@given(texts)
def test_ascii_keeps_every_column_where_it_was(text):
    assert to_ascii(text).isascii()
    assert display_width(to_ascii(text)) == display_width(text)


@pytest.mark.parametrize(
    ("shown", "plain"),
    [("▲CRIT", "XCRIT"), ("◆WARN", "!WARN"), ("○ n/d", "? n/d"), ("●", "."), ("0.960→0.870", "0.960>0.870")],
)
def test_each_sign_has_its_own_in_ascii(shown, plain):
    assert to_ascii(shown) == plain


@given(st.lists(st.tuples(st.text("→… <0é宽"), st.sampled_from(["", "dim"]))))
def test_an_arrow_in_ascii_moves_nothing_beyond_the_next_column(spans):
    drawn = with_ascii_arrows(tuple(spans))
    assert display_width(to_ascii(plain_text(drawn))) == display_width(plain_text(tuple(spans)))


@pytest.mark.parametrize(
    ("shown", "plain"),
    [
        ("│28 Jun 0.814→0.846    +0.031│", "|28 Jun 0.814->0.846   +0.031|"),
        ("a 1→2   b 3→4   ", "a 1->2  b 3->4  "),
        ("F1 0.939→0.750;…", "F1 0.939->0.750~"),
        ("←→ metric  ", "<> metric  "),
    ],
)
def test_an_arrow_between_two_values_is_no_comparison_in_ascii(shown, plain):
    assert to_ascii(plain_text(with_ascii_arrows(((shown, ""),)))) == plain


def test_a_spark_shows_the_newest_values_between_their_lowest_and_highest():
    assert spark([9.0, 0.0, 3.5, 7.0], 3) == "▁▅█"
    assert spark([1.0, 1.0], 5) == "▄▄"
    assert spark([0.0, float("inf"), 1.0], 3) == "▁ █"


def test_a_history_is_drawn_whole_however_few_the_cells():
    fall = np.concatenate([np.full(150, 0.95), np.full(30, 0.7)])
    assert spark(downsample_means(fall, 12), 12) == "██████████▁▁"
    assert downsample_means(np.array([np.inf, np.inf, 1.0]), 3) == [np.inf, np.inf, 1.0]
    assert downsample_means(np.array([1.0]), 9) == [1.0]
