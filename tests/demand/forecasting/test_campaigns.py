"""Chances of campaigns: a stated prior, what is learned from those that ended, and never more certain than that."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from c2m.demand.forecasting.campaigns import (
    FEWEST,
    NOTHING_LEARNED,
    PRIOR_PIECES,
    STAGES,
    Ended,
    Level,
    Past,
    Seen,
    Success,
    learn,
    moved_by,
    past_of,
    past_rows,
    state,
)
from c2m.demand.forecasting.measuring import base_rate_log_loss, log_loss

NO_PAST = Past()


def ended(count: int, seed: int = 2) -> Ended:
    """Campaigns whose size shows in their earlier ones and in their first days."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(4, 1, count))
    arrivals = rng.poisson(size[:, None] / 6 / STAGES, (count, STAGES)).astype(float)
    pieces = arrivals * 6
    past = [Past(3, float(np.log1p(each)), float(np.log1p(each)), 0.5, 2.0, 10.0) for each in size]
    before = np.zeros((count, 1))
    return Ended(
        np.concatenate([before, pieces.cumsum(axis=1)[:, :-1]], axis=1),
        np.concatenate([before, arrivals.cumsum(axis=1)[:, :-1]], axis=1),
        np.full(count, 500.0),
        rng.integers(0, 7, count).astype(float),
        np.zeros(count),
        past_rows(past),
        np.full(count, 50.0),
        pieces.sum(axis=1),
        date(2026, 1, 1),
        date(2026, 3, 1),
    )


def one(pieces: float, share: float, past: Past = NO_PAST) -> Seen:
    each = [np.array([x], float) for x in (pieces, pieces / 5, share, 500, 2, 0)]
    return Seen(*each, past_rows([past]))


def chance(model: Success, seen: Seen, target: float = 100) -> float:
    return float(state(model, seen, np.array([[target]])).chance[0, 0])


def test_without_ended_campaigns_the_prior_speaks_and_follows_the_pace() -> None:
    slow, fast = chance(NOTHING_LEARNED, one(5, 0.5)), chance(NOTHING_LEARNED, one(80, 0.5))
    assert 0.1 < chance(NOTHING_LEARNED, one(0, 0.0)) < 0.5
    assert slow < 0.05 < 0.9 < fast


def test_a_few_campaigns_teach_how_many_pieces_come_and_when_and_no_more() -> None:
    none = ended(0)
    assert learn(none) == NOTHING_LEARNED
    few = learn(ended(FEWEST - 1), targets=[100])
    assert (few.trained_on, few.stages) == (FEWEST - 1, ())
    assert learn(ended(FEWEST), targets=[100]).stages != ()
    assert Success.from_json(json.loads(json.dumps(few.as_json()))) == few


def test_where_campaigns_fill_at_their_end_more_is_expected_of_one_under_way() -> None:
    few = ended(10)
    late = replace(few, pieces=few.pieces / 4)  # three quarters of everything come in the last seventh
    half_way = one(60, 4 / STAGES)
    even, surge = (state(learn(each), half_way, np.array([[100.0]])) for each in (few, late))
    assert even.p50[0] < 130 < surge.p50[0]
    assert even.chance[0, 0] < surge.chance[0, 0]
    unsure = state(NOTHING_LEARNED, half_way, np.array([[100.0]]))
    assert unsure.p90[0] - unsure.p10[0] > even.p90[0] - even.p10[0]


def test_where_campaigns_came_to_several_times_their_least_target_so_does_the_next() -> None:
    few = ended(10)
    often = replace(few, final=np.full(10, 200.0), least=np.full(10, 50.0))
    level = learn(often).level
    assert level.pledges * PRIOR_PIECES == pytest.approx((10 * 4 + 3 * 0.6) / 13)  # the prior counts as three of 0.6
    assert level.shape > Level().shape
    rare = replace(often, final=np.full(10, 10.0))
    at_opening = [chance(learn(each), one(0, 0.0), 50) for each in (rare, often)]
    assert at_opening[0] < chance(NOTHING_LEARNED, one(0, 0.0), 50) < 0.9 < at_opening[1]


def test_what_was_learned_before_levels_were_reads_as_the_prior() -> None:
    kept = learn(ended(10)).as_json()
    del kept["level"]
    assert Success.from_json(kept).level == Level()


def test_every_stage_beats_the_base_rate_on_campaigns_it_has_not_seen() -> None:
    model, new = learn(ended(800), targets=[100]), ended(500, seed=9)
    came = (new.final >= 100).astype(float)
    losses = []
    for stage in range(STAGES):
        stated = state(model, new.at(stage), np.full((500, 1), 100.0))
        losses.append(log_loss(stated.chance[:, 0], came))
        inside = (new.final >= stated.p10) & (new.final <= stated.p90)
        assert inside.mean() > (0.75 if stage < 4 else 0.5)
    assert max(losses) < base_rate_log_loss(came)
    assert losses == sorted(losses, reverse=True)


def test_a_target_reached_is_certain_only_where_pledges_stand() -> None:
    seen = one(120, 0.4)
    assert chance(NOTHING_LEARNED, seen) == 1.0
    assert state(NOTHING_LEARNED, seen, np.array([[100.0]]), certain=False).chance[0, 0] < 1


def test_more_pieces_are_never_likelier() -> None:
    model = learn(ended(200), targets=[100])
    targets = np.array([[50.0, 100, 200, 1000, 100_000]])
    for share in (0.0, 0.3, 0.9):
        chances = state(model, one(20, share), targets).chance[0]
        assert (np.diff(chances) <= 0).all()
        assert (chances > 0).all()


def test_what_was_never_seen_is_taken_for_the_nearest_that_was() -> None:
    model = learn(ended(200), targets=[100])
    far = Past(500, 30.0, 40.0, 9.0, 20.0, 1e6)
    stated = state(model, one(20, 0.3, far), np.array([[100.0, 1e9]]))
    assert np.isfinite(stated.p90).all()
    assert stated.chance[0, 1] < 0.01


def test_what_is_learned_survives_as_json() -> None:
    model = learn(ended(100), targets=[100])
    assert Success.from_json(json.loads(json.dumps(model.as_json()))) == model
    assert Success.from_json(NOTHING_LEARNED.as_json()) == NOTHING_LEARNED


def test_later_campaigns_count_for_more_in_the_past() -> None:
    assert past_of([10, 1000], [1, 9], 5).mean_log > past_of([1000, 10], [9, 1], 5).mean_log
    assert past_of([], [], 5) == Past()


def test_a_chance_is_explained_by_pace_and_past() -> None:
    moved = moved_by(learn(ended(300), targets=[100]), one(90, 0.4), np.array([[100.0]]))
    assert set(moved) == {"pace", "past"}
    assert moved["pace"][0] > max(moved["past"][0], 0.2)
