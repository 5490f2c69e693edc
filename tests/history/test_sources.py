"""An address of a service becomes history: fetched once a minute, and kept when the service cannot be reached."""

import pytest

from modeltop.core.errors import SourceError
from modeltop.history import sources
from modeltop.history.sources import POLL_SECONDS

ADDRESS = "fake:sqlite:///x.db?experiment=churn"


@pytest.fixture
def service(monkeypatch):
    """A service whose answer a test sets, with a list of the addresses that were fetched."""

    class Service:
        answer: bytes | str = b"date,model,accuracy\n2025-01-01,churn,0.9\n"

        def __init__(self):
            self.fetched = []

        def to_csv(self, address):
            self.fetched.append(address)
            if isinstance(self.answer, str):
                raise SourceError(self.answer)
            return self.answer

    made = Service()
    monkeypatch.setattr(sources, "SERVICES", {"fake": "tests.fake"})
    monkeypatch.setattr(sources, "import_module", lambda name: {"tests.fake": made}[name])
    return made


def test_an_address_is_read_as_a_csv_file_is(history_folder, service):
    history = history_folder.reader(ADDRESS).read()
    assert (history.problems, list(history.periods)) == ((), ["churn"])
    assert service.fetched == [ADDRESS]
    assert [file.source for file in history.files] == [ADDRESS]


def test_files_and_addresses_are_one_history_in_the_order_given(history_folder, service):
    file = history_folder.write("date,model,accuracy\n2025-01-01,churn,0.1\n2025-01-02,churn,0.2\n")
    (series,) = history_folder.reader(file, ADDRESS).read().series.values()
    assert list(series.values) == [0.9, 0.2]


def test_it_is_fetched_again_once_the_interval_is_over(history_folder, service):
    reader = history_folder.reader(ADDRESS)
    first = reader.read()
    history_folder.now += POLL_SECONDS - 1
    assert not reader.has_changed()
    assert reader.read() is first
    history_folder.now += 1
    service.answer += b"2025-01-02,churn,0.8\n"
    assert reader.has_changed()
    assert len(reader.read().periods["churn"]) == 2
    assert len(service.fetched) == 2


def test_the_same_answer_is_the_same_history(history_folder, service):
    reader = history_folder.reader(ADDRESS)
    first = reader.read()
    history_folder.now += POLL_SECONDS
    assert reader.read() is first


def test_a_reload_fetches_at_once(history_folder, service):
    reader = history_folder.reader(ADDRESS)
    reader.read()
    reader.mark_stale()
    reader.read()
    assert len(service.fetched) == 2


def test_a_failed_fetch_keeps_what_was_read_with_a_problem_and_heals(history_folder, service):
    reader, answer = history_folder.reader(ADDRESS), service.answer
    reader.read()
    service.answer = "the server does not answer: check the address"
    history_folder.now += POLL_SECONDS
    history = reader.read()
    (problem,) = history.problems
    assert problem.message == "the server does not answer: check the address; what was read before is shown"
    assert problem.fatal
    assert list(history.periods) == ["churn"]
    service.answer = answer
    history = reader.read()
    assert (history.problems, list(history.periods)) == ((), ["churn"])


def test_a_service_that_stays_away_is_asked_three_times_and_then_once_an_interval(history_folder, service):
    service.answer = "the server does not answer: check the address"
    reader = history_folder.reader(ADDRESS)
    for _ in range(10):
        assert reader.read().problems[0].fatal
    assert len(service.fetched) == 3
    history_folder.now += POLL_SECONDS
    reader.read()
    assert len(service.fetched) == 4


def test_a_clock_that_was_set_back_does_not_stop_the_polling(history_folder, service):
    reader = history_folder.reader(ADDRESS)
    reader.read()
    history_folder.now -= 86_400
    assert reader.has_changed()


def test_columns_are_looked_at_as_a_whole_without_a_second_fetch(history_folder, service):
    service.answer = b"date,accuracy,accuracy\n" + b"".join(b"2025-01-%02d,0.9,0.8\n" % day for day in range(1, 20)) * 2
    history_folder.reader(ADDRESS).read()
    assert len(service.fetched) == 1


def test_a_table_without_models_is_named_after_the_service(history_folder, service):
    service.answer = b"date,accuracy\n2025-01-01,0.9\n"
    assert list(history_folder.reader(ADDRESS).read().periods) == ["fake"]


def test_a_file_of_that_name_is_a_file(history_folder, service, monkeypatch):
    monkeypatch.chdir(history_folder.folder)
    history_folder.write("date,accuracy\n2025-01-01,0.9\n", "fake:m.csv")
    assert list(history_folder.reader("fake:m.csv").read().periods) == ["fake:m"]
    assert service.fetched == []
