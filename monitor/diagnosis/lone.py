"""Is it one segment's alone?"""

from __future__ import annotations

from monitor.diagnosis.facts import Facts
from monitor.diagnosis.segments import Cut
from monitor.findings import Contribution

MOST = 0.6
"""Share of the fall from which it is one segment's."""
RATHER = 1.3
"""Times its share of the cases that it must make of the fall."""
ALIKE = 0.3
"""Of its fall: another that fell by as much fell as well."""


def lone(facts: Facts, cut: Cut) -> Contribution | None:
    """The segment that makes most of the fall, far more than its share, while no other fell."""
    first = cut.parts[0]
    whole = sum(one.total for one in cut.parts)
    own = cut.readings.get(first.segment)
    if not whole or own is None or not own.moved or facts.loss(own) <= 0:
        return None
    alike = [
        found
        for name, found in cut.readings.items()
        if name != first.segment and found.moved and facts.loss(found) > ALIKE * facts.loss(own)
    ]
    share = first.total / whole
    return None if alike or share < MOST or share < RATHER * first.share[1] else first


def lonely(facts: Facts) -> tuple[Cut, Contribution] | None:
    """The segment of any cut that makes the largest part; None where no segment fell alone."""
    found = [(cut, part) for cut in facts.cuts if (part := lone(facts, cut)) is not None]
    return max(found, key=lambda one: abs(one[1].total)) if found else None
