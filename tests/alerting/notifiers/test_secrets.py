"""What is cut out of a text that a server, a proxy or a program has answered."""

from urllib.parse import quote

import pytest

from modeltop.alerting.notifiers.secrets import redact

ADDRESS = "https://ann:pa%24%24word@hooks.example/hooks/T0AAAA?key=a<b>c&d"


@pytest.mark.parametrize(
    "quoted",
    [
        pytest.param(ADDRESS, id="the address itself"),
        pytest.param("T0AAAA", id="a part of six characters"),
        pytest.param("pa%24%24word", id="a password as it is written"),
        pytest.param("pa$$word", id="a password as it is meant"),
        pytest.param("key=a&lt;b&gt;c&amp;d", id="escaped for HTML"),
        pytest.param(quote(ADDRESS.partition("://")[2], safe=""), id="quoted as a parameter"),
        pytest.param(quote(ADDRESS.partition("://")[2]), id="quoted as a path"),
    ],
)
def test_a_part_of_an_address_is_in_no_answer_however_it_is_quoted(quoted):
    assert redact(f"no {quoted} here", [ADDRESS]) == "no <secret> here"


def test_short_parts_of_an_address_are_words_and_stay():
    assert redact("no hooks for ann", [ADDRESS]) == "no hooks for ann"


def test_a_short_secret_that_is_no_address_is_redacted_whole():
    assert redact("wrong pin 1234", ["1234"]) == "wrong pin <secret>"
