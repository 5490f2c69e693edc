"""A header that comes again is followed, whatever its columns and their order."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DAYS = [str(date(2025, 1, 1) + timedelta(days=number)) for number in range(12)]
FIRST = "date,accuracy\n" + "".join(f"{day},0.5\n" for day in DAYS[:6])
ACCURACY = {("accuracy", 12)}


def rows(*cells, days=DAYS[6:]):
    return "".join(",".join([cell.format(day=day) for cell in cells]) + "\n" for day in days)


@pytest.mark.parametrize(
    ("data", "lengths"),
    [
        pytest.param(FIRST + "date,accuracy\n" + rows("{day}", "0.5"), ACCURACY, id="the same (cat *.csv)"),
        pytest.param(FIRST + "Date,Accuracy\n" + rows("{day}", "0.5"), ACCURACY, id="in capitals"),
        pytest.param(FIRST + '"date","accuracy"\n' + rows("{day}", "0.5"), ACCURACY, id="in quotes"),
        pytest.param(FIRST + " date , accuracy \n" + rows("{day}", "0.5"), ACCURACY, id="with blanks"),
        pytest.param(FIRST + "\ufeffdate,accuracy\n" + rows("{day}", "0.5"), ACCURACY, id="with a byte order mark"),
        pytest.param(FIRST + "date,acc\n" + rows("{day}", "0.5"), ACCURACY, id="another name of the metric"),
        pytest.param(FIRST + "time,accuracy\n" + rows("{day}", "0.5"), ACCURACY, id="another name of the date"),
        pytest.param(FIRST + "accuracy,date\n" + rows("0.5", "{day}"), ACCURACY, id="in another order"),
        pytest.param(
            FIRST + "date,recall,accuracy\n" + rows("{day}", "0.4", "0.5"), ACCURACY | {("recall", 6)}, id="one more"
        ),
        pytest.param(
            "date,recall,accuracy\n" + rows("{day}", "0.4", "0.5", days=DAYS[:6]) + "date,accuracy\n"
            + rows("{day}", "0.5"), ACCURACY | {("recall", 6)}, id="one less",
        ),
        pytest.param(
            FIRST + "date,recall\n" + rows("{day}", "0.4") + "date,accuracy\n" + rows("{day}", "0.5"),
            ACCURACY | {("recall", 6)}, id="another metric, and the first again",
        ),
        pytest.param(
            "date,metric,value\n" + rows("{day}", "accuracy", "0.5", days=DAYS[:6]) + "value,date,metric\n"
            + rows("0.5", "{day}", "accuracy"), ACCURACY, id="the long shape",
        ),
        pytest.param(
            "".join(
                f"date,{names}\n{day},{values}\n"
                for day, (names, values) in zip(
                    DAYS, [("accuracy,recall", "0.5,0.4"), ("recall,accuracy", "0.4,0.5")] * 6, strict=True
                )
            ), ACCURACY | {("recall", 12)}, id="before every row, in turns (Lightning)",
        ),
        pytest.param(
            "# run 1\ndate,accuracy\n,%\n" + rows("{day}", "0.5", days=DAYS[:6]) + "# run 2\ndate,accuracy\n,%\n"
            + rows("{day}", "0.5"), ACCURACY, id="with its comment and its units",
        ),
        pytest.param(
            ",accuracy,accuracy\ndate,value,alert\n" + rows("{day}", "0.5", "False", days=DAYS[:6])
            + ",accuracy,accuracy\ndate,value,alert\n" + rows("{day}", "0.5", "False"), ACCURACY, id="of two rows",
        ),
    ],
)  # fmt: skip
def test_a_header_that_comes_again_is_followed(history_folder, data, lengths):
    history = history_folder.read(data)
    assert {(key.metric, len(series)) for key, series in history.series.items()} == lengths
    for key, series in history.series.items():
        assert set(series.values.tolist()) == {0.5 if key.metric == "accuracy" else 0.4}
    assert {key.segment for key in history.series} == {"all"}
    assert any("header" in problem.message for problem in history.problems)
    assert all(file.rows_lost == 0 for file in history.files)


def test_a_later_row_corrects_an_earlier_one_under_whatever_header(history_folder, values_of):
    history = history_folder.read(
        "date,accuracy\n2025-01-01,0.1\ndate,recall,accuracy\n2025-01-01,0.4,0.2\ndate,accuracy\n2025-01-01,0.3\n"
        "2025-01-02,0.4\n"
    )
    assert values_of(history)["m", "accuracy", "all"][0][1] == 0.3


def test_rows_that_no_header_describes_are_lost_and_counted(history_folder):
    history = history_folder.read(FIRST + rows("{day}", "0.4", "0.5"))
    (file,) = history.files
    assert (file.rows_read, file.rows_lost, file.newest_lost) == (6, 6, True)


SECTIONS = [("date,accuracy", "{day},0.5"), ("accuracy,date", "0.5,{day}"), ("date,recall,accuracy", "{day},0.4,0.5")]


@settings(max_examples=40, deadline=None)
@given(
    order=st.lists(st.sampled_from(SECTIONS), min_size=2, max_size=6),
    cuts=st.sets(st.integers(1, 250), max_size=4),
    in_volume=st.booleans(),
)
def test_a_file_of_sections_that_grows_is_read_as_at_once(make_history_folder, as_plain_data, order, cuts, in_volume):
    days = iter(DAYS)
    lines = [line for header, row in order for line in (header, row.format(day=next(days)), row.format(day=next(days)))]
    raw = ("\n".join(lines) + "\n").encode()
    folder = make_history_folder()
    path, previous = folder.write(b""), 0
    reader = folder.reader(path)
    with pytest.MonkeyPatch.context() as patch:
        if in_volume:
            for module in ("csv.in_volume", "reader"):
                patch.setattr(f"modeltop.history.{module}.MIN_BYTES", 0)
        for cut in [*sorted(cut for cut in cuts if cut < len(raw)), len(raw)]:
            folder.append(path, raw[previous:cut])
            previous = cut
            history = reader.read()
    at_once = folder.reader(path).read()
    assert as_plain_data(history) == as_plain_data(at_once)
    accuracy = next(series for key, series in at_once.series.items() if key.metric == "accuracy")
    assert accuracy.values.tolist() == [0.5] * 2 * len(order)
