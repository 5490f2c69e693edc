"""The two ways in which the name of a metric is built on another: a cut and an average."""

from __future__ import annotations

import re

_CUT = re.compile(r"(?P<base>.+?)_?(?:@|_at_)_?(?P<k>\d+)|top_?(?P<top>\d+)_(?P<of>.+)")
_AVERAGE = re.compile(r"(?P<base>.+)_(?P<last>macro|micro|weighted)|(?P<first>macro|micro|weighted)_(?P<of>.+)")


def split(folded: str) -> tuple[str, str] | None:
    """A folded name taken apart into what it is built on and how; None if it is not built on anything.

    Built on: the first k of a ranking (`at_10`), or an average over classes (`macro`, `micro`, `weighted`).

    >>> split("ndcg@10"), split("top_5_accuracy"), split("macro_f1"), split("accuracy")
    (('ndcg', 'at_10'), ('accuracy', 'at_5'), ('f1', 'macro'), None)
    """
    if found := _CUT.fullmatch(folded):
        return found["base"] or found["of"], f"at_{int(found['k'] or found['top'])}"
    if found := _AVERAGE.fullmatch(folded):
        return found["base"] or found["of"], found["last"] or found["first"]
    return None
