"""The columns, task and classes that are inferred from a log, and where the user is options instead."""

import re

import pytest

from modeltop.core.errors import SourceError
from modeltop.predictions.schema_inference import resolve
from modeltop.predictions.spec import LogSpec, Task


@pytest.fixture
def read(written, engine):
    def resolve_rows(header, *rows, **options):
        path = written(rows, header=("timestamp", *header))
        return resolve(LogSpec(sources=(str(path),), **options), engine)

    return resolve_rows


def stamped(*rows):
    return [("2025-01-01", *row) for row in rows]


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        pytest.param(["0", "1"], Task.BINARY, ("0", "1"), id="0 and 1"),
        pytest.param(["1.0", "0.0"], Task.BINARY, ("0", "1"), id="0.0 and 1.0"),
        pytest.param(["no", "yes"], Task.BINARY, ("no", "yes"), id="no and yes"),
        pytest.param(["False", "True"], Task.BINARY, ("false", "true"), id="false and true"),
        pytest.param(["-1", "1"], Task.BINARY, ("-1", "1"), id="-1 and 1"),
        pytest.param(["a10", "a2", "b"], Task.MULTICLASS, ("a2", "a10", "b"), id="three names, in natural order"),
        pytest.param(["1.5", "2.25", "3"], Task.REGRESSION, (), id="amounts"),
    ],
)
def test_the_task_is_inferred_from_the_values(read, values, task, classes):
    log = read(("prediction", "label"), *stamped(*((value, value) for value in values)))
    assert (log.task, log.classes) == (task, classes)
    assert f"the task is {task.value}" in log.notes


@pytest.mark.parametrize(
    ("header", "rows", "options", "message"),
    [
        pytest.param(("prediction", "label"), [("cat", "dog")], {}, "--positive", id="which of two is positive"),
        pytest.param(("prediction", "label"), [("3", "4"), ("5", "5")], {}, "--task", id="classes or amounts"),
        pytest.param(("prediction", "label"), [("a", "b")], {"positive": "c"}, "not among the values:", id="not there"),
        pytest.param(("label",), [("1",)], {}, "neither a prediction nor a score", id="nothing was predicted"),
        pytest.param(("prediction", "lable"), [("1", "1")], {"label": "label"}, "did you mean lable", id="misspelt"),
        pytest.param(
            ("prediction", "label"), [("x", "y")], {"task": Task.REGRESSION}, "holds text, and", id="text for numbers"
        ),
        pytest.param(("prediction", "score"), [("1", "high")], {"scores": ("score",)}, "holds text", id="no number"),
        pytest.param(
            ("label", "score"), [("1", "0.1"), ("1", "a lot")], {}, "such as a lot", id="one that is not a number"
        ),
        pytest.param(
            ("label", "score"), [("1", "0.1")], {"threshold": 2.0}, "beyond all scores", id="too high a threshold"
        ),
        pytest.param(
            ("label", "score"),
            [("no", ".1"), ("yes", ".2"), ("1", ".3")],
            {},
            "name the positive one",
            id="two values for positive",
        ),
        pytest.param(("prediction", "label"), [], {}, "the log has no rows", id="a header alone"),
        pytest.param(("prediction", "score"), [("1", "-0.1")], {}, "lies within 0 and 1", id="no probability"),
        pytest.param(("prediction",), [("1",)], {"start": "2025-01-01"}, "go together", id="start without every"),
    ],
)
def test_what_cannot_be_inferred_is_asked_for_in_one_line(read, header, rows, options, message):
    with pytest.raises(SourceError, match=message) as caught:
        read(header, *stamped(*rows), **options)
    assert "\n" not in str(caught.value)


def test_a_value_that_is_no_date_is_shown_and_not_one_that_is(written, engine):
    path = written([("2025-01-01", 1), ("yesterday", 0)], header=("timestamp", "prediction"))
    with pytest.raises(SourceError, match="holds yesterday, which is not an ISO date"):
        resolve(LogSpec(sources=(str(path),)), engine)


def test_columns_are_taken_by_their_usual_names_with_a_note(read):
    log = read(("y_pred_proba", "y_pred", "y_true"), *stamped(("0.7", "1", "0"), ("0.2", "0", "0")))
    assert (log.prediction, log.label, dict(log.scores)) == ("y_pred", "y_true", {"1": "y_pred_proba"})
    assert "--score y_pred_proba --positive 1" in log.notes[0]


def test_without_predictions_the_score_decides_from_the_threshold_on(read):
    rows = stamped(("0.5", "1"), ("0.49", "0"))
    assert "score of 0.5 or more is positive" in " ".join(read(("score", "label"), *rows).notes)
    log = read(("prediction", "score", "label"), *[(day, "1", *rest) for day, *rest in rows], threshold=0.4)
    assert (log.prediction, log.threshold) == (None, 0.4)


