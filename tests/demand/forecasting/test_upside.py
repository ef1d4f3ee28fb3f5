"""The further demand of one product: from its own weeks by the method that erred least, else from products like it."""

import numpy as np
import pytest

from c2m.demand.forecasting.upside import POOLED, SHOWN, further_demand

ALIKE = (40.0, 60.0, 80.0, 100.0, 120.0)


def test_a_level_product_goes_on_as_it_sold() -> None:
    found = further_demand([50] * 12, 4, [])
    assert found is not None
    assert found.p50 == pytest.approx(200)
    assert (found.method, found.error, found.origins) == ("naive", 0.0, 5)
    assert 200 < found.p90 < 230
    assert [round(week) for week, _high in found.by_week] == [50, 50, 50, 50]


def test_what_jumped_is_forecast_by_the_method_that_followed_the_jump() -> None:
    found = further_demand([10] * 8 + [40] * 12, 2, [])
    assert found is not None
    by_name = {tried.name: tried for tried in found.beside}
    assert by_name["naive"].error == pytest.approx(3 / 31)
    assert found.method == "naive"
    assert found.p50 == 80


def test_the_plain_methods_always_stand_beside_with_their_errors() -> None:
    found = further_demand([9, 14, 0, 11, 20, 7, 13, 10, 12, 16], 4, ALIKE)
    assert found is not None
    assert tuple(tried.name for tried in found.beside) == SHOWN
    assert all(tried.error is not None and tried.pieces > 0 for tried in found.beside)
    assert found.error is not None


def test_a_young_product_is_one_of_its_kind_and_the_less_so_the_more_weeks_it_has() -> None:
    said = [further_demand([10] * weeks, 4, ALIKE) for weeks in (0, 1, 4, 7)]
    assert all(each is not None and each.method == POOLED and each.error is None for each in said)
    middles = [each.p50 for each in said if each]
    assert middles == sorted(middles, reverse=True)
    assert 250 < middles[0] < 400
    assert 40 <= middles[-1] < 90


def test_without_weeks_and_without_five_products_like_it_nothing_is_said() -> None:
    assert further_demand([], 4, ALIKE[:4]) is None
    assert further_demand([12, 9], 4, ALIKE[:4]) is None


def test_nine_of_ten_sums_lie_below_the_p90() -> None:
    rng = np.random.default_rng(5)
    below = 0
    for _ in range(200):
        rate = rng.uniform(5, 60)
        weeks = rng.poisson(rng.gamma(6, rate / 6, 16))
        found = further_demand(weeks[:12].tolist(), 4, [])
        assert found is not None
        below += weeks[12:].sum() <= found.p90
    assert 0.84 <= below / 200 <= 0.98
