"""Extensions, next rounds and what pledges agree to for the close, as rules of demand's state machine."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from sqlmodel import col, select

from c2m.demand import queries
from c2m.demand.extension import answer_extension, extend_campaign
from c2m.demand.models import Campaign, CampaignKind, CampaignState, Consent, Pledge, PledgeState
from c2m.errors import Refusal
from c2m.ledger.queries import holds_of
from tests.demand.market import Market

COLOURS = (("black", "M"), ("white", "M"))

further_terms = st.fixed_dictionaries(
    {
        "variants": st.just(COLOURS),
        "minimum": st.sampled_from([8, 20, 40]),
        "pack_pieces": st.sampled_from([1, 1, 7]),
        "colour_minimum": st.sampled_from([0, 8]),
        "extension_days": st.sampled_from([0, 0, 3]),
        "next_round_days": st.sampled_from([0, 0, 4]),
    }
)
choices = st.fixed_dictionaries(
    {
        "index": st.sampled_from([0, 0, 1]),
        "flexible": st.sampled_from([0, 0, 0, 3, 15]),
        "ceiling_minor": st.sampled_from([None, None, None, 29_00, 34_00, 36_00]),
        "accepts_dearer": st.booleans(),
        "fallback_colour": st.sampled_from(["", "black", "white"]),
        "joins_next_round": st.booleans(),
    }
)


crowds = st.lists(st.tuples(st.integers(1, 25), choices), min_size=2, max_size=7)
Crowd = list[tuple[int, dict[str, Any]]]
kinds = st.sampled_from([CampaignKind.GROUP_BUY, CampaignKind.GROUP_BUY, CampaignKind.PRESALE])


class CloseRules(RuleBasedStateMachine):
    """To be mixed into a machine with a market, its known campaigns, and bundles of campaigns and pledges."""

    market: Market
    known: list[Any]
    campaigns: Bundle[Any] = Bundle("campaigns")
    pledges: Bundle[Any] = Bundle("pledges")
    open: Callable[[CampaignKind, int, dict[str, Any]], Any]

    @initialize(target=pledges, kind=kinds, terms=further_terms, crowd=crowds)
    def a_campaign_has_run_for_a_while(self, kind: CampaignKind, terms: dict[str, Any], crowd: Crowd) -> Any:
        return multiple(*self._join(self.open(kind, 2, terms), crowd))

    @rule(target=pledges, campaign=campaigns, crowd=crowds)
    def a_crowd_joins_and_pays(self, campaign: Any, crowd: Crowd) -> Any:
        return multiple(*self._join(campaign, crowd))

    def _join(self, campaign: Any, crowd: Crowd) -> list[tuple[Any, Any]]:
        joined = []
        for quantity, chosen in crowd:
            buyer = self.market.buyer()
            try:
                joined.append((self.market.join(campaign, quantity, buyer=buyer, **chosen), buyer))
            except Refusal:
                continue
        self.market.work()
        return joined

    @rule(campaign=campaigns, days=st.integers(-1, 20))
    def a_merchandiser_extends(self, campaign: Any, days: int) -> None:
        before = self.market.get(campaign)
        try:
            with self.market.database.transaction() as session:
                extend_campaign(session, campaign, days, now=self.market.now)
        except Refusal:
            assert self.market.get(campaign) == before
        else:
            assert before.extended_at is None

    @rule(pledge=pledges, agrees=st.booleans())
    def a_buyer_answers(self, pledge: Any, agrees: bool) -> None:
        pledge_id, buyer = pledge
        try:
            with self.market.database.transaction() as session:
                found = queries.pledge_of(session, pledge_id, buyer_id=buyer)
                answer_extension(session, found, agrees=agrees, now=self.market.now)
        except Refusal:
            return
        after = self.market.pledge(pledge_id)
        assert after.consent is (Consent.GIVEN if agrees else Consent.REFUSED)
        assert (after.state is PledgeState.REFUNDED) is not agrees

    @rule()
    def everybody_who_is_asked_agrees(self) -> None:
        with self.market.database.transaction() as session:
            for asked in session.exec(select(Pledge).where(Pledge.consent == Consent.ASKED)).all():
                try:
                    answer_extension(session, asked, agrees=True, now=self.market.now)
                except Refusal:
                    continue

    @invariant()
    def next_rounds_are_known_too(self) -> None:
        with self.market.database.reading() as session:
            rounds = session.exec(select(Campaign.id).where(col(Campaign.previous_round_id).in_(self.known))).all()
        self.known += [campaign for campaign in rounds if campaign not in self.known]

    @invariant()
    def nobody_who_did_not_answer_in_time_stays(self) -> None:
        with self.market.database.reading() as session:
            asked = select(Pledge, Campaign).join(Campaign, col(Campaign.id) == col(Pledge.campaign_id))
            for pledge, campaign in session.exec(asked.where(Pledge.consent == Consent.ASKED)):
                assert campaign.extended_at is not None
                over = campaign.state in (CampaignState.SUCCEEDED, CampaignState.FAILED)
                assert not over or pledge.state in (PledgeState.CANCELLED, PledgeState.REFUNDED)

    def teardown(self) -> None:
        """What is held at last is what the pieces cost at the final price, and never more than when joining."""
        super().teardown()
        for campaign_id in self.known:
            campaign = self.market.get(campaign_id)
            confirmed = [p for p in self.market.pledges(campaign_id) if p.state is PledgeState.CONFIRMED]
            with self.market.database.reading() as session:
                held = {p.id: 0 for p in confirmed}
                for hold in holds_of(session, list(held)):
                    held[hold.subject_id] += hold.remaining_minor
            for pledge in confirmed:
                price = pledge.final_price_minor or 0
                released = campaign.closed_at is not None and pledge.placed_at >= campaign.closed_at
                if campaign.deposit_minor and not released:
                    price = campaign.deposit_minor + max(price - campaign.deposit_counts_minor, 0)
                assert held[pledge.id] == price * (pledge.quantity - pledge.released_quantity)
                assert (pledge.final_price_minor or 0) <= pledge.unit_price_minor
                assert pledge.flexible_quantity == 0
