"""Whatever a file holds: no traceback, no lost neighbours, no changed names."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeltop.core.series import History

HOSTILE = [
    "\x1b]52;c;ZWNobyBwd25lZA==\x07", "\x1b]0;PWNED\x07", "\x1b[2J\x1b[H", "\x1b[?1049l", "\x1b[6n", "\x1bc",
    "\x1bP+q544e\x1b\\", "\x1b]8;;http://evil.test\x1b\\click", "\x1b]0;", "\x9b31m", "\x9d0;x\x9c",
    "\x05\x0e\x00\x7f\x08", "\r overwritten", "\u202egpj.exe", "\u200b\ufeff", "e" + "\u0301" * 100, "W" * 10_000,
    "宽" * 200, "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\U0001f3f3\ufe0f\u200d\U0001f308",
    "[bold]x[/bold]", "[/]", "[/foo]", "x[/x", "[@click=app.quit]x[/]", "[link=http://evil.test]x[/link]", "[a-z]+",
    "\\[bold]", "x\\", "{value}", "%s", "../../etc/passwd", "..", ".", "C:\\x", "con", "nul.csv", "-rf", "--help",
    "a\x00b", "=cmd|'/C calc'!A0", "+1+1", "@SUM(A1)", "m\r\nBcc: evil@x.test", "<!channel>", "<@U123>", "@everyone",
    "<script>alert(1)</script>", "NA", "null", "None", "nan", "inf", " ", "007", "1e5", "true", "|perf'=1", '"', "'",
    ",", ";", "\t", "\n",
]  # fmt: skip


def as_csv(*rows):
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows(rows)
    return stream.getvalue()


@pytest.mark.parametrize("text", [*filter(str.strip, HOSTILE)], ids=lambda text: ascii(text)[:30])
def test_a_hostile_name_is_data_and_nothing_else(history_folder, text):
    rows = [["2025-01-01", text, text, text, "0.5"], ["2025-01-02", "good", "all", "kpi", "0.5"]]
    history = history_folder.read(as_csv(["date", "model", "segment", "metric", "value"], *rows))
    keys = [(key.model, key.segment, key.metric) for key in history.series]
    assert keys == [(text, text, text), ("good", "all", "kpi")]
    assert history.problems == ()


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:30])
def test_a_hostile_header_cell_or_date_leaves_the_rest_readable(history_folder, text):
    rows = [["2025-01-01", "0.9", text], [text, "0.9", "1"], ["2025-01-02", "0.8", "1"]]
    history = history_folder.read(as_csv(["date", "accuracy", text], *rows))
    accuracy = next(series for series in history.series.values() if series.key.metric == "accuracy")
    assert accuracy.values.tolist() == [0.9, 0.8]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_a_traceback(make_history_folder, data):
    assert isinstance(make_history_folder().read(data), History)
    assert isinstance(make_history_folder().read(b"date,model,accuracy\n" + data), History)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60).filter(lambda data: b'"' not in data))
def test_good_rows_before_and_after_a_bad_one_are_kept(make_history_folder, data):
    rows = b"date,model,accuracy\n2025-01-01,a,0.9\n%s\n2025-01-02,a,0.8\n"
    history = make_history_folder().read(rows % data)
    values = {(str(t)[:10], v) for s in history.for_model("a") for t, v in zip(s.times, s.values.tolist(), strict=True)}
    assert {("2025-01-01", 0.9), ("2025-01-02", 0.8)} <= values


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_real_file_loses_little(make_history_folder, reference_data, data):
    raw = reference_data("forecast_history.csv").read_bytes()
    start = data.draw(st.integers(200, len(raw) - 1))
    hurt = raw[:start] + data.draw(st.binary(max_size=8)) + raw[start + data.draw(st.integers(0, 8)) :]
    history = make_history_folder().read(hurt)
    assert sum(len(times) for times in history.periods.values()) >= 177 - 3
