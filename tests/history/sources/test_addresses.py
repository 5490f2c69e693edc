"""Addresses with parameters, as a person types them."""

import pytest

from modeltop.core.errors import SourceError
from modeltop.history.sources.addresses import single, split_address

NAMES = ("query", "step")


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("a + b", "a + b"),
        ("a{x=~%22y&z%22}", 'a{x=~"y&z"}'),
        ("a%2Bb", "a+b"),
        ("sum(a) % 2", "sum(a) % 2"),
        ("a == 1 # why?", "a == 1 # why?"),
    ],
)
def test_a_query_needs_no_escapes_beyond_those_of_the_shell(typed, query):
    url, parameters = split_address(f"prometheus:http://u:p@h:1/x?query={typed}&step=1h", NAMES)
    assert (url, parameters["query"], parameters["step"]) == ("http://u:p@h:1/x", [query], ["1h"])


def test_a_parameter_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(SourceError, match="unknown parameter `qery`: use query= and step="):
        split_address("prometheus:http://h:1?qery=up", NAMES)


def test_a_parameter_given_twice_is_refused_where_one_is_meant():
    _, parameters = split_address("prometheus:http://h:1?query=a&query=b", NAMES)
    with pytest.raises(SourceError, match="query= is given 2 times"):
        single(parameters, "query")
