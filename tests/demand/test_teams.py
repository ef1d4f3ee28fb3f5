"""Teams: led by who takes part, joined by a link, and the leader's commission to the cent."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import Session, col, select

from c2m.db import Database, uuid7
from c2m.demand.campaigns import CampaignNotOpen
from c2m.demand.fulfilment import release_units
from c2m.demand.joining import place_pledge
from c2m.demand.models import Campaign, Commission, DemandSheet, Pledge, PledgeState, Team
from c2m.demand.pledge_requests import KeyReused, PledgeRequest, UnknownTeam
from c2m.demand.teams import (
    CannotLead,
    TeamNotFound,
    members_of,
    start_team,
    team_by_code,
    team_remembered,
    teams_in,
    view_of,
)
from c2m.identity.models import Role
from c2m.ledger.models import AccountKind, Direction, Entry, Transfer
from c2m.ledger.queries import balance
from c2m.ledger.rules import AccountRef
from c2m.notices.models import Notice, NoticeKind
from c2m.production.models import Settlement, WorkOrder
from c2m.production.settlement import settle_work_orders
from tests.builders import MORNING, an_organisation
from tests.demand.market import WEEK, Market
from tests.production.market import PROMISED, a_sold_campaign, an_order, deliver, make, pay_everything, ship

THREE_PERCENT = 30_000


def lead(market: Market, pledge_id: UUID, name: str = "Lane end") -> Team:
    with market.database.transaction() as session:
        return start_team(session, session.get_one(Pledge, pledge_id), name, now=market.now)


def a_team(market: Market, **fields: object) -> tuple[UUID, UUID, Team]:
    """A campaign with a commission of 3 %, a leader's pledge of 5 pieces, and the team."""
    campaign = market.campaign(commission_ppm=THREE_PERCENT, **fields)
    leader = market.buyer()
    pledge = market.join_and_pay(campaign, 5, buyer=leader)
    return campaign, leader, lead(market, pledge)


def join(market: Market, campaign: UUID, team: Team, quantity: int, **fields: object) -> UUID:
    variant = market.variant(campaign)
    request = {"buyer_id": market.buyer(), "idempotency_key": str(uuid7()), "team_id": team.id} | fields
    with market.database.transaction() as session:
        wanted = PledgeRequest(campaign_id=campaign, lines=((variant, quantity),), **request)  # type: ignore[arg-type]
        return place_pledge(session, wanted, now=market.now)


def told(market: Market, kind: NoticeKind) -> list[Notice]:
    with market.database.reading() as session:
        return list(session.exec(select(Notice).where(Notice.kind == kind).order_by(col(Notice.id))).all())


def test_a_team_keeps_the_commission_it_began_with(market: Market) -> None:
    campaign, leader, team = a_team(market)
    assert (team.campaign_id, team.leader_id, team.commission_ppm) == (campaign, leader, THREE_PERCENT)
    again = lead(market, market.join_and_pay(campaign, 1, buyer=leader), "Another name")
    assert (again.id, again.name) == (team.id, "Lane end")
    with market.database.reading() as session:
        assert team_by_code(session, team.code.lower()).id == team.id
        with pytest.raises(TeamNotFound):
            team_by_code(session, "NOSUCHTEAM")


def test_only_who_takes_part_in_an_open_campaign_leads(market: Market) -> None:
    campaign = market.campaign(commission_ppm=THREE_PERCENT)
    poor = market.buyer()
    market.provider.declined_organisations.add(str(poor))
    declined, paid = market.join_and_pay(campaign, 1, buyer=poor), market.join_and_pay(campaign, 1)
    with pytest.raises(CannotLead):
        lead(market, declined)
    market.now += WEEK
    with pytest.raises(CampaignNotOpen):
        lead(market, paid)
    with market.database.reading() as session:
        assert session.exec(select(Team)).all() == []