def test_rows_that_cannot_be_used_are_counted_in_a_note(read):
    rows = [("2025-01-01", "1", "1"), ("2025-01-01", "1", "0.5"), ("", "0", "0"), ("2025-01-02", "", "0")]
    notes = read(("prediction", "label", "score"), *((*row, "0.5") for row in rows), positive="1").notes
    assert "1 row with a label that is neither value count as unlabeled, such as ties" in notes
    assert "1 row without a prediction are skipped" in notes
    assert "1 row without a time are skipped" in notes


def test_a_file_stem_is_the_model_where_no_column_is(read):
    assert read(("prediction", "label"), *stamped(("1", "1"))).model_name == "log"
    assert read(("prediction", "label"), *stamped(("1", "1")), model="churn").model_name == "churn"


LAYOUTS = {
    "event_time,country,fraud_score,is_fraud,decision": (
        [("2025-01-01 10:00", "DE", "0.71", "yes", "True"), ("2025-01-01 11:00", "FR", "0.2", "no", "False")],
        "--timestamp event_time --label is_fraud --prediction decision --score fraud_score --positive yes",
        "country",
    ),
    "ts,churn_probability,churned": (
        [("1735689600", "0.71", "1"), ("1735689700", "0.2", "0"), ("1735689800", "0.2", "0")],
        "--timestamp ts --label churned --score churn_probability --positive 1",
        "",
    ),
    "scoredAt,customerId,predictedPrice,actualPrice": (
        [("2025-01-01", "c1", "10.5", "11.25"), ("2025-01-02", "c2", "9.5", "9.75")],
        "--timestamp scoredAt --label actualPrice --prediction predictedPrice",
        "customerId",
    ),
    "when,prob_cat,prob_dog,prob_owl,truth": (
        [("2025-01-01", "0.2", "0.3", "0.5", name) for name in ("owl", "cat", "dog")],
        "--timestamp when --label truth --score cat=prob_cat --score dog=prob_dog --score owl=prob_owl",
        "",
    ),
    "request_time,label_time,delay_minutes,predicted_delay": (
        [("2025-01-01", "2025-02-01", "3.5", "4.5"), ("2025-01-02", "2025-02-02", "2.5", "4.25")],
        "--timestamp request_time --label delay_minutes --prediction predicted_delay",
        "label_time",
    ),
    "created_at,updated_at,prob_0,prob_1,target": (
        [("2025-01-01", "2025-01-03", "0.3", "0.7", "1"), ("2025-01-01", "2025-01-03", "0.9", "0.1", "0")],
        "--timestamp created_at --label target --score prob_1 --positive 1",
        "updated_at, prob_0",
    ),
    "timestamp,prediction,label": (
        [("2025-01-01", "0.2", "0"), ("2025-01-01", "0.9", "1")],
        "--timestamp timestamp --label label --score prediction --positive 1",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("header", LAYOUTS)
def test_columns_as_they_are_called_in_the_wild_are_recognized(written, engine, header):
    rows, command, unused = LAYOUTS[header]
    notes = resolve(LogSpec(sources=(str(written(rows, header=header.split(","))),)), engine).notes
    assert command in notes[0]
    assert (f"columns not used: {unused};" in notes[1]) is bool(unused)


def test_a_recognized_command_computes_the_same(written, engine):
    rows, command, _ = LAYOUTS["event_time,country,fraud_score,is_fraud,decision"]
    path = str(written(rows, header=("event_time", "country", "fraud_score", "is_fraud", "decision")))
    recognized = resolve(LogSpec(sources=(path,)), engine)
    assert command in recognized.notes[0]
    columns = {"timestamp": "event_time", "label": "is_fraud", "prediction": "decision", "scores": ("fraud_score",)}
    named = resolve(LogSpec(sources=(path,), **columns, positive="yes"), engine)
    assert not any("recognized" in note for note in named.notes)
    assert (named.classes, named.class_values, named.scores) == (
        recognized.classes, recognized.class_values, recognized.scores,
    )  # fmt: skip


def test_a_flag_that_is_not_called_like_the_score_is_no_label(read):
    log = read(("churn_score", "is_premium"), *stamped(("0.7", "1"), ("0.2", "0")))
    assert log.label is None
    assert "try --label is_premium" in " ".join(log.notes)


def test_two_times_of_which_none_is_said_to_be_of_the_prediction_are_asked_for(written, engine):
    path = written([("2025-01-01", "2025-01-02", "1", "1")], header=("opened_on", "closed_on", "prediction", "label"))
    with pytest.raises(SourceError, match="name it by --timestamp"):
        resolve(LogSpec(sources=(str(path),)), engine)


@pytest.mark.parametrize(
    ("label", "prediction"),
    [
        pytest.param(("no", "yes"), ("False", "True"), id="yes and True"),
        pytest.param(("0.0", "1.0"), ("false", "true"), id="1.0 and true"),
        pytest.param(("NO ", " Yes"), ("no", "yes"), id="case and blanks"),
        pytest.param(("-1", "1"), ("0", "1"), id="1 and -1, 1 and 0"),
        pytest.param(("N", "Y"), ("0", "1"), id="Y and 1"),
    ],
)
def test_label_and_prediction_in_other_words_for_the_same_are_mapped(cells_of, written, label, prediction):
    outcomes = [(0, 0), (1, 1), (1, 0), (1, 1)]
    rows = [("2025-01-01", label[actual], prediction[predicted]) for actual, predicted in outcomes]
    (counts,) = cells_of(written(rows, header=("timestamp", "label", "prediction")), scores=()).values()
    assert counts.count[0, :2].sum(axis=-1).tolist() == [[1, 0], [1, 2]]


@pytest.mark.parametrize("wrong", ["NULL", "#N/A", "label", "", "nan"])
def test_a_cell_that_is_no_label_among_zeros_and_ones_is_left_out_and_said(read, wrong):
    rows = stamped(*[(str(index % 2), str(index % 2)) for index in range(8)], ("1", wrong))
    log = read(("prediction", "label"), *rows)
    assert (log.task, log.classes) == (Task.BINARY, ("0", "1"))
    is_said = "1 row with a label that is neither value count as unlabeled, such as ties" in log.notes
    assert is_said is (wrong not in ("", "nan"))


@pytest.mark.parametrize("positive", [None, "1"])
def test_labels_and_predictions_that_have_nothing_in_common_are_refused(read, positive):
    message = "--label label holds 0, 1 and --prediction prediction a, b, which have nothing.*by --positive"
    with pytest.raises(SourceError, match=message):
        read(("prediction", "label"), *stamped(("a", "0"), ("b", "1"), ("a", "1")), positive=positive)


@pytest.mark.parametrize(("positive", "negative"), [("fraud", "legit"), ("Legit", "fraud")])
def test_the_positive_value_of_two_names_maps_them_to_a_usual_pair(read, positive, negative):
    log = read(("prediction", "label"), *stamped(("0", "legit"), ("1", "fraud"), ("0", "fraud")), positive=positive)
    assert log.classes == (negative, positive.lower())
    assert log.class_values == {"prediction": ("0", "1")}


BAD = {
    "timestamp": ("soon", "1", "1", "0.5"), "prediction": ("2025-01-01", "oops", "1", "0.5"),
    "score": ("2025-01-01", "1", "1", "high"),
}  # fmt: skip


@pytest.mark.parametrize("role", BAD)
def test_values_that_cannot_be_read_are_skipped_with_an_example_up_to_a_share_of_the_rows(written, engine, role):
    good = [("2025-01-01", str(row % 2), str(row % 2), "0.5") for row in range(99)]

    def resolved(rows, **options):
        path = written(rows, f"{len(rows)}.csv", ("timestamp", "prediction", "label", "score"))
        return resolve(LogSpec(sources=(str(path),), **options), engine)

    example = next(value for value in BAD[role] if value in ("soon", "oops", "high"))
    expected = rf"--{role} {role} has 1 value that cannot be read as a \w+, such as {example}: skipped"
    assert any(re.fullmatch(expected, note) for note in resolved([*good, BAD[role]]).notes)
    with pytest.raises(
        SourceError, match=rf"has 2 values .*, such as {example}: correct .* more than 1 % by --max-bad"
    ):
        resolved([*good, BAD[role], BAD[role]])
    assert resolved([*good, *[BAD[role]] * 3], max_bad_rows=0.03).row_count == 102


def test_a_cell_that_is_empty_by_a_word_is_not_bad(read):
    rows = stamped(*[("1", "0.5"), ("0", "#N/A"), ("NULL", "0.5")])
    assert "1 row without a prediction are skipped" in read(("prediction", "score"), *rows).notes


def test_an_empty_file_among_others_is_skipped_and_reported(written, engine, tmp_path):
    path = written([("2025-01-01", "1")], "b.csv", ("timestamp", "prediction"))
    (tmp_path / "a.csv").touch()
    log = resolve(LogSpec(sources=(str(tmp_path),)), engine)
    assert (log.row_count, log.model_name) == (1, path.stem)
    assert f"1 empty file skipped, such as {tmp_path / 'a.csv'}" in log.notes


IDS = [("2025-01-02", "1", "7"), ("2025-01-01", "0", "7"), ("2025-01-02", "0", "7"), ("2025-01-01", "1", "")]


def test_of_rows_with_one_id_the_newest_counts_and_of_those_the_last(written, engine, cells_of):
    rows = [*IDS, *IDS[-1:], ("2025-01-01", "1", "8")]
    path = written(rows, header=("timestamp", "prediction", "id"))
    columns = {"id": "id", "label": None, "scores": ()}
    counts = {key[1][:10]: cell.count[0, 2].sum(axis=-1).tolist() for key, cell in cells_of(path, **columns).items()}
    assert counts == {"2025-01-01": [0, 3], "2025-01-02": [1, 0]}
    log = resolve(LogSpec(sources=(str(path),), id="id"), engine)
    assert "2 rows have the id of a newer one and are skipped; --keep-duplicates counts each row" in log.notes
    assert resolve(LogSpec(sources=(str(path),), id="id", keep_duplicates=True), engine).row_count == len(rows)


def test_one_id_of_two_models_is_two_predictions(written, engine):
    path = written(
        [("2025-01-01", "1", "7", model) for model in "ab"], header=("timestamp", "prediction", "id", "model")
    )
    assert resolve(LogSpec(sources=(str(path),), id="id"), engine).row_count == 2


def test_ids_that_were_not_named_leave_no_row_out_and_repeated_ones_are_reported(read):
    log = read(("prediction", "id"), *stamped(*[("1", "7"), ("0", "7"), ("1", "8")]))
    assert log.row_count == 3
    assert "id: 1 of the first 3 ids repeat; --id id counts each once" in log.notes


def test_labels_that_join_no_row_are_reported_with_an_id_of_each_side(written, engine):
    path = written([("2025-01-01", "1", "007"), ("2025-01-01", "0", "008")], header=("timestamp", "prediction", "id"))
    labels = written([("7", "1"), ("8", "0")], "late.csv", ("id", "label"))
    log = resolve(LogSpec(sources=(str(path),), id="id", labels=str(labels)), engine)
    assert f"no row has a label in {labels}: the log has ids such as 007, {labels} such as 7" in log.notes[-1]


def test_a_file_of_labels_without_such_a_column_is_refused_with_those_it_has(written, engine):
    path = written([("2025-01-01", "1", "7")], header=("timestamp", "prediction", "id"))
    labels = written([("7", "1")], "late.csv", ("id", "churned"))
    with pytest.raises(SourceError, match="give --label; it has churned"):
        resolve(LogSpec(sources=(str(path),), id="id", labels=str(labels)), engine)


@pytest.mark.parametrize(
    ("key", "header", "role", "expected"),
    [
        pytest.param("label=1", "timestamp,y_true,prediction", "label", "y_true", id="label, by its name"),
        pytest.param("label=1", "timestamp,churned,churn_score", "label", "churned", id="label, by the score"),
        pytest.param("prediction=1", "timestamp,label,yhat", "prediction", "yhat", id="prediction"),
        pytest.param("score=1", "timestamp,label,proba", "scores", {"1": "proba"}, id="score"),
        pytest.param("date=2020-01-01", "ts,label,prediction", "timestamp", "ts", id="time"),
        pytest.param("model=a", "timestamp,label,prediction,model_id", "model", "model_id", id="model"),
        pytest.param("date=2020-01-01", "label,prediction", "timestamp", "date", id="no logged time"),
    ],
)
def test_the_key_of_a_folder_has_a_role_only_where_no_logged_column_has_it(
    tmp_path, engine, key, header, role, expected
):
    row = ",".join({"timestamp": "2025-01-01", "ts": "2025-01-01"}.get(name, "{0}") for name in header.split(","))
    (tmp_path / key).mkdir()
    rows = "\n".join(row.format(value) for value in ("0", "1"))
    if "score" in header or "proba" in header:
        rows += "\n" + row.format(1)[:-1] + "0.7"
    (tmp_path / key / "part.csv").write_text(f"{header}\n{rows}\n")
    log = resolve(LogSpec(sources=(str(tmp_path),)), engine)
    assert getattr(log, role) == expected


def test_a_file_beside_folders_of_models_is_refused(tmp_path, engine):
    (tmp_path / "model=a").mkdir()
    for name in ("model=a/part.csv", "part.csv"):
        (tmp_path / name).write_text("timestamp,label,prediction\n2025-01-01,1,1\n2025-01-01,0,1\n")
    with pytest.raises(SourceError, match=r"/part\.csv is not in folders named .* \(model=\.\.\.\): move it"):
        resolve(LogSpec(sources=(str(tmp_path),)), engine)
