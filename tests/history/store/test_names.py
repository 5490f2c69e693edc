"""File names tell a person which model it is, and nothing else of what the name says."""

import re

from modeltop.history.store.paths import file_prefix, parse_part_name, part_name


def test_a_hostile_name_gives_a_plain_file_name(hostile):
    name = part_name(file_prefix(hostile), 1)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}-[0-9a-f]{8}\.csv", name)
    assert parse_part_name(name) == (file_prefix(hostile), 1)


def test_names_that_differ_by_case_alone_differ_where_the_file_system_ignores_case():
    assert file_prefix("Churn").lower() != file_prefix("churn").lower()


def test_names_of_one_slug_are_told_apart_by_the_hash():
    assert len({file_prefix(name) for name in ("a b", "a-b", "a/b", "a\\b", "A B", "a  b")}) == 6


def test_a_name_without_letters_and_an_unwritable_one_still_have_a_file_name():
    assert file_prefix("").startswith("model-")
    assert file_prefix("\ud800").startswith("model-")


def test_parts_are_counted_from_one_and_nothing_else_is_a_part():
    assert [parse_part_name(part_name("churn-0123abcd", n)) for n in (1, 2, 10)] == [
        ("churn-0123abcd", n) for n in (1, 2, 10)
    ]
    strangers = ["churn.csv", "churn-0123abcd.1.csv", "churn-0123abcd.02.csv", "churn-0123abcd.computed.csv", ".lock"]
    assert [parse_part_name(name) for name in strangers] == [None] * 5