def test_members_count_for_their_team_and_the_leader_does_not(market: Market) -> None:
    campaign, leader, team = a_team(market)
    first, own = join(market, campaign, team, 7), join(market, campaign, team, 4, buyer_id=leader)
    join(market, campaign, team, 2)
    market.work()
    assert (market.pledge(first).team_id, market.pledge(own).team_id) == (team.id, None)
    with market.database.reading() as session:
        [found] = teams_in(session, campaign)
        assert found == view_of(session, team)
        assert (found.progress.buyers, found.progress.pieces, found.progress.earned_minor) == (2, 9, 0)
        assert [member.pieces for member in members_of(session, team.id)] == [2, 7]


def test_a_team_of_another_campaign_is_refused_and_nothing_changes(market: Market) -> None:
    _, _, team = a_team(market)
    other = market.campaign()
    with pytest.raises(UnknownTeam):
        join(market, other, team, 3)
    assert (market.get(other).pledged_quantity, market.pledges(other)) == (0, [])


def test_the_same_key_with_another_team_is_refused(market: Market) -> None:
    campaign, _, team = a_team(market)
    buyer, key = market.buyer(), "the same key"
    first = join(market, campaign, team, 3, buyer_id=buyer, idempotency_key=key)
    assert join(market, campaign, team, 3, buyer_id=buyer, idempotency_key=key) == first
    with pytest.raises(KeyReused):
        join(market, campaign, team, 3, buyer_id=buyer, idempotency_key=key, team_id=None)


def test_the_leader_is_told_of_members_who_paid(market: Market) -> None:
    campaign, leader, team = a_team(market)
    poor = market.buyer()
    market.provider.declined_organisations.add(str(poor))
    join(market, campaign, team, 3, buyer_id=poor)
    join(market, campaign, team, 4)
    market.work()
    [message] = told(market, NoticeKind.TEAM_JOINED)
    assert (message.organisation_id, message.subject_id) == (leader, campaign)
    assert message.facts == {"title": "Tee", "title_en": "", "team": "Lane end", "pieces": 4}


def test_of_several_links_that_of_this_campaign_counts(market: Market) -> None:
    campaign, _, first = a_team(market)
    second = lead(market, market.join_and_pay(campaign, 1), "Second")
    _, _, elsewhere = a_team(market)
    with market.database.reading() as session:
        remembered = team_remembered(session, campaign, [elsewhere.code, second.code, first.code])
        assert remembered is not None
        assert remembered.id == second.id
        assert team_remembered(session, campaign, [elsewhere.code, "x' OR 1=1"]) is None


def members(session: Session, campaign: Campaign, pledges: list[Pledge], *, ppm: int = THREE_PERCENT) -> Team:
    """All of these pledges come by one leader's link."""
    leader = an_organisation(session, Role.BUYER)
    team = Team(
        campaign_id=campaign.id, leader_id=leader.id, name="L", code="C0DE", commission_ppm=ppm, created_at=MORNING
    )
    session.add(team)
    session.flush()
    for pledge in pledges:
        pledge.team_id = team.id
        session.add(pledge)
    session.flush()
    return team


def owed(session: Session, kind: AccountKind, owner: UUID) -> int:
    return balance(session, AccountRef(kind, owner, "CNY"))


def test_a_commission_falls_due_with_a_members_last_piece_and_is_paid_out(database: Database) -> None:
    with database.transaction() as session:
        campaign, variant, [one, other], sheet = a_sold_campaign(session, [3, 4])
        team = members(session, campaign, [one])
        order = an_order(session, sheet, {variant: 7}, unit_price_minor=60_00)
        make(session, order, 7)
        deliver(session, ship(session, order, 2))
        assert session.exec(select(Commission)).all() == []
        deliver(session, ship(session, order))
        [earned] = session.exec(select(Commission)).all()
        assert (earned.pledge_id, earned.team_id, earned.amount_minor) == (one.id, team.id, 9_00)
        margin = 7 * 40_00
        assert owed(session, AccountKind.MERCHANDISER_PAYABLE, campaign.organisation_id) == margin - 9_00
        [entry] = session.exec(select(Entry).where(Entry.kind == "demand.commission")).all()
        assert entry.reference == f"commission:{one.id.hex}"
        [transfer] = session.exec(select(Transfer).where(Transfer.purpose == "demand.commission")).all()
        assert (transfer.direction, transfer.organisation_id) == (Direction.PAYOUT, team.leader_id)
        assert owed(session, AccountKind.BUYER_PAYABLE, team.leader_id) == 9_00
        pay_everything(session, now=PROMISED)
        assert owed(session, AccountKind.BUYER_PAYABLE, team.leader_id) == 0
        assert owed(session, AccountKind.OUTSIDE, team.leader_id) == 9_00
        [message] = session.exec(select(Notice).where(Notice.kind == NoticeKind.COMMISSION_EARNED)).all()
        assert (message.organisation_id, message.facts["amount_minor"]) == (team.leader_id, 9_00)
    assert other.team_id is None


