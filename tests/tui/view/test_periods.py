"""The table of periods."""

from modeltop.core.text import display_width
from modeltop_tui.view.periods import periods_table
from modeltop_tui.view.styled_text import plain_text


def test_periods_stand_newest_first_and_breached_ones_are_marked(make):
    table = periods_table(make.state(*make.ten_days()))
    lines = [plain_text(table.line(row, 0)).split() for row in range(len(table))]
    assert lines[0] == ["2025-01-10", "▲0.870", "0.850", "0.840", "▲0.845", "0.840"]
    assert lines[-1][0] == "2025-01-01"
    assert plain_text(table.heading(0, 80)).split()[:3] == ["period", "accuracy", "precision"]


def test_a_period_that_a_metric_does_not_have_is_a_dash(make):
    table = periods_table(make.state(make.healthy("a"), make.series([0.1], model="a", metric="psi", days=[3])))
    assert plain_text(table.line(0, 0)).split() == ["2025-01-10", "0.950", "-"]
    assert plain_text(table.line(7, 0)).split() == ["2025-01-03", "0.950", "0.100"]


def test_columns_stand_under_their_names(make):
    table = periods_table(make.state(*make.ten_days(), make.series([1.0], metric="宽" * 40)))
    heads = plain_text(table.heading(0, table.width))
    assert display_width(heads) == table.width
    assert display_width(plain_text(table.line(0, 0))) == table.width
    assert display_width(plain_text(table.line(0, 2))) < table.width
