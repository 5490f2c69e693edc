"""The header is found wherever it is, and what stands around it is left out and reported."""

from datetime import date, timedelta

import pytest

DAYS = [str(date(2025, 1, 1) + timedelta(days=number)) for number in range(6)]
WIDE = "date,accuracy\n" + "".join(f"{day},0.5\n" for day in DAYS)
TWO = "".join(f"{day},0.5,0.4\n" for day in DAYS)
FOUR = "".join(f"{day},0.5,0.4,0.6,0.3\n" for day in DAYS)
PAIR = {("accuracy", "all"), ("recall", "all")}


@pytest.mark.parametrize(
    ("data", "keys", "words"),
    [
        pytest.param("# made by a job\n# do not edit\n" + WIDE, None, ["comment"], id="comments above"),
        pytest.param(WIDE + "# end\n", None, ["comment"], id="a comment below"),
        pytest.param(WIDE.replace("2025-01-03,", "# restarted\n\n2025-01-03,"), None, ["comment"], id="one between"),
        pytest.param("# date,accuracy\n" + WIDE.partition("\n")[2], None, [], id="a header that is a comment (numpy)"),
        pytest.param("Report of 2025-01-01;;\n\n" + WIDE.replace(",", ";"), None, ["1 line above"], id="a title line"),
        pytest.param("Model churn,weekly\nMade,2025-01-01\n" + WIDE, None, ["2 lines above"], id="titles of two cells"),
        pytest.param("Runs, all, churn\n" + WIDE.replace(",", ";"), None, ["1 line above"], id="commas in a title"),
        pytest.param("\n\nsep=;\n" + WIDE.replace(",", ";"), None, [], id="blank lines and Excel's hint"),
        pytest.param(WIDE.replace("\n", "\n,%\n", 1), None, ["below the header"], id="a row of units"),
        pytest.param(WIDE.replace("\n", "\n(UTC),(share)\n", 1), None, ["below the header"], id="units of all columns"),
        pytest.param(WIDE.replace("\n", "\n\n,%\n\n", 1), None, ["below the header"], id="blank lines around units"),
        pytest.param("\ufeff" + WIDE, None, [], id="a byte order mark"),
        pytest.param("when,accuracy\n" + WIDE.partition("\n")[2], None, [], id="a date by another name"),
        pytest.param("Report;\nwhen;accuracy\n" + TWO.replace(",0.4", "").replace(",", ";"), None, ["1 line above"],
                     id="a title above a date by another name"),
        pytest.param(",accuracy,accuracy\ndate,value,count\n" + TWO, None, ["two header rows"], id="two header rows"),
        pytest.param("chunk,accuracy,accuracy\nstart_date,value,alert\n" + TWO, None, ["two header rows"],
                     id="two header rows of NannyML"),
        pytest.param("date,accuracy,recall\n,value,value\n" + TWO, None, ["below the header"], id="values as units"),
        pytest.param(",accuracy,,recall,\ndate,value,lower,value,lower\n" + FOUR, PAIR, ["two header rows"],
                     id="merged cells of a spreadsheet"),
        pytest.param(",accuracy,accuracy,recall,recall\n,value,lower,value,lower\ndate,,,,\n" + FOUR, PAIR,
                     ["two header rows"], id="pandas with the name of its index"),
        pytest.param("date,accuracy,accuracy,recall,recall\n,value,lower,value,lower\n" + FOUR, PAIR,
                     ["two header rows"], id="the date in the upper row"),
        pytest.param(WIDE + "Total,0.9\n", None, ["total"], id="a total"),
        pytest.param(WIDE + "Grand total;\nSumme,0.9\n;,\n", None, ["total", "date"], id="totals by other names"),
        pytest.param(WIDE + "\nAverage\n", None, ["total"], id="a total of one cell"),
    ],
)  # fmt: skip
def test_a_header_is_found_among_other_lines(history_folder, data, keys, words):
    history = history_folder.read(data)
    found = {(key.metric, key.segment): series.values.tolist() for key, series in history.series.items()}
    assert found["accuracy", "all"] == [0.5] * len(DAYS)
    assert set(found) >= (keys or {("accuracy", "all")})
    assert not any("is not a date" in problem.message for problem in history.problems if "date" not in words)
    for word in words:
        assert any(word in problem.message for problem in history.problems), history.problems


@pytest.mark.parametrize(
    ("row", "message"),
    [
        pytest.param("none,accuracy", "`none` is not a date", id="a row without a date"),
        pytest.param("day,high", "is not a date", id="a word that dates are called by"),
        pytest.param("Report of 2025-01-09,", "is not a date", id="a title between rows"),
    ],
)
def test_a_row_of_text_is_no_header(history_folder, row, message):
    rows = WIDE.replace("2025-01-03,", f"{row}\n2025-01-03,")
    history = history_folder.read(rows)
    (series,) = history.series.values()
    assert series.values.tolist() == [0.5] * len(DAYS)
    assert any(message in problem.message for problem in history.problems)
