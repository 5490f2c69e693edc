"""The words of a filter: parts of a name, `new`, `status:crit`, `recall<0.8`; `!` excludes what a word matches."""

from __future__ import annotations

import re

COMPARISON = re.compile(r"(?P<metric>\w*)(?P<sign>[<>])(?P<value>-?\d*\.?\d+)")
"""A word such as `<0.9` or `recall<0.8`."""
STATUS = "status:"
"""What stands before the first letters of a state."""
NEW = "new"
"""The word for models whose state the user has not yet seen."""
_WORD = re.compile(r'(?:"[^"]*"?|[^\s"])+')


def filter_words(text: str) -> list[tuple[str, bool]]:
    """Return the words of a filter in lower case, each with whether it excludes.

    >>> filter_words('fraud !status:ok status:"no data"')
    [('fraud', False), ('status:ok', True), ('status:no data', False)]
    """
    found = (word.replace('"', "") for word in _WORD.findall(text.casefold()))
    words = [(word.removeprefix("!"), word.startswith("!")) for word in found]
    return [(word, excludes) for word, excludes in words if word]
