"""Waiting lists, balances and released pieces as rules of demand's state machine."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from sqlmodel import col, select

from c2m.audit import run
from c2m.demand import queries
from c2m.demand.joining import place_pledge
from c2m.demand.models import BuyerTotal, Campaign, CampaignState, PledgeState, Waiting, WaitingPledge, WaitingState
from c2m.demand.pledges import BalanceNotDue, PartialBalance, pay_balance
from c2m.demand.waiting import leave_queue
from c2m.errors import Refusal
from tests.demand.market import Market
from tests.demand.queueing import wait


class QueueRules(RuleBasedStateMachine):
    """To be mixed into a machine with a market, its known campaigns, and bundles of campaigns, buyers and pledges."""

    market: Market
    known: list[Any]
    campaigns: Bundle[Any] = Bundle("campaigns")
    buyers: Bundle[Any] = Bundle("buyers")
    pledges: Bundle[Any] = Bundle("pledges")
    places: Bundle[Any] = Bundle("places")

    @rule(target=pledges, campaign=campaigns)
    def a_rush_takes_every_piece(self, campaign: Any) -> Any:
        """New buyers take all that is left and pay for it; one more wants what is gone."""
        joined = []
        while left := self._left(campaign):
            request = self.market.request(campaign, left)
            with self.market.database.transaction() as session:
                joined.append((place_pledge(session, request, now=self.market.now), request.buyer_id))
        if self._is_open(campaign):
            wait(self.market, campaign, 1 + len(self.known), takes_part=bool(joined))
        self.market.work()
        return multiple(*joined)

    @rule(
        target=places,
        campaign=campaigns,
        buyer=buyers,
        quantity=st.integers(1, 70),
        takes_part=st.booleans(),
        ceiling_minor=st.sampled_from([None, None, 29_00, 34_00]),
        accepts_dearer=st.booleans(),
        joins_next_round=st.booleans(),
    )
    def a_buyer_waits(self, campaign: Any, buyer: Any, quantity: int, takes_part: bool, **agreed: Any) -> Any:
        try:
            return wait(self.market, campaign, quantity, buyer=buyer, takes_part=takes_part, **agreed), buyer
        except Refusal:
            return multiple()

    @rule(place=places)
    def a_buyer_waits_no_longer(self, place: Any) -> None:
        waiting_id, buyer = place
        try:
            with self.market.database.transaction() as session:
                leave_queue(session, waiting_id, buyer_id=buyer, now=self.market.now)
        except Refusal:
            pass

    @rule(pledge=pledges, more=st.sampled_from([-1, 1, 100_00]))
    def a_buyer_offers_another_balance(self, pledge: Any, more: int) -> None:
        pledge_id, buyer = pledge
        before = self.market.pledge(pledge_id)
        try:
            with self.market.database.transaction() as session:
                found = queries.pledge_of(session, pledge_id, buyer_id=buyer)
                pay_balance(session, found, now=self.market.now, offered_minor=(found.balance_minor or 0) + more)
        except (PartialBalance, BalanceNotDue):
            assert self.market.pledge(pledge_id) == before
        else:
            raise AssertionError("another amount than the balance was taken")

    @invariant()
    def nobody_waits_for_pieces_they_could_have(self) -> None:
        with self.market.database.reading() as session:
            for place, found in self._waiting(session):
                if found.state is not CampaignState.OPEN or found.deadline <= self.market.now:
                    continue
                held = session.get(BuyerTotal, (found.id, place.buyer_id))
                wanted, free = place.quantity - place.filled_quantity, (found.cap or 0) - found.pledged_quantity
                room = (found.per_buyer_limit or wanted) - (held.quantity if held else 0)
                assert not (wanted <= free and wanted <= room)
                assert not (place.takes_part and free > 0 and room > 0)

    @invariant()
    def a_place_is_filled_with_its_pledges(self) -> None:
        with self.market.database.reading() as session:
            for place in session.exec(select(Waiting)).all():
                made = session.exec(select(WaitingPledge).where(WaitingPledge.waiting_id == place.id)).all()
                assert (place.filled_quantity > 0) == bool(made)
                assert (place.state is WaitingState.FILLED) == (place.filled_quantity == place.quantity)
                assert (place.state is WaitingState.WAITING) == (place.ended_at is None)

    def teardown(self) -> None:
        """When everything has ended nobody waits, nobody's payment is still on its way, and the audit finds nothing."""
        super().teardown()
        with self.market.database.reading() as session:
            assert self._waiting(session) == []
            assert run(session, now=self.market.now) == []
        for campaign in self.known:
            assert all(p.state is not PledgeState.UNPAID for p in self.market.pledges(campaign))

    def _is_open(self, campaign: Any) -> bool:
        found = self.market.get(campaign)
        return found.state is CampaignState.OPEN and found.deadline > self.market.now

    def _left(self, campaign: Any) -> int:
        """Pieces that one new buyer could take."""
        found = self.market.get(campaign)
        return min((found.cap or 0) - found.pledged_quantity, found.per_buyer_limit or 1) * self._is_open(campaign)

    def _waiting(self, session: Any) -> list[tuple[Waiting, Campaign]]:
        joined = select(Waiting, Campaign).join(Campaign, col(Campaign.id) == col(Waiting.campaign_id))
        return list(session.exec(joined.where(Waiting.state == WaitingState.WAITING)).all())
