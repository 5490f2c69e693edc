"""Files packed by gzip are read as if they were not packed."""

import gzip

import pytest

ROWS = "".join(f"2025-01-{day:02},0.9{day:02}\n" for day in range(1, 10))
HISTORY = f"date,accuracy\n{ROWS}".encode()


def problem(history):
    (only,) = history.problems
    assert only.fatal
    return only.message


@pytest.mark.parametrize("name", ["churn.csv.gz", "churn.CSV.GZ"])
def test_a_packed_file_of_a_folder_is_read_and_named_after_its_stem(history_folder, values_of, name):
    expected = values_of(history_folder.reader(history_folder.write(HISTORY, "plain/churn.csv")).read())
    history_folder.write(gzip.compress(HISTORY), name)
    history = history_folder.reader().read()
    assert history.problems == ()
    assert list(history.periods) == ["churn"]
    assert values_of(history) == expected


@pytest.mark.parametrize(
    "text",
    [HISTORY[:-1], HISTORY.decode().encode("utf-16"), b"\xef\xbb\xbf" + HISTORY, HISTORY.replace(b"\n", b"\r\n")],
    ids=["no last line end", "UTF-16", "BOM", "CRLF"],
)
def test_encoding_and_line_ends_are_detected_in_it(history_folder, text):
    history = history_folder.reader(history_folder.write(gzip.compress(text), "m.csv.gz")).read()
    assert history.problems == ()
    assert len(history.periods["m"]) == 9


def test_several_members_in_a_row_are_one_file_and_padding_is_none(history_folder):
    data = gzip.compress(HISTORY[:40]) + gzip.compress(HISTORY[40:]) + bytes(512)
    history = history_folder.reader(history_folder.write(data, "m.csv.gz")).read()
    assert (history.problems, len(history.periods["m"])) == ((), 9)


def test_two_formats_of_one_stem_in_one_folder_are_one_model(history_folder):
    history_folder.write(HISTORY, "churn.csv")
    history_folder.write(gzip.compress(b"date,f1_score\n2025-01-01,0.5\n"), "churn.csv.gz")
    history = history_folder.reader().read()
    assert {(key.model, key.metric) for key in history.series} == {("churn", "accuracy"), ("churn", "f1_score")}


def test_it_is_followed_and_a_half_written_file_leaves_what_was_read(history_folder):
    path = history_folder.write(gzip.compress(HISTORY), "m.csv.gz")
    reader = history_folder.reader()
    assert len(reader.read().periods["m"]) == 9
    longer = gzip.compress(HISTORY + b"2025-01-10,0.5\n")
    history_folder.write(longer[:-9], path.name, age=10)
    history = reader.read()
    assert problem(history) == "this gzip file is cut off: copy or write it again; what was read before is shown"
    assert len(history.periods["m"]) == 9
    history_folder.write(longer, path.name, age=5)
    assert reader.has_changed()
    history = reader.read()
    assert (history.problems, len(history.periods["m"])) == ((), 10)


def test_what_did_not_change_is_not_unpacked_again(history_folder, monkeypatch):
    path = history_folder.write(gzip.compress(HISTORY), "m.csv.gz")
    reader = history_folder.reader()
    before = reader.read()
    monkeypatch.setattr("modeltop.history.sources.gzipped.to_csv", lambda *_: pytest.fail("unpacked again"))
    history_folder.touch(path, 5)
    history_folder.now += 100
    assert reader.read() is before


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (gzip.compress(HISTORY)[:40], "this gzip file is cut off: copy or write it again"),
        (gzip.compress(HISTORY)[:-1], "this gzip file is cut off: copy or write it again"),
        (gzip.compress(HISTORY)[:20] + bytes(80), "this gzip file is damaged: copy or write it again"),
        (gzip.compress(gzip.compress(HISTORY)), "this file is packed twice by gzip: unpack it once with `gunzip`"),
        (gzip.compress(b""), "the file is empty: write a header and a first row"),
        (b"\x1f\x8b", "this gzip file is cut off: copy or write it again"),
    ],
    ids=["half", "without its last byte", "overwritten", "twice", "empty", "only its first bytes"],
)
def test_a_file_that_cannot_be_unpacked_is_one_line_with_the_remedy(history_folder, data, message):
    assert problem(history_folder.reader(history_folder.write(data, "m.csv.gz")).read()) == message


def test_a_prediction_log_in_one_is_called_so_however_large_it_is(history_folder, monkeypatch):
    log = b"timestamp,y_true,y_pred\n" + b"".join(b"2025-01-01 00:00:%02d,1,0\n" % (n % 60) for n in range(9000))
    path = history_folder.write(gzip.compress(log), "p.csv.gz")
    assert "run `modeltop compute" in problem(history_folder.reader(path).read())
    monkeypatch.setattr("modeltop.history.sources.gzipped.MAX_BYTES", 1000)
    assert "run `modeltop compute" in problem(history_folder.reader(path).read())


def test_a_file_that_unpacks_to_more_than_the_limit_is_refused_without_unpacking_it_all(history_folder, monkeypatch):
    monkeypatch.setattr("modeltop.history.sources.gzipped.MAX_BYTES", 2**20)
    history_folder.write(gzip.compress(bytes(2**26)), "bomb.csv.gz")
    assert problem(history_folder.reader().read()) == (
        "unpacked, this gzip file has more than 1 MB: split it, or aggregate it by period"
    )
