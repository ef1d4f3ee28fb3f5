"""What is stated of open campaigns is written down daily, learned from those that ended, and scored at the close."""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from c2m.audit.cli import report_predictions
from c2m.demand.foretelling import learn_success, newest_model, record_learned, state_chances
from c2m.demand.models import Pledge, Prediction, SuccessModel
from c2m.demand.predictions import outlook_of, outlooks, reliability, scores
from tests.demand.market import WEEK, Market

DAY = timedelta(days=1)


def stated(market: Market) -> list[Prediction]:
    with market.database.reading() as session:
        return list(session.exec(select(Prediction).order_by(col(Prediction.made_at), col(Prediction.target))))


def state(market: Market) -> None:
    with market.database.transaction() as session:
        state_chances(session, [], market.now)


def learn(market: Market) -> int | None:
    with market.database.transaction() as session:
        record_learned(session, learn_success(session, [], market.now), market.now)
        kept = newest_model(session)
        return kept.trained_on if kept else None


def campaigns_end(market: Market) -> None:
    """Six campaigns of a week, some of which fill up in their last days."""
    ids = [market.campaign(minimum=50) for _ in range(6)]
    for campaign, pieces in zip(ids, (5, 30, 60, 40, 20, 90), strict=True):
        market.join_and_pay(campaign, pieces)
    market.pass_time(timedelta(days=6, hours=22))
    for campaign in ids[::2]:
        market.join_and_pay(campaign, 70)
    market.pass_time(timedelta(hours=2))


def test_each_day_every_target_of_an_open_campaign_is_stated_once(market: Market) -> None:
    campaign = market.campaign(minimum=50)
    market.now += DAY
    state(market)
    state(market)
    rows = stated(market)
    assert [(row.campaign_id, row.target, row.elapsed_days, row.is_minimum) for row in rows] == [
        (campaign, 50, 1, True),
        (campaign, 200, 1, False),
    ]
    assert 0 < rows[1].probability < rows[0].probability < 1
    assert rows[0].version == 0


def test_more_pledges_make_the_minimum_likelier(market: Market) -> None:
    campaign = market.campaign(minimum=50)
    market.now += DAY
    state(market)
    market.join_and_pay(campaign, 40)
    market.now += DAY
    state(market)
    before, after = (row.probability for row in stated(market) if row.is_minimum)
    assert after > before + 0.2


def test_what_was_stated_is_scored_at_the_close(market: Market) -> None:
    campaign = market.campaign(minimum=50)
    market.join_and_pay(campaign, 60)
    market.now += DAY
    state(market)
    market.pass_time(WEEK)
    minimum, tier = (row for row in stated(market) if row.elapsed_days == 1)
    assert (minimum.outcome, tier.outcome) == (60, 60)
    assert minimum.score == pytest.approx((1 - minimum.probability) ** 2)
    assert tier.score == pytest.approx(tier.probability**2)
    with market.database.reading() as session:
        assert sum(tenth.count for tenth in reliability(session).values()) == len(stated(market))
        assert {row.kind for row in scores(session)} == {"group_buy"}


def test_the_audit_prints_the_scores_whole_or_says_that_there_are_none(
    market: Market, capsys: pytest.CaptureFixture[str]
) -> None:
    report_predictions(market.database, as_json=False)
    assert (
        capsys.readouterr().out == "No prediction has been put to the test yet: none of a campaign that has closed.\n"
    )
    campaigns_end(market)
    report_predictions(market.database, as_json=False)
    table = capsys.readouterr().out
    assert "predictions" in table
    assert "group_buy │ 1 of 3" in table
    report_predictions(market.database, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert {row["kind"] for row in found["scores"]} == {"group_buy"}
    assert sum(tenth["count"] for tenth in found["reliability"]) == sum(row["predictions"] for row in found["scores"])


def test_nothing_is_learned_before_a_campaign_has_ended(market: Market) -> None:
    assert learn(market) is None
    market.campaign()
    market.pass_time(WEEK)
    assert learn(market) == 1


def test_what_ends_later_teaches_nothing_now(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c2m.demand.forecasting.campaigns.FEWEST", 6)
    campaigns_end(market)
    at = market.now
    late = market.campaign(minimum=50)
    market.join_and_pay(late, 90)
    market.pass_time(WEEK)
    assert market.now > at
    with market.database.transaction() as session:
        session.execute(sa.delete(SuccessModel))  # what the weekly job learned meanwhile
        (then,) = learn_success(session, [], at)
        (later,) = learn_success(session, [], market.now)
    assert (then.trained_on, later.trained_on) == (6, 7)
    with market.database.transaction() as session:
        poisoned = session.exec(select(Pledge).where(Pledge.campaign_id == late)).one()
        poisoned.quantity = 100_000
        session.flush()
        assert learn_success(session, [], at) == [then]
        assert learn_success(session, [], market.now) != [later]


def test_an_outlook_says_on_what_it_rests(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("c2m.demand.forecasting.campaigns.FEWEST", 6)
    campaigns_end(market)
    assert learn(market) == 6
    assert learn(market) == 6
    campaign = market.campaign(minimum=50)
    market.now += DAY
    state(market)
    with market.database.reading() as session:
        found = outlook_of(session, campaign)
        assert found is not None
        assert (found.target, found.trained_on, found.made_at) == (50, 6, market.now)
        assert found.p10 <= found.p50 <= found.p90
        assert found.moved_by in ("pace", "past")
        assert outlooks(session, []) == {}


def test_a_campaign_is_foretold_as_soon_as_it_opens(market: Market) -> None:
    campaign = market.campaign(minimum=50)
    market.pass_time(timedelta(minutes=1))
    assert [(row.campaign_id, row.target, row.elapsed_days) for row in stated(market)] == [
        (campaign, 50, 0),
        (campaign, 200, 0),
    ]
