"""Files of one model that have the same metric under other names: what is merged, what stays apart, what is said."""

import pytest

JANUARY, FEBRUARY = ("2025-01-01", "2025-01-02"), ("2025-02-01", "2025-02-02")


def file(name, value, days=JANUARY):
    return f"date,model,{name}\n" + "".join(f"{day},m,{value}\n" for day in days)


def long(name, value):
    return "date,model,metric,value\n" + "".join(f"{day},m,{name},{value}\n" for day in JANUARY)


def newest(history):
    return {(key.metric, key.segment): series.latest for key, series in history.series.items()}


APART = (
    "columns `val_accuracy` and `accuracy` are both accuracy: "
    "`val_accuracy` is the segment split=val; `accuracy` is used for the model"
)


@pytest.mark.parametrize("shape", [file, long])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_other_measurements_of_the_same_periods_stay_apart_in_any_order(history_folder, shape, is_reversed):
    files = [shape("val_accuracy", 0.99), shape("accuracy", 0.6)]
    history = history_folder.read(*(reversed(files) if is_reversed else files))
    assert newest(history) == {("accuracy", "all"): 0.6, ("accuracy", "split=val"): 0.99}
    (problem,) = history.problems
    assert problem.source == "m"
    assert is_reversed or problem.message == APART


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(file("Accuracy", 0.9), file("accuracy", 0.8), id="another spelling: the later file corrects"),
        pytest.param(file("val_accuracy", 0.9), file("test_accuracy", 0.8, FEBRUARY), id="a continuation"),
    ],
)
def test_another_spelling_and_a_continuation_are_one_metric_and_that_is_said(history_folder, first, second):
    history = history_folder.read(first, second)
    assert newest(history) == {("accuracy", "all"): 0.8}
    (problem,) = history.problems
    assert problem.message.endswith("of several files are one metric, accuracy: of one period the later file counts")


def test_of_two_splits_the_nearer_to_production_stands_for_the_model(history_folder):
    history = history_folder.read(file("val_f1", 0.9), file("test_f1", 0.8), file("prod/f1", 0.7))
    assert newest(history) == {
        ("f1_score", "all"): 0.7,
        ("f1_score", "split=test"): 0.8,
        ("f1_score", "split=val"): 0.9,
    }


def test_what_else_a_file_has_stays_where_it_is(history_folder):
    history = history_folder.read(
        "date,model,val_f1,recall,count\n2025-01-01,m,0.9,0.8,50\n", "date,model,f1\n2025-01-01,m,0.7\n"
    )
    assert newest(history) == {("f1_score", "all"): 0.7, ("f1_score", "split=val"): 0.9, ("recall", "all"): 0.8}
    assert all(series.rows.tolist() == [50.0] for series in history.series.values())


def test_one_spelling_in_all_files_is_not_worth_a_message(history_folder):
    assert history_folder.read(file("F1", 0.9), file("F1", 0.8, FEBRUARY)).problems == ()


def test_many_models_of_one_message_share_a_line(history_folder):
    files = ["date,model,val_f1\n", "date,model,f1\n"]
    rows = "".join(f"2025-01-01,m{number},0.9\n" for number in range(9))
    (problem,) = history_folder.read(*(header + rows for header in files)).problems
    assert problem.source == "m0, m1, m2 and 6 more models"


def test_a_row_that_makes_two_files_overlap_parts_them_and_unchanged_files_keep_their_history(history_folder):
    first, second = (
        history_folder.write(file("val_f1", 0.9)),
        history_folder.write(file("f1", 0.8, FEBRUARY), "m.2.csv"),
    )
    reader = history_folder.reader(first, second)
    before = reader.read()
    assert newest(before) == {("f1_score", "all"): 0.8}
    assert reader.read() is before
    history_folder.append(second, b"2025-01-02,m,0.7\n")
    assert newest(reader.read()) == {("f1_score", "all"): 0.8, ("f1_score", "split=val"): 0.9}
