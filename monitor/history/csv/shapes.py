"""Shapes of cells: what no single digit decides is true of all cells of one shape, or of none."""

from __future__ import annotations

from collections.abc import Sequence

_DIGITS = str.maketrans("0123456789\0", "11111111110")
_DIGITS_AND_ZEROS = str.maketrans("123456789\0", "1111111110")


def shapes_of(cells: Sequence[str], *, keeps_zeros: bool = False) -> list[str]:
    """Return per cell its text with 1 for each digit but a zero at its start.

    Args:
        cells: Without blanks around them.
        keeps_zeros: Keep all zeros, and cells with an exponent as they are.

    >>> shapes_of(["0.95", "-12.3 %", "1.020"]), shapes_of(["1.020"], keeps_zeros=True)
    (['0.11', '-11.1 %', '1.111'], ['1.010'])
    """
    text = "\n" + "\n".join(cells)
    if keeps_zeros and "e" in text.lower():
        return list(cells)
    for start in ("\n", "\n-", "\n+"):
        text = text.replace(f"{start}0", f"{start}\0")
    shapes = text[1:].translate(_DIGITS_AND_ZEROS if keeps_zeros else _DIGITS).split("\n")
    return shapes if len(shapes) == len(cells) else list(cells)  # a quoted cell may have lines