def test_a_settlement_takes_commissions_off_the_margin_once(database: Database) -> None:
    with database.transaction() as session:
        campaign, variant, pledges, sheet = a_sold_campaign(session, [3, 4])
        members(session, campaign, pledges)
        first, second = (an_order(session, sheet, {variant: n}, unit_price_minor=60_00) for n in (3, 4))
        for order in (first, second):
            make(session, order, order.quantity)
            deliver(session, ship(session, order))
        assert settle_work_orders(session, [first.id, second.id], now=PROMISED) == [first.id, second.id]
        accounts = session.exec(select(Settlement).order_by(col(Settlement.work_order_id))).all()
        taken = [(a.margin_minor, a.commission_minor, a.margin_paid_minor) for a in accounts]
        assert taken == [(120_00, 21_00, 99_00), (160_00, 0, 160_00)]
        assert {c.taken_by_id for c in session.exec(select(Commission)).all()} == {first.id}
        pay_everything(session, now=PROMISED)
        assert owed(session, AccountKind.MERCHANDISER_PAYABLE, campaign.organisation_id) == 0


def test_a_commission_above_the_margin_is_carried_on(database: Database) -> None:
    with database.transaction() as session:
        campaign, variant, pledges, sheet = a_sold_campaign(session, [2, 5])
        members(session, campaign, pledges[:1], ppm=200_000)
        orders = [an_order(session, sheet, {variant: n}, unit_price_minor=95_00) for n in (2, 5)]
        for number, order in enumerate(orders):
            make(session, order, order.quantity)
            deliver(session, ship(session, order))
            settle_work_orders(session, [order.id], now=PROMISED + timedelta(days=number))
        accounts = session.exec(select(Settlement).order_by(col(Settlement.settled_at))).all()
        taken = [(a.margin_minor, a.commission_minor, a.margin_paid_minor) for a in accounts]
        assert taken == [(10_00, 40_00, 0), (25_00, 0, 0)]
        assert owed(session, AccountKind.MERCHANDISER_PAYABLE, campaign.organisation_id) == -5_00


def test_what_was_given_back_earns_nothing(database: Database) -> None:
    with database.transaction() as session:
        campaign, variant, [pledge, gone], sheet = a_sold_campaign(session, [5, 2])
        members(session, campaign, [pledge, gone])
        order = an_order(session, sheet, {variant: 3}, unit_price_minor=60_00)
        make(session, order, 3)
        deliver(session, ship(session, order))
        release_units(session, {(sheet.id, variant): 4}, now=PROMISED)
        [earned] = session.exec(select(Commission)).all()
        assert (earned.pledge_id, earned.amount_minor) == (pledge.id, 9_00)
    with database.reading() as session:
        states = [session.get_one(Pledge, p.id).state for p in (pledge, gone)]
        assert states == [PledgeState.FULFILLED, PledgeState.REFUNDED]
        assert session.get_one(DemandSheet, sheet.id).version == 2
        assert session.get_one(WorkOrder, order.id).margin_minor == 3 * 40_00


@pytest.mark.parametrize("ppm", [0, 1])
def test_no_commission_of_nothing(database: Database, ppm: int) -> None:
    with database.transaction() as session:
        campaign, variant, pledges, sheet = a_sold_campaign(session, [1])
        members(session, campaign, pledges, ppm=ppm)
        order = an_order(session, sheet, {variant: 1})
        make(session, order, 1)
        deliver(session, ship(session, order))
        assert session.exec(select(Commission)).all() == []
        assert session.exec(select(Entry).where(Entry.kind == "demand.commission")).all() == []
