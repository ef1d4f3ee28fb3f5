"""Whatever buyers, providers, deadlines and workers do: the money is right and nothing is sold twice."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from c2m.db import Database
from c2m.demand import queries
from c2m.demand.campaigns import cancel_campaign
from c2m.demand.joining import place_pledge
from c2m.demand.models import FINAL, LIVING, CampaignKind, CampaignState, PledgeState
from c2m.demand.pledges import cancel_pledge, pay_balance
from c2m.errors import Refusal
from c2m.ledger.models import HoldState
from c2m.ledger.queries import holds_of
from tests.conftest import lives
from tests.demand.close_machine import CloseRules, choices, further_terms
from tests.demand.market import Market
from tests.demand.queue_machine import QueueRules

CAP, LIMIT = 120, 60


class CampaignAndLedger(RuleBasedStateMachine):
    """One market on the real tables; every rule is something a person or the passing of time does."""

    database: Database
    campaigns: Bundle[Any] = Bundle("campaigns")
    buyers: Bundle[Any] = Bundle("buyers")
    pledges: Bundle[Any] = Bundle("pledges")

    def __init__(self) -> None:
        super().__init__()
        self.market = Market(self.database)
        self.known: list[Any] = []
        self.ended: dict[Any, PledgeState] = {}

    @rule(target=buyers)
    def a_buyer_arrives(self) -> Any:
        return self.market.buyer()

    @rule(target=campaigns, kind=st.sampled_from(list(CampaignKind)), days=st.integers(1, 6), terms=further_terms)
    def a_campaign_opens(self, kind: CampaignKind, days: int, terms: dict[str, Any]) -> Any:
        return self.open(kind, days, terms)

    def open(self, kind: CampaignKind, days: int, terms: dict[str, Any]) -> Any:
        deadline = self.market.now + timedelta(days=days)
        campaign = self.market.campaign(kind, cap=CAP, per_buyer_limit=LIMIT, deadline=deadline, **terms)
        self.known.append(campaign)
        return campaign

    @rule(
        target=pledges,
        campaign=campaigns,
        buyer=buyers,
        quantity=st.integers(1, 70),
        key=st.integers(0, 5),
        chosen=choices,
    )
    def a_buyer_joins(self, campaign: Any, buyer: Any, quantity: int, key: int, chosen: dict[str, Any]) -> Any:
        request = self.market.request(campaign, quantity, buyer=buyer, key=f"key-{key}", **chosen)
        try:
            with self.market.database.transaction() as session:
                return place_pledge(session, request, now=self.market.now), buyer
        except Refusal:
            return multiple()

    @rule(pledge=pledges)
    def a_buyer_leaves(self, pledge: Any) -> None:
        self._attempt(cancel_pledge, pledge)

    @rule(pledge=pledges)
    def a_buyer_pays_the_balance(self, pledge: Any) -> None:
        self._attempt(pay_balance, pledge)

    @rule(campaign=campaigns)
    def a_campaign_is_called_off(self, campaign: Any) -> None:
        try:
            with self.market.database.transaction() as session:
                cancel_campaign(session, campaign, now=self.market.now)
        except Refusal:
            pass

    @rule(buyer=buyers)
    def a_bank_declines_from_now_on(self, buyer: Any) -> None:
        self.market.provider.declined_organisations.add(str(buyer))

    @rule(failures=st.integers(1, 3))
    def the_provider_is_away(self, failures: int) -> None:
        self.market.provider.failures_left = failures

    @rule()
    def the_worker_runs(self) -> None:
        self.market.work()

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        self.market.pass_time(timedelta(hours=hours))

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        assert self.market.ledger_sum() == 0

    @invariant()
    def escrow_is_what_living_holds_stand_for(self) -> None:
        for campaign in self.known:
            with self.market.database.reading() as session:
                holds = holds_of(session, [p.id for p in self.market.pledges(campaign)])
            held = sum(h.remaining_minor for h in holds if h.state == HoldState.HELD)
            assert self.market.escrow(campaign) == held >= 0

    @invariant()
    def nothing_is_sold_beyond_cap_or_limit(self) -> None:
        for campaign in self.known:
            living = [p for p in self.market.pledges(campaign) if p.state in LIVING]
            by_buyer: dict[Any, int] = {}
            for pledge in living:
                taken = pledge.quantity + pledge.flexible_quantity
                by_buyer[pledge.buyer_id] = by_buyer.get(pledge.buyer_id, 0) + taken
            assert sum(pledge.quantity for pledge in living) <= CAP
            assert max(by_buyer.values(), default=0) <= LIMIT

    @invariant()
    def a_final_state_stays(self) -> None:
        for campaign in self.known:
            for pledge in self.market.pledges(campaign):
                if pledge.state in FINAL:
                    assert self.ended.setdefault(pledge.id, pledge.state) is pledge.state

    def teardown(self) -> None:
        """At last everything is worked off: nothing hangs, refunds are complete, sheets hold the confirmed units."""
        self.market.provider.failures_left = 0
        for _ in range(6):
            self.market.pass_time(timedelta(days=5))
        for campaign in self.known:
            found = self.market.get(campaign)
            assert found.state in (CampaignState.SUCCEEDED, CampaignState.FAILED, CampaignState.CANCELLED)
            confirmed = 0
            for pledge in self.market.pledges(campaign):
                assert pledge.state in (*FINAL, PledgeState.CONFIRMED)
                confirmed += pledge.quantity if pledge.state is PledgeState.CONFIRMED else 0
            with self.market.database.reading() as session:
                sheets = [s for s in queries.open_sheets(session) if s.campaign_id == campaign]
            assert sum(sheet.quantity for sheet in sheets) == confirmed

    def _attempt(self, use_case: Any, pledge: Any) -> None:
        pledge_id, buyer = pledge
        try:
            with self.market.database.transaction() as session:
                use_case(session, queries.pledge_of(session, pledge_id, buyer_id=buyer), now=self.market.now)
        except Refusal:
            pass


def test_campaigns_and_ledger_agree_whatever_happens(database: Database) -> None:
    machine = type("Machine", (QueueRules, CloseRules, CampaignAndLedger), {"database": database})
    run_state_machine_as_test(machine, settings=lives(database, 12, steps=30))
