"""How many cells may be unlike the others of a column before the column itself is in doubt."""

MIN_CELLS = 5
"""Among fewer cells there is no rule, and so no slip."""
_SHARE = 20


def is_within_tolerance(odd: int, cells: int) -> bool:
    """Return whether so few cells are unlike the rest of a column that they are slips."""
    return odd <= max(cells // _SHARE, cells >= MIN_CELLS)
