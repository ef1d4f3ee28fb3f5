"""Whatever leaders, members, merchants and factories do: commissions are what members paid, and the money is right."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import select

from c2m.db import Database
from c2m.demand import jobs as demand_jobs
from c2m.demand import queries
from c2m.demand.completion import complete_campaign, missing_pieces
from c2m.demand.fulfilment import record_deliveries, release_units
from c2m.demand.joining import place_pledge
from c2m.demand.models import Campaign, Commission, Pledge, PledgeState, SheetPledge, SheetRelease, Team
from c2m.demand.pledge_requests import PledgeRequest
from c2m.demand.pledges import cancel_pledge
from c2m.demand.queries import GONE
from c2m.demand.rules import share_of_units
from c2m.demand.teams import start_team, view_of
from c2m.errors import Refusal
from c2m.jobs import Worker
from c2m.ledger import jobs as ledger_jobs
from c2m.ledger.models import AccountKind, HoldState, Side
from c2m.ledger.queries import holds_of
from c2m.ledger.rules import AccountRef, Leg
from c2m.ledger.service import Capture, capture
from c2m.money import share
from c2m.notices.models import Notice, NoticeKind
from tests.conftest import lives
from tests.demand.market import Market

MINIMUM = 40
SHARES = (0, 1, 33_333, 200_000)


def demand_alone(market: Market) -> Worker:
    """A worker that knows payments and demand, so that the machine itself says which pieces a factory makes."""
    handlers = {**ledger_jobs.handlers(market.provider), **demand_jobs.handlers()}
    return Worker(market.database, handlers, demand_jobs.SUBSCRIPTIONS, demand_jobs.SCHEDULES)


class TeamsAndLedger(RuleBasedStateMachine):
    """One market on the real tables, where teams form, merchants complete, and parcels arrive or never will."""

    database: Database
    campaigns: Bundle[Any] = Bundle("campaigns")
    buyers: Bundle[Any] = Bundle("buyers")
    pledges: Bundle[Any] = Bundle("pledges")
    teams: Bundle[Any] = Bundle("teams")

    def __init__(self) -> None:
        super().__init__()
        self.market = Market(self.database)
        self.market.worker = demand_alone(self.market)
        self.known: list[UUID] = []

    @initialize(target=pledges, ppm=st.sampled_from(SHARES), closed=st.booleans())
    def a_team_has_reached_the_minimum(self, ppm: int, closed: bool) -> Any:
        campaign = self.a_campaign_opens(ppm, 1)
        leader = self._join(campaign, self.market.buyer(), 20, None)
        self.market.work()
        members = [self._join(campaign, self.market.buyer(), n, self.somebody_begins_a_team(leader)) for n in (15, 8)]
        self.market.work()
        self.market.pass_time(timedelta(hours=25 if closed else 1))
        return multiple(leader, *members)

    @rule(target=buyers)
    def a_buyer_arrives(self) -> UUID:
        return self.market.buyer()

    @rule(target=campaigns, ppm=st.sampled_from(SHARES), days=st.integers(1, 4))
    def a_campaign_opens(self, ppm: int, days: int) -> UUID:
        deadline = self.market.now + timedelta(days=days)
        campaign = self.market.campaign(minimum=MINIMUM, per_buyer_limit=60, deadline=deadline, commission_ppm=ppm)
        self.known.append(campaign)
        return campaign

    @rule(target=pledges, campaign=campaigns, buyer=buyers, quantity=st.integers(1, 30))
    def a_buyer_joins(self, campaign: UUID, buyer: UUID, quantity: int) -> Any:
        return self._join(campaign, buyer, quantity, None)

    @rule(target=teams, pledge=pledges)
    def somebody_begins_a_team(self, pledge: UUID) -> Any:
        try:
            with self.market.database.transaction() as session:
                return start_team(session, session.get_one(Pledge, pledge), "Lane end", now=self.market.now).id
        except Refusal:
            return multiple()

    @rule(target=pledges, team=teams, campaign=campaigns, buyer=buyers, quantity=st.integers(1, 30))
    def a_buyer_comes_by_a_link(self, team: UUID, campaign: UUID, buyer: UUID, quantity: int) -> Any:
        with self.market.database.reading() as session:
            own = session.get_one(Team, team).campaign_id
        strays = quantity % 5 == 0  # some send a team's code to another campaign
        return self._join(campaign if strays else own, buyer, quantity, team)

    @rule(pledge=pledges)
    def a_buyer_leaves(self, pledge: UUID) -> None:
        self._attempt(lambda session: cancel_pledge(session, session.get_one(Pledge, pledge), now=self.market.now))

    @rule(buyer=buyers)
    def a_bank_declines_from_now_on(self, buyer: UUID) -> None:
        self.market.provider.declined_organisations.add(str(buyer))

    @rule(campaign=campaigns, too_many=st.booleans())
    def the_merchant_completes_its_campaign(self, campaign: UUID, too_many: bool) -> None:
        variant, missing = self.market.variant(campaign), self._missing(campaign)
        pieces = {variant: missing + 1 if too_many else missing}

        def complete(session: Any) -> None:
            found = session.get_one(Campaign, campaign)
            complete_campaign(session, found, pieces, idempotency_key=str(uuid4()), now=self.market.now)

        done = self._attempt(complete)
        assert done == (not too_many and missing > 0)

    @rule(pledge=pledges)
    def all_that_is_left_arrives(self, pledge: UUID) -> None:
        self.a_parcel_arrives(pledge, 100)

    @rule(pledge=pledges, units=st.integers(1, 10))
    def a_parcel_arrives(self, pledge: UUID, units: int) -> None:
        with self.market.database.transaction() as session:
            found = session.get_one(Pledge, pledge)
            left = found.quantity - found.delivered_quantity - found.released_quantity
            if found.state is not PledgeState.CONFIRMED:
                return
            units = min(units, left)
            self._pay_for(session, pledge, left, units)
            record_deliveries(session, {pledge: units}, now=self.market.now)

    @rule(campaign=campaigns, units=st.integers(1, 10))
    def nobody_will_make_some(self, campaign: UUID, units: int) -> None:
        variant = self.market.variant(campaign)
        with self.market.database.transaction() as session:
            sheets = [sheet for sheet in queries.open_sheets(session) if sheet.campaign_id == campaign]
            for sheet in sheets:
                if units <= self._latest_undelivered(session, sheet.id, variant):
                    release_units(session, {(sheet.id, variant): units}, now=self.market.now)

    @rule()
    def the_worker_runs(self) -> None:
        self.market.work()

    @rule(hours=st.integers(1, 30))
    def time_passes(self, hours: int) -> None:
        self.market.pass_time(timedelta(hours=hours))

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        assert self.market.ledger_sum() == 0
        for campaign in self.known:
            with self.market.database.reading() as session:
                holds = holds_of(session, [pledge.id for pledge in self.market.pledges(campaign)])
            held = sum(hold.remaining_minor for hold in holds if hold.state == HoldState.HELD)
            assert self.market.escrow(campaign) == held >= 0

    @invariant()
    def a_commission_is_the_share_of_what_a_delivered_member_paid(self) -> None:
        with self.market.database.reading() as session:
            earned = {row.pledge_id: row.amount_minor for row in session.exec(select(Commission)).all()}
            due = {}
            for team in session.exec(select(Team)).all():
                for pledge in session.exec(select(Pledge).where(Pledge.team_id == team.id)).all():
                    assert pledge.buyer_id != team.leader_id
                    assert pledge.campaign_id == team.campaign_id
                    paid = sum(hold.captured_minor for hold in holds_of(session, [pledge.id]))
                    if pledge.state is PledgeState.FULFILLED and (minor := share(paid, team.commission_ppm)):
                        due[pledge.id] = minor
            told = session.exec(select(Notice).where(Notice.kind == NoticeKind.COMMISSION_EARNED)).all()
        assert earned == due
        assert len(told) == len(earned)

    @invariant()
    def a_team_is_its_living_members(self) -> None:
        with self.market.database.reading() as session:
            for team in session.exec(select(Team)).all():
                members = session.exec(select(Pledge).where(Pledge.team_id == team.id)).all()
                living = [pledge for pledge in members if pledge.state not in GONE]
                progress = view_of(session, team).progress
                assert progress.pieces == sum(pledge.quantity for pledge in living)
                assert progress.buyers == len({pledge.buyer_id for pledge in living})

    @invariant()
    def a_merchant_is_a_buyer_only_in_the_open(self) -> None:
        for campaign in self.known:
            for pledge in self.market.pledges(campaign):
                assert pledge.merchant_funded == (pledge.buyer_id == self.market.merchandiser)
                assert not pledge.merchant_funded or pledge.quantity <= MINIMUM

    def teardown(self) -> None:
        """At last leaders have been paid what they earned, and nothing of it is still owed to them."""
        for _ in range(4):
            self.market.pass_time(timedelta(days=5))
        with self.market.database.reading() as session:
            teams = session.exec(select(Team)).all()
        for team in teams:
            assert self.market.balance(AccountKind.BUYER_PAYABLE, team.leader_id) == 0

    def _join(self, campaign: UUID, buyer: UUID, quantity: int, team: UUID | None) -> Any:
        lines = ((self.market.variant(campaign), quantity),)
        request = PledgeRequest(campaign, buyer, lines, str(uuid4()), team_id=team)
        try:
            with self.market.database.transaction() as session:
                return place_pledge(session, request, now=self.market.now)
        except Refusal:
            return multiple()

    def _missing(self, campaign: UUID) -> int:
        return missing_pieces(self.market.get(campaign), now=self.market.now)

    def _attempt(self, use_case: Any) -> bool:
        try:
            with self.market.database.transaction() as session:
                use_case(session)
        except Refusal:
            return False
        return True

    def _pay_for(self, session: Any, pledge: UUID, left: int, units: int) -> None:
        """What production does with a parcel's money, all of it to the merchandiser here."""
        payee = AccountRef(AccountKind.MERCHANDISER_PAYABLE, self.market.merchandiser, "CNY")
        holds = [hold for hold in holds_of(session, [pledge]) if hold.state == HoldState.HELD]
        amount = share_of_units(sum(hold.remaining_minor for hold in holds), left, units)
        [hold] = holds
        legs = (Leg(payee, Side.CREDIT, amount),)
        capture(session, [Capture(hold, amount, f"test:{uuid4()}", "test", legs)], now=self.market.now)

    def _latest_undelivered(self, session: Any, sheet: UUID, variant: UUID) -> int:
        """The pieces that can be released: of the latest pledges, as long as none of theirs has arrived."""
        lines = session.exec(
            select(SheetPledge, Pledge)
            .join(Pledge, Pledge.id == SheetPledge.pledge_id)
            .where(SheetPledge.sheet_id == sheet, SheetPledge.variant_id == variant)
            .order_by(Pledge.placed_at.desc(), Pledge.id.desc())
        ).all()
        free = 0
        for line, pledge in lines:
            if pledge.delivered_quantity:
                break
            gone = session.exec(select(SheetRelease.quantity).where(SheetRelease.pledge_id == pledge.id)).all()
            free += line.quantity - sum(gone)
        return free


def test_commissions_and_ledger_agree_whatever_happens(database: Database) -> None:
    machine = type("Machine", (TeamsAndLedger,), {"database": database})
    run_state_machine_as_test(machine, settings=lives(database, 9, steps=25))
