"""The geometry of stairs, heat-maps and charts."""

import pytest

from c2m.web import drawing

TIERS = [(5, 4000), (50, 3400), (200, 2900), (500, 2600)]


def test_a_ladder_is_filled_up_to_the_pieces_pledged_chosen_and_expected() -> None:
    drawn = drawing.steps(TIERS, 162, mine=24, likely=236)
    assert [step.state for step in drawn] == ["past", "now", "next", "later"]
    assert [step.got for step in drawn] == [100.0, 74.7, 0.0, 0.0]
    assert [step.mine for step in drawn] == [0.0, 16.0, 0.0, 0.0]
    assert [step.likely for step in drawn] == [0.0, 9.3, 12.0, 0.0]


def test_below_the_first_tier_the_first_is_next_and_on_the_last_none_is() -> None:
    assert [step.state for step in drawing.steps(TIERS, 4)] == ["now", "next", "later", "later"]
    assert [step.state for step in drawing.steps(TIERS, 900)] == ["past", "past", "past", "now"]
    assert drawing.steps(TIERS, 900)[-1].got == 100.0


def test_the_small_stair_steps_down_with_the_price() -> None:
    boxes = drawing.stair(TIERS, 162)
    assert [box.y for box in boxes] == [0.0, 5.0, 10.0, 15.0]
    assert [box.height for box in boxes] == [24.0, 19.0, 14.0, 9.0]
    assert [box.fill for box in boxes] == [58.0, 43.3, 0.0, 0.0]


@pytest.mark.parametrize(("load", "level"), [(0, 0), (4.9, 0), (5, 1), (59, 3), (60, 4), (94, 5), (95, 6), (140, 6)])
def test_a_load_has_its_shade(load: float, level: int) -> None:
    assert drawing.heat_level(load) == level


def test_a_plot_places_values_between_its_margins() -> None:
    plot = drawing.Plot((0, 10), (0, 300))
    assert (plot.x(0), plot.x(10)) == (40.0, 512.0)
    assert (plot.y(0), plot.y(300)) == (172.0, 14.0)
    assert plot.line([(0, 0), (10, 300)]) == "M40.0 172.0 L512.0 14.0"
    assert plot.ticks() == [0, 100, 200, 300]
    assert drawing.Plot((0, 1), (0.0, 0.9)).ticks() == [0, 0.5]


def test_a_plot_of_one_value_does_not_divide_by_zero() -> None:
    plot = drawing.Plot((3, 3), (7, 7))
    assert plot.line([(3, 7)]) == "M40.0 172.0"
    assert plot.ticks() == [7]
