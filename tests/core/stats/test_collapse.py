"""What the values before a point show to be normal: level, season and deviation."""

import numpy as np
import pytest

from modeltop.core.stats.collapse import normal_of


def test_a_share_of_all_cases_so_far_may_have_a_miss():
    normal = normal_of(np.ones(30), np.full(30, 100.0), None, are_shares=True)
    share = 100.5 / 101  # as if half a case of each kind were among them
    assert normal.deviation == pytest.approx(np.sqrt(share * (1 - share) / 100))
    assert normal.chance == normal.deviation


def test_the_deviation_around_a_weekly_season_has_a_degree_of_freedom_less_for_each_weekday():
    days = np.arange(28)
    noise = np.random.default_rng(3).laplace(0, 0.01, 28) ** 3 * 1e3  # long tails, so that no other scale is larger
    values = 0.5 + 0.2 * (days % 7 < 2) + noise
    normal = normal_of(values, np.full(28, np.nan), days % 7, are_shares=False)
    assert normal.season is not None
    rest = -normal.drops(values, days % 7)
    assert normal.deviation == pytest.approx(np.sqrt(((rest - rest.mean()) ** 2).sum() / 21))
