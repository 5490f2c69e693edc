"""Names of few models as small numbers, which an engine groups by faster than by text.

DuckDB keeps groups in a plain array, without hashing, where all that it groups by is whole numbers whose least and
largest value it knows beforehand; with text among them it never does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from monitor.logs import rows as ours
from monitor.logs.engine import Engine, Expression, fetch

if TYPE_CHECKING:
    from numpy.typing import NDArray


def few(table: Expression, engine: Engine) -> tuple[str, ...]:
    """The names of the models in their order; none where the engine has no use for them, or they are too many."""
    if not engine.codes:
        return ()
    found = fetch(engine, table.select(ours.MODEL).distinct().limit(engine.codes + 3))
    names = {name for name in found[ours.MODEL].to_pylist() if name} if found.num_rows else set()
    return tuple(sorted(names)) if len(names) <= engine.codes else ()


def code(model: Expression, names: tuple[str, ...]) -> Expression:
    """The place of the name, from 1 on; 0 or missing where it is none of them."""
    import ibis

    signature = (("array<string>", "string"), "int32")
    place = ibis.udf.scalar.builtin(_of_engine, name="list_position", signature=signature)
    # The remainder changes nothing: it tells the engine how large the number can get.
    return place(ibis.array(list(names)), model).cast("uint8") % (len(names) + 1)


def named(codes: NDArray[Any], names: tuple[str, ...]) -> NDArray[np.object_]:
    """The names back; None where there was none.

    >>> named(np.array([2, 0, 1, -1]), ("a", "b")).tolist()
    ['b', None, 'a', None]
    """
    words = np.array([None, *names, None], dtype=object)
    found: NDArray[np.object_] = words[codes]
    return found


def _of_engine(_: list[str], __: str) -> int:
    """Stands for a function that the engine has."""
    raise NotImplementedError
